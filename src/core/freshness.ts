import type { PlannedProbe } from './plan.ts';
import type { Sample } from './sample.ts';
import type { DurationMs, RunMs } from './time.ts';

/**
 * How long after its send time a sample counts as the present state, ms: three intervals and one timeout.
 * The drill, the live view, and the analysis use the same limit.
 */
export function staleAfterMs({
  probe: { intervalMs, timeoutMs },
}: {
  readonly probe: Pick<PlannedProbe, 'intervalMs' | 'timeoutMs'>;
}): DurationMs {
  return 3 * intervalMs + timeoutMs;
}

/** Whether a sample counts as the present state at `nowMs` on the run clock, by its send time. */
export function isFresh(
  probe: Pick<PlannedProbe, 'intervalMs' | 'timeoutMs'>,
  { sendMs }: Pick<Sample, 'sendMs'>,
  nowMs: RunMs,
): boolean {
  return nowMs - sendMs <= staleAfterMs({ probe });
}
