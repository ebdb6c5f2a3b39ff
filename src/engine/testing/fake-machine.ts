import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { planWith } from '../../analysis/testing/log-builder.ts';
import type { DrillEvent } from '../../core/event.ts';
import type { ExecOptions, ExecResult, Host } from '../../core/host.ts';
import type { Plan, PlannedProbe } from '../../core/plan.ts';
import { disturbCommand, type Disturbance } from '../../extension/conformance/disturbance.ts';
import { neverFollowed } from '../../hosts/testing/never-followed.ts';
import { runDrill } from '../drill.ts';
import { openEventLog } from '../event-log.ts';
import { openLedger } from '../ledger.ts';
import type { DrillDeps } from '../run.ts';
import { simulatedClock, timersOn } from './simulated-clock.ts';

/**
 * A fake host with one container, which understands `docker inspect|stop|start`, and `is-up`, which exits 0 while the
 * container runs.
 */
export class FakeMachine implements Host {
  readonly name = 'alpha';
  readonly transport = 'fake';
  readonly follow = neverFollowed;
  readonly commands: string[] = [];
  stopIsIgnored = false;
  startFails = false;
  /** The container starts only after this promise, so a test can observe the outage first. */
  startWhen: Promise<unknown> | undefined;
  /** How a command goes wrong; default: it does not. */
  disturbance: (argv: readonly string[]) => Disturbance | undefined = () => undefined;
  isUp = true;

  async boot(): Promise<void> {
    this.isUp = true;
  }

  async halt(): Promise<void> {
    this.isUp = false;
  }

  exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
    if (options.attempt !== true) this.commands.push(argv.slice(0, 2).join(' '));
    return disturbCommand(this.disturbance(argv), argv, options, () => this.#answer(argv));
  }

  async #answer(argv: readonly string[]): Promise<ExecResult> {
    const [program, word] = argv;
    if (program === 'is-up') return { exitCode: this.isUp ? 0 : 1, stdout: '', stderr: '' };
    const verb = program === 'docker' ? word : undefined;
    if (verb === 'stop' && !this.stopIsIgnored) await this.halt();
    if (verb === 'start') {
      await this.startWhen;
      if (this.startFails) return { exitCode: 1, stdout: '', stderr: 'no space left on device' };
      await this.boot();
    }
    const status = this.isUp ? 'running' : 'exited';
    return { exitCode: 0, stdout: verb === 'inspect' ? `${status} 2026-01-01T00:00:00Z\n` : '', stderr: '' };
  }
}

/** A probe of the machine's container, by a command. */
const isUpProbe: PlannedProbe = {
  id: 'web',
  name: 'web',
  from: 'alpha',
  kind: 'exec',
  params: { argv: ['is-up'], expectExit: 0 },
  intervalMs: 50,
  timeoutMs: 5000,
};

/**
 * A drill that stops the machine's container, with a probe of the container. The recovery does not come, so that wait
 * times out.
 */
export function fakePlan(probe = isUpProbe): Plan {
  const gate = { require: [{ probe: 'web' }], forMs: 150, withinMs: 45_000 };
  return planWith({
    hosts: [{ name: 'alpha', transport: { kind: 'local' } }],
    probes: [probe],
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
    recovery: { probe: 'web', withinMs: 800, stableForMs: 200 },
    redundancy: gate,
  });
}

/** The log of a drill, and its number of open undo records. */
export interface Outcome {
  readonly events: readonly DrillEvent[];
  readonly types: readonly string[];
  readonly open: number;
}

/** Options of a drill; the clock is a simulated one by default. */
export interface DrillOptions extends Partial<
  Pick<DrillDeps, 'clock' | 'timers' | 'startControl' | 'startPressure' | 'stopFile'>
> {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: DrillEvent) => void) | undefined;
}

/** Runs a drill on the machine, with its files in the folder. */
export async function drillOn(
  machine: FakeMachine,
  folder: string,
  plan: Plan,
  { signal = new AbortController().signal, onEvent, ...deps }: DrillOptions = {},
): Promise<Outcome> {
  const { clock = simulatedClock(), timers = timersOn(clock) } = deps;
  const path = join(folder, 'events.ndjson');
  const log = openEventLog(path, clock);
  if (onEvent !== undefined) log.subscribe(onEvent);
  const ledger = openLedger(join(folder, 'ledger'));
  await runDrill(
    plan,
    {
      ...deps,
      runId: 'r',
      clock,
      timers,
      log,
      ledger,
      createHost: () => machine,
      createServer: () => undefined,
      versions: { firedrill: '0', node: '0' },
      label: 'v1.3',
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
    'clock.stepped',
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
