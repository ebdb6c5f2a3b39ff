import type { BurstEffect, RateFigures } from '../core/burst-effect.ts';
import type { Clock } from '../core/clock.ts';
import type { NewEvent } from '../core/event.ts';
import type { Host } from '../core/host.ts';
import type { Plan, PlannedHost } from '../core/plan.ts';
import type { DurationMs } from '../core/time.ts';
import { startProber, type Prober, type ProberOptions } from './prober.ts';
import { memoizeByHost } from './host-access.ts';

/** What a trial needs. */
export interface BurstTrialDeps {
  readonly clock: Clock;
  readonly createHost: (host: PlannedHost) => Host;
  /** For tests. */
  readonly startProber?: (options: ProberOptions) => Promise<Prober>;
}

/**
 * Slots are assigned to a rate by their due time, because their answers may come after the rate has changed.
 */
type Slot = Extract<NewEvent, { type: 'sample' | 'sample.dropped' }>;

/**
 * Runs the probes for `forMs` at the base rate and for `forMs` at the burst rate. It injects nothing, writes
 * no rows, and logs nothing. It waits for samples in flight at the end, because the slowest answers matter
 * most. @throws DrillError `invalid-input` for invalid probe parameters, `harness` if the prober fails
 */
export async function measureBurst(
  { extensions, hosts, probes }: Pick<Plan, 'extensions' | 'hosts' | 'probes'>,
  forMs: DurationMs,
  deps: BurstTrialDeps,
  signal: AbortSignal,
): Promise<readonly BurstEffect[]> {
  const { clock } = deps;
  const broken = new AbortController();
  const slots: Slot[] = [];
  const prober = await (deps.startProber ?? startProber)({
    extensions,
    probes,
    host: memoizeByHost(hosts, deps.createHost),
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

/** Longest time for a timed-out sample to arrive here after its timeout, ms. */
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

/** Nearest-rank quantile, so the result is an observed value; null without values. */
function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
