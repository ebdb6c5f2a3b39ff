import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Plan, PlannedProbe } from '../../core/plan.ts';
import { ownLoopback } from '../../hosts/testing/own-loopback.ts';
import { FakeMachine, fakePlan } from './fake-machine.ts';

/** A fake machine whose container has a real web server, for drills with the prober's thread, on the real clock. */
export class WebMachine extends FakeMachine {
  /** Rows of its server: POST, GET, and DELETE of /rows. The last row is lost when the server stops. */
  rows: string[] = [];
  removed = 0;
  url = '';
  #server: Server | undefined;
  #port = 0;

  override async boot(): Promise<void> {
    const server = createServer((request, response) => {
      const { pathname, search } = new URL(request.url ?? '', 'http://alpha');
      if (request.method === 'POST') this.rows.push(search.slice(1));
      if (request.method === 'DELETE') this.removed++;
      response.end(pathname.startsWith('/rows') ? JSON.stringify(this.rows) : 'ok');
    });
    await new Promise<void>((resolve) => server.listen(this.#port, ownLoopback, resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.url = `http://${ownLoopback}:${this.#port}/`;
    this.#server = server;
    await super.boot();
  }

  override async halt(): Promise<void> {
    await super.halt();
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    this.rows.pop();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  }

  /** A drill that stops the container, with a probe of its server. */
  plan(): Plan {
    return fakePlan(webProbe(this.url));
  }
}

/** A probe of a web server. */
export function webProbe(url: string): PlannedProbe {
  return {
    id: 'web',
    name: 'web',
    kind: 'http',
    params: {
      url,
      method: 'GET',
      headers: {},
      insecureSkipVerify: false,
      expect: { status: [200] },
      maxBodyBytes: 1000,
    },
    intervalMs: 50,
    timeoutMs: 5000,
  };
}
