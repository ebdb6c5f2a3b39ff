import type { PlannedProbe } from './plan.ts';
import type { Sample } from './sample.ts';
import type { DurationMs } from './time.ts';

/**
 * The control probe's id in the samples of 0.1 logs. No probe of a target file can have it, because names
 * cannot contain a colon.
 */
// vocabulary: "canary" the name in 0.1.0
export const controlProbeId = 'firedrill:canary';

/**
 * A control probe's sample that took longer than this share of its timeout (the shortest of the plan's
 * probes) is bad. A sample of a stack passes a load balancer, a service, and a database. If each is delayed
 * this long, the sample times out. Measured on 2 cores: at most 60 ms at rest, 114 ms next to 16 busy
 * processes, 218 ms next to 40. The default timeout gives a limit of 300 ms.
 */
const slowShare = 1 / 3;

/** Longest time of a good sample of the control probe, ms. */
export function controlProbeLimitMs({ timeoutMs }: Pick<PlannedProbe, 'timeoutMs'>): DurationMs {
  return Math.round(timeoutMs * slowShare);
}

/** Whether the control probe got its answer in time, so that the prober's machine was not overloaded then. */
export function isGoodControlSample(
  controlProbe: Pick<PlannedProbe, 'timeoutMs'>,
  { status, sendMs, finishMs }: Pick<Sample, 'status' | 'sendMs' | 'finishMs'>,
): boolean {
  return status === 'ok' && finishMs - sendMs <= controlProbeLimitMs(controlProbe);
}
