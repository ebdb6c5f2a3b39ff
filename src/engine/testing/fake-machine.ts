import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { DrillEvent } from '../../core/event.ts';
import type { ExecOptions, ExecResult, Host } from '../../core/host.ts';
import type { Plan } from '../../core/plan.ts';
import { neverFollowed } from '../../hosts/testing/never-followed.ts';
import { ownLoopback } from '../../hosts/testing/own-loopback.ts';
import { runDrill } from '../drill.ts';
import { openEventLog } from '../event-log.ts';
import { openLedger } from '../ledger.ts';
import type { DrillDeps } from '../run.ts';
import { createSystemClock } from '../system-clock.ts';

/** A fake host with one container, which understands `docker inspect|stop|start`. The container's web server is real. */
export class FakeMachine implements Host {
  readonly name = 'alpha';
  readonly transport = 'fake';
  readonly follow = neverFollowed;
  readonly commands: string[] = [];
  /** Rows of its server: POST, GET, and DELETE of /rows. The last row is lost when the server stops. */
  rows: string[] = [];
  removed = 0;
  stopIsIgnored = false;
  startFails = false;
  /** The container starts only after this promise, so a test can observe the outage first on any machine. */
  startWhen: Promise<unknown> | undefined;
  url = '';
  #server: Server | undefined;
  #port = 0;

  async boot(): Promise<void> {
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
  }

  async halt(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    this.rows.pop();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  }

  async exec(argv: readonly string[], { attempt }: Pick<ExecOptions, 'attempt'> = {}): Promise<ExecResult> {
    const verb = argv[0] === 'docker' ? argv[1] : undefined;
    if (attempt !== true) this.commands.push(argv.slice(0, 2).join(' '));
    if (verb === 'stop' && !this.stopIsIgnored) await this.halt();
    if (verb === 'start') {
      await this.startWhen;
      if (this.startFails) return { exitCode: 1, stdout: '', stderr: 'no space left on device' };
      await this.boot();
    }
    const status = this.#server === undefined ? 'exited' : 'running';
    return { exitCode: 0, stdout: verb === 'inspect' ? `${status} 2026-01-01T00:00:00Z\n` : '', stderr: '' };
  }
}

/**
 * A drill that stops the machine's container, with a probe of its server. Its gates are met soon, or after many seconds
 * on a busy machine. The recovery does not come, so that wait times out.
 */
export function planOf(url: string): Plan {
  const gate = { require: [{ probe: 'web' }], forMs: 150, withinMs: 45_000 };
  return {
    scenario: { name: 's', title: 's', path: 's.yaml', sha256: '', variables: {} },
    target: { name: 't', environment: 'test', path: 't.yaml', sha256: '' },
    hosts: [{ name: 'alpha', transport: { kind: 'local' } }],
    probes: [
      {
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
      },
    ],
    writers: [],
    roles: {},
    ownership: {},
    models: {},
    prepare: [],
    steady: gate,
    limits: { faultMs: 60_000 },
    faults: [
      {
        id: 'fault-1',
        kind: 'container.stop',
        on: { host: 'alpha' },
        atMs: 0,
        params: { container: 'web', graceSeconds: 0 },
      },
    ],
    repair: [],
    recovery: { probe: 'web', withinMs: 800, stableForMs: 200 },
    redundancy: gate,
    checks: [],
    stages: [],
    returnStages: [],
  };
}

/** The log of a drill, and its number of open undo records. */
export interface Outcome {
  readonly events: readonly DrillEvent[];
  readonly types: readonly string[];
  readonly open: number;
}

/** Runs a drill on the machine, with its files in the folder. */
export async function drillOn(
  machine: FakeMachine,
  folder: string,
  plan: Plan,
  signal = new AbortController().signal,
  onEvent?: (event: DrillEvent) => void,
  more: Pick<DrillDeps, 'startControl' | 'startPressure'> = {},
): Promise<Outcome> {
  const clock = createSystemClock();
  const path = join(folder, 'events.ndjson');
  const log = openEventLog(path, clock);
  if (onEvent !== undefined) log.subscribe(onEvent);
  const ledger = openLedger(join(folder, 'ledger'));
  const versions = { firedrill: '0', node: '0' };
  await runDrill(
    plan,
    {
      runId: 'r',
      clock,
      log,
      ledger,
      createHost: () => machine,
      createServer: () => undefined,
      versions,
      label: 'v1.3',
      ...more,
    },
    signal,
  );
  log.close();
  const events = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as DrillEvent);
  const quiet = new Set([
    'sample',
    'control.sample',
    'machine.pressure',
    'clock.anchor',
    'prober.health',
    'harness.cost',
    'sample.dropped',
    'row.written',
    'rows.read',
  ]);
  return {
    events,
    types: events.filter((event) => !quiet.has(event.type)).map((event) => event.type),
    open: ledger.list().length,
  };
}
