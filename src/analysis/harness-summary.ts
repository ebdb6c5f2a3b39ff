import { roundMs } from '../core/clock.ts';
import type { HarnessSummary } from '../core/summary.ts';
import type { EventOf } from '../core/event.ts';

/** The cost of firedrill itself, by the last `harness.cost` event. */
export function harnessSummary(cost: EventOf<'harness.cost'>, startMs: number): HarnessSummary {
  const { t, cpuMs, childCpuMs, samples, newConnections, commands } = cost;
  const ms = roundMs(t - startMs);
  const samplesPerSecond = ms > 0 ? Math.round((samples * 10_000) / ms) / 10 : 0;
  return { ms, cpuMs, childCpuMs: childCpuMs ?? null, samples, samplesPerSecond, newConnections, commands };
}
