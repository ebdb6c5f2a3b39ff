import { setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import { withCleanup } from '../core/cleanup.ts';
import { asDrillError } from '../core/errors.ts';
import type { FaultId, HostName } from '../core/ids.ts';
import type { Plan } from '../core/plan.ts';
import type { StartControl } from './control.ts';
import type { EventLog } from './event-log.ts';
import { renewLeases, type LeaseRenewer } from './leases.ts';
import { memoizeByHost, type HostAccess } from './host-access.ts';
import { kindsFor } from '../extension/load.ts';
import { countCommands } from '../hosts/count-commands.ts';
import type { Ledger } from './ledger.ts';
import { createMachineHealth } from './machine-health.ts';
import type { StartPressure } from './pressure.ts';
import type { Prober } from './prober.ts';
import { createNameResolver } from '../resolver/name-resolver.ts';
import { startRecording } from './recording.ts';
import { watchSafety } from './safety.ts';
import { startRowWriters, type RowWriters } from './row-writers.ts';
import type { Timers } from './schedule.ts';
import type { OpenFault, RunState } from './run-state.ts';
import { createStateObserver } from './state-observer.ts';

/** Inputs of a drill. */
export interface DrillDeps extends HostAccess, Pick<RunState, 'runId' | 'clock' | 'abandonHeals'> {
  readonly log: EventLog;
  readonly ledger: Ledger;
  readonly versions: { readonly firedrill: string; readonly node: string };
  /** The release under test (`--label`). */
  readonly label?: string | undefined;
  /** Without it, the health of the prober's machine is unknown. */
  readonly startControl?: StartControl;
  /** Without it, no machine's pressure is read. */
  readonly startPressure?: StartPressure;
  /** See `ProberOptions`. */
  readonly timers?: Timers;
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
  const host = memoizeByHost(plan.hosts, (planned) => counting.counted(deps.createHost(planned)));
  const server = memoizeByHost(plan.hosts, deps.createServer);
  const machine = createMachineHealth();
  const off = new Set<HostName>();
  const observer = createStateObserver(plan, deps.clock, machine, (host) => off.has(host));
  const broken = new AbortController();
  const signal = AbortSignal.any([outer, broken.signal, deps.log.broken]);
  // Each wait of the run adds a listener to this signal: this is not a leak.
  setMaxListeners(0, signal);
  let prober: Prober | undefined;
  let writing: RowWriters | undefined;
  let leases: LeaseRenewer | undefined;
  const open: OpenFault[] = [];
  const hostByFault = new Map<FaultId, HostName>();
  const accessTo: Run['accessTo'] = (name) => ({ host: host(name), server: server(name) });
  const kinds = kindsFor(plan);
  return {
    plan,
    kinds,
    runId: deps.runId,
    clock: deps.clock,
    log: deps.log,
    ledger: deps.ledger,
    signal,
    abandonHeals: deps.abandonHeals,
    observer,
    activeFaults: open,
    pendingRepairs: [],
    hostByFault,
    acted: new Set(),
    off,
    unanswered: new Set(),
    healing: { spentMs: 0 },
    accessTo,
    releaseLease: async (faultId) => leases?.release(faultId),
    setBurst(on) {
      prober?.setBurst(on);
      deps.log.append({ type: 'rate.changed', burst: on });
    },
    async startWriting() {
      if (plan.writers.length === 0) return;
      writing = await startRowWriters({
        writers: plan.writers,
        kindOf: kinds.writer,
        runId: deps.runId,
        clock: deps.clock,
        log: deps.log,
        readText: (path) => readFile(path, 'utf8'),
        env: (name) => process.env[name],
        resolveName: createNameResolver(),
        signal,
        timers: deps.timers ?? globalThis,
      });
    },
    get writing() {
      return writing;
    },
    probing: (body) =>
      withCleanup(async (cleanup) => {
        const onBroken = (error: unknown): void => broken.abort(asDrillError(error));
        const recording = await startRecording({
          extensions: plan.extensions,
          probes: plan.probes,
          hosts: plan.hosts.map(({ name }) => name),
          host,
          clock: deps.clock,
          timers: deps.timers,
          log: deps.log,
          startControl: deps.startControl,
          startPressure: deps.startPressure,
          machine,
          onSample: (sample) => observer.record(sample),
          onDropped: (probeId, slot) => observer.drop(probeId, slot),
          commands: () => counting.commands,
          onBroken,
          raisePriority: true,
        });
        prober = recording;
        cleanup.defer(() => recording.stop());
        const watching = new AbortController();
        const safety = watchSafety(
          {
            plan,
            observer,
            activeFaults: open,
            hostByFault,
            clock: deps.clock,
            stopFile: deps.stopFile,
            abort: (why) => broken.abort(why),
          },
          AbortSignal.any([signal, watching.signal]),
        ).catch(onBroken);
        cleanup.defer(async () => {
          watching.abort();
          await safety;
        });
        const renewer = renewLeases({ clock: deps.clock, log: deps.log, open, accessTo, onBroken });
        leases = renewer;
        cleanup.defer(() => renewer.stop());
        await body();
      }),
  };
}
