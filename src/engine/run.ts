import { setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import { asDrillError } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { StartControl } from './control.ts';
import type { EventLog } from './event-log.ts';
import { keepLeases, type LeaseKeeper } from './leases.ts';
import { madeOnce, type Reach } from './reach.ts';
import { countCommands } from '../hosts/count-commands.ts';
import type { Ledger } from './ledger.ts';
import { createMachineFitness } from './machine-fitness.ts';
import type { StartPressure } from './pressure.ts';
import type { Prober } from './prober.ts';
import { createNameResolver } from '../resolver/name-resolver.ts';
import { writerKind } from '../writers/catalog.ts';
import { startRecording } from './recording.ts';
import { watchSafety } from './safety.ts';
import { startRowWriters, type RowWriters } from './row-writers.ts';
import type { OpenFault, RunState } from './run-state.ts';
import { createWorld } from './world.ts';

/** Inputs of a drill. */
export interface DrillDeps extends Reach, Pick<RunState, 'runId' | 'clock' | 'abandonHeals'> {
  readonly log: EventLog;
  readonly ledger: Ledger;
  readonly versions: { readonly firedrill: string; readonly node: string };
  /** The release under test (`--label`). */
  readonly label?: string | undefined;
  /** Without it, the health of the prober's machine is unknown. */
  readonly startControl?: StartControl;
  /** Without it, no machine's pressure is read. */
  readonly startPressure?: StartPressure;
  /** The drill stops when this file exists. */
  readonly stopFile?: string;
}

/** A drill in progress. */
export interface Run extends RunState {
  /** Runs `body` with the probes and the lease renewals running; stops both after it. */
  probing(body: () => Promise<void>): Promise<void>;
}

/** Creates a run of the plan without starting it. */
export function createRun(plan: Plan, deps: DrillDeps, outer: AbortSignal): Run {
  const counting = countCommands();
  const host = madeOnce(plan.hosts, (planned) => counting.counted(deps.createHost(planned)));
  const server = madeOnce(plan.hosts, deps.createServer);
  const machine = createMachineFitness();
  const off = new Set<string>();
  const world = createWorld(plan, deps.clock, machine, (host) => off.has(host));
  const broken = new AbortController();
  const signal = AbortSignal.any([outer, broken.signal, deps.log.broken]);
  // Each wait of the run adds a listener to this signal: this is not a leak.
  setMaxListeners(0, signal);
  let prober: Prober | undefined;
  let writing: RowWriters | undefined;
  let leases: LeaseKeeper | undefined;
  const open: OpenFault[] = [];
  const hit = new Map<string, string>();
  const reach: Run['reach'] = (name) => ({ host: host(name), server: server(name) });
  return {
    plan,
    runId: deps.runId,
    clock: deps.clock,
    log: deps.log,
    ledger: deps.ledger,
    signal,
    abandonHeals: deps.abandonHeals,
    world,
    open,
    owed: [],
    hit,
    acted: new Set(),
    off,
    unanswered: new Set(),
    healing: { spentMs: 0 },
    reach,
    releaseLease: async (faultId) => leases?.release(faultId),
    setBurst(on) {
      prober?.setBurst(on);
      deps.log.append({ type: 'rate.changed', burst: on });
    },
    async startWriting() {
      if (plan.writers.length === 0) return;
      writing = await startRowWriters({
        writers: plan.writers,
        kindOf: writerKind,
        runId: deps.runId,
        clock: deps.clock,
        log: deps.log,
        readText: (path) => readFile(path, 'utf8'),
        env: (name) => process.env[name],
        resolveName: createNameResolver(),
        signal,
      });
    },
    get writing() {
      return writing;
    },
    async probing(body) {
      const onBroken = (error: unknown): void => broken.abort(asDrillError(error));
      const ends: (() => Promise<void>)[] = [];
      try {
        const recording = await startRecording({
          probes: plan.probes,
          hosts: plan.hosts.map(({ name }) => name),
          host,
          clock: deps.clock,
          log: deps.log,
          startControl: deps.startControl,
          startPressure: deps.startPressure,
          machine,
          onSample: (sample) => world.see(sample),
          onDropped: (probeId, slot) => world.drop(probeId, slot),
          commands: () => counting.commands,
          onBroken,
          raisePriority: true,
        });
        prober = recording;
        ends.push(() => recording.stop());
        const watching = new AbortController();
        const safety = watchSafety(
          {
            plan,
            world,
            open,
            hit,
            clock: deps.clock,
            stopFile: deps.stopFile,
            abort: (why) => broken.abort(why),
          },
          AbortSignal.any([signal, watching.signal]),
        ).catch(onBroken);
        ends.push(async () => {
          watching.abort();
          await safety;
        });
        const keeper = keepLeases({ clock: deps.clock, log: deps.log, open, reach, onBroken });
        leases = keeper;
        ends.push(() => keeper.stop());
        await body();
      } finally {
        await endAll(ends.toReversed());
      }
    },
  };
}

/**
 * Runs every step, also after a failed one, because anything left running keeps the process alive. Throws the
 * first error.
 */
async function endAll(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
