import { setMaxListeners } from 'node:events';
import type { Clock } from '../core/clock.ts';
import type { FaultContext } from '../core/fault.ts';
import type { Plan } from '../core/plan.ts';
import type { AnyFaultKind } from '../faults/catalog.ts';
import type { EventLog } from './event-log.ts';
import { madeOnce, type Reach } from './reach.ts';
import type { Ledger, LedgerRecord } from './ledger.ts';
import type { Prober } from './prober.ts';
import { startRecording } from './recording.ts';
import { createWorld, type World } from './world.ts';

/** What a drill needs from outside. */
export interface DrillDeps extends Reach {
  readonly runId: string;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly ledger: Ledger;
  readonly versions: { readonly firedrill: string; readonly node: string };
}

/** A fault or preparation that was injected and is not proven healed. */
export interface OpenFault {
  readonly record: LedgerRecord;
  readonly kind: AnyFaultKind;
}

/** A drill at work. */
export interface Run {
  readonly plan: Plan;
  readonly deps: DrillDeps;
  /** Aborts when the run is stopped, or when its probes broke. */
  readonly signal: AbortSignal;
  readonly world: World;
  /** In order of injection. */
  readonly open: OpenFault[];
  /** The host that each fault hit, by the fault's id. */
  readonly hit: Map<string, string>;
  /** What reaches a host. */
  reach(name: string): Pick<FaultContext, 'host' | 'server'>;
  setBurst(on: boolean): void;
  /** Runs `body` with the probes running; stops them after it. */
  probing(body: () => Promise<void>): Promise<void>;
}

/** A run of the plan, nothing of it begun. */
export function createRun(plan: Plan, deps: DrillDeps, outer: AbortSignal): Run {
  const host = madeOnce(plan.hosts, deps.createHost);
  const server = madeOnce(plan.hosts, deps.createServer);
  const world = createWorld(plan, deps.clock);
  const broken = new AbortController();
  const signal = AbortSignal.any([outer, broken.signal]);
  // Every wait of the run listens on this one signal: not a leak.
  setMaxListeners(0, signal);
  let prober: Prober | undefined;
  return {
    plan,
    deps,
    signal,
    world,
    open: [],
    hit: new Map(),
    reach: (name) => ({ host: host(name), server: server(name) }),
    setBurst(on) {
      prober?.setBurst(on);
      deps.log.append({ type: 'rate.changed', burst: on });
    },
    async probing(body) {
      prober = await startRecording({
        probes: plan.probes,
        host,
        clock: deps.clock,
        log: deps.log,
        onSample: (sample) => world.see(sample),
        onBroken: (error) => broken.abort(error),
        raisePriority: true,
      });
      try {
        await body();
      } finally {
        await prober.stop();
      }
    },
  };
}
