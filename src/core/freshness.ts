import type { PlannedProbe } from './plan.ts';
import type { Sample } from './sample.ts';

/**
 * How long a sample is taken for the present state, ms from its sending: three intervals and a time-out. The drill, the live
 * view, and the analysis use the same limit.
 */
export function staleAfterMs({
  probe: { intervalMs, timeoutMs },
}: {
  readonly probe: Pick<PlannedProbe, 'intervalMs' | 'timeoutMs'>;
}): number {
  return 3 * intervalMs + timeoutMs;
}

/** Whether a sample still says what is so at `nowMs` on the run clock, however late its answer came. */
export function isFresh(
  probe: Pick<PlannedProbe, 'intervalMs' | 'timeoutMs'>,
  { sendMs }: Pick<Sample, 'sendMs'>,
  nowMs: number,
): boolean {
  return nowMs - sendMs <= staleAfterMs({ probe });
}
