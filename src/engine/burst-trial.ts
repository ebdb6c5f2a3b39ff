import type { BurstEffect, RateFigures } from '../core/burst-effect.ts';
import type { Clock } from '../core/clock.ts';
import type { NewEvent } from '../core/event.ts';
import type { Host } from '../core/host.ts';
import type { Plan, PlannedHost } from '../core/plan.ts';
import { startProber, type Prober, type ProberOptions } from './prober.ts';
import { madeOnce } from './reach.ts';

/** What a trial uses. */
export interface BurstTrialDeps {
  readonly clock: Clock;
  readonly createHost: (host: PlannedHost) => Host;
  /** For tests. */
  readonly startProber?: (options: ProberOptions) => Promise<Prober>;
}

/** A slot by when it was due: that says at which rate it was sent, however late its answer comes. */
type Slot = Extract<NewEvent, { type: 'sample' | 'sample.dropped' }>;

/**
 * Runs probes for `forMs` at the base rate and for as long in the burst, and nothing else: nothing is written, nothing
 * broken, nothing logged. Samples under way at the end are waited for, as the slowest answers say most.
 * @throws DrillError `invalid-input` for what a probe's parameters turn out to lack, `harness` where the prober breaks
 */
export async function measureBurst(
  { hosts, probes }: Pick<Plan, 'hosts' | 'probes'>,
  forMs: number,
  deps: BurstTrialDeps,
  signal: AbortSignal,
): Promise<readonly BurstEffect[]> {
  const { clock } = deps;
  const broken = new AbortController();
  const slots: Slot[] = [];
  const prober = await (deps.startProber ?? startProber)({
    probes,
    host: madeOnce(hosts, deps.createHost),
    clock,
    onEvents: (events) => {
      for (const event of events)
        if (event.type === 'sample' || event.type === 'sample.dropped') slots.push(event);
    },
    onBroken: (error) => broken.abort(error),
  });
  const stop = AbortSignal.any([signal, broken.signal]);
  try {
    const startMs = clock.nowMs();
    await clock.sleep(forMs, stop);
    const burstMs = clock.nowMs();
    prober.setBurst(true);
    await clock.sleep(forMs, stop);
    const endMs = clock.nowMs();
    prober.setBurst(false);
    await clock.sleep(Math.max(0, ...probes.map(({ timeoutMs }) => timeoutMs)) + lateMs, stop);
    return probes.map((probe) => {
      const own = slots.filter((slot) => slot.probe === probe.id);
      return {
        probe,
        base: figuresOf(own.filter(({ dueMs }) => dueMs >= startMs && dueMs < burstMs)),
        burst: figuresOf(own.filter(({ dueMs }) => dueMs >= burstMs && dueMs < endMs)),
      };
    });
  } finally {
    await prober.stop();
  }
}

/** For an answer at its time-out to get here. */
const lateMs = 100;

function figuresOf(slots: readonly Slot[]): RateFigures {
  const samples = slots.filter((slot) => slot.type === 'sample');
  const good = samples.filter(({ status }) => status === 'ok').map((s) => s.finishMs - s.sendMs);
  return {
    sent: samples.length,
    dropped: slots.length - samples.length,
    failed: samples.filter(({ status }) => status === 'fail').length,
    unknown: samples.filter(({ status }) => status === 'unknown').length,
    p50Ms: quantile(good, 0.5),
    p90Ms: quantile(good, 0.9),
  };
}

/** The nearest rank: a value that was seen. */
function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
