import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monoMs } from '../mono.ts';
import type { Edge, OutageKind } from './messages.ts';

/** A port that answers 200 until `fail` is called. */
export interface Track {
  readonly port: number;
  /** Starts an outage; one at a time. */
  fail(kind: OutageKind): Promise<Edge>;
  /** Ends the outage. */
  restore(): Promise<Edge>;
}

/** Opens a port. A `black-hole` needs `ownNamespace`. */
export async function openTrack(host: string, ownNamespace: boolean): Promise<Track> {
  const commit = ownNamespace ? rules() : refuse;
  let failing: OutageKind | undefined;
  let held: ServerResponse[] = [];
  const answer = (response: ServerResponse, status: number): void => {
    response.writeHead(status, { 'content-type': 'text/plain' });
    response.end(status === 200 ? 'ok\n' : 'no\n');
  };
  const server = createServer((_request, response) => {
    if (failing === 'hang' || failing === 'late') held.push(response);
    else answer(response, failing === 'http-503' ? 503 : 200);
  });
  // Clients decide when a connection is closed.
  server.keepAliveTimeout = 0;
  server.on('clientError', (_error, socket) => socket.destroy());
  await listen(server, host, 0);
  const { port } = server.address() as AddressInfo;

  return {
    port,
    async fail(kind) {
      failing = kind;
      if (kind === 'refused') {
        return bracket(() => {
          // `close` only closes the listening socket.
          server.close();
          server.closeAllConnections();
        });
      }
      return kind === 'black-hole' ? commit('-I INPUT -j DROP') : bracket(() => {});
    },
    async restore() {
      const kind = failing;
      const waiting = held;
      if (kind === 'refused') {
        const loMs = monoMs();
        await listen(server, host, port);
        failing = undefined;
        return { loMs, hiMs: monoMs() };
      }
      if (kind === 'black-hole') {
        failing = undefined;
        return commit('-D INPUT -j DROP');
      }
      held = [];
      return bracket(() => {
        failing = undefined;
        for (const response of waiting) {
          if (kind === 'late') answer(response, 200);
          else response.socket?.destroy();
        }
      });
    },
  };
}

function bracket(act: () => void): Edge {
  const loMs = monoMs();
  act();
  return { loMs, hiMs: monoMs() };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen({ host, port });
  await once(server, 'listening');
}

/**
 * Commits a firewall rule in this process's network namespace. The `iptables-restore` process is started before, because its
 * start takes longer than the allowed uncertainty of the edge.
 */
function rules(): (rule: string) => Promise<Edge> {
  const start = (): ChildProcess =>
    spawn('iptables-restore', ['--noflush'], { stdio: ['pipe', 'ignore', 'inherit'] });
  let spare = start();
  return async (rule) => {
    const child = spare;
    const exit = once(child, 'exit');
    const loMs = monoMs();
    child.stdin?.end(`*filter\n${rule}\nCOMMIT\n`);
    const [code] = (await exit) as [number | null];
    const hiMs = monoMs();
    if (code !== 0) throw new Error(`iptables-restore ended with exit code ${code}`);
    spare = start();
    return { loMs, hiMs };
  };
}

async function refuse(): Promise<Edge> {
  throw new Error('cannot start a black-hole outage: the fault server has no network namespace of its own');
}
