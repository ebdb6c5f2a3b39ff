import { roundMs } from '../core/clock.ts';
import type { HarnessSummary } from '../core/summary.ts';
import type { DrillEvent } from '../core/event.ts';

/** What firedrill itself cost, by the last that the log has of it. */
export function harnessSummary(
  cost: Extract<DrillEvent, { type: 'harness.cost' }>,
  startMs: number,
): HarnessSummary {
  const { t, cpuMs, childCpuMs, samples, newConnections, commands } = cost;
  const ms = roundMs(t - startMs);
  const samplesPerSecond = ms > 0 ? Math.round((samples * 10_000) / ms) / 10 : 0;
  return { ms, cpuMs, childCpuMs: childCpuMs ?? null, samples, samplesPerSecond, newConnections, commands };
}
