import type { PlannedProbe } from './plan.ts';
import type { Sample } from './sample.ts';

/** The canary's id in the log's samples. No probe of a target file can have it: the colon is no part of a name. */
export const canaryId = 'firedrill:canary';

/**
 * A look at the canary that took longer than this share of its time-out (the shortest of the plan's probes) is bad. A
 * look at a stack passes a balancer, a service and a database: where each is held up so long, it times out. Measured on 2
 * cores: quiet at most 60 ms, beside 16 busy processes 114 ms, beside 40 218 ms; the default time-out gives 300 ms.
 */
const slowShare = 1 / 3;

/** How long a good look at the canary may take, ms. */
export function canaryLimitMs({ timeoutMs }: Pick<PlannedProbe, 'timeoutMs'>): number {
  return Math.round(timeoutMs * slowShare);
}

/** Whether the canary answered, and in time: what other probes saw just then is what there was. */
export function isGoodLook(
  canary: Pick<PlannedProbe, 'timeoutMs'>,
  { status, sendMs, finishMs }: Pick<Sample, 'status' | 'sendMs' | 'finishMs'>,
): boolean {
  return status === 'ok' && finishMs - sendMs <= canaryLimitMs(canary);
}
