import type { ProbeId } from '../core/ids.ts';
import type { PlannedProbe } from '../core/plan.ts';
import { distantPast, earlier, latest, type RunMs } from '../core/time.ts';

/**
 * Longest time from a sample's timeout until the sample is recorded: it crosses from the prober's thread,
 * ms.
 */
const deliveryMs = 100;

/** For each probe instance, the moment up to which every sent sample is answered. */
export interface Answered {
  /** Records that a slot is finished. `sendMs`: when it was sent, run clock; undefined: it was not sent. */
  note(probeId: ProbeId, slot: number, sendMs?: RunMs): void;
  /**
   * The latest moment such that every sample sent before it is answered, ms on the run clock. A sample that
   * was sent more than one timeout ago counts as answered.
   */
  untilMs(probeId: ProbeId, nowMs: RunMs): RunMs;
}

/** Progress of one probe instance. */
interface Sent {
  /** All slots below it are finished. */
  next: number;
  /** Latest send time of the slots below `next`, ms on the run clock. */
  untilMs: RunMs;
  /** Finished slots at or above `next`, with their send times. */
  readonly early: Map<number, RunMs | undefined>;
}

/** Tracks the slots of these instances, each from slot 0. */
export function followAnswers(probes: readonly Pick<PlannedProbe, 'id' | 'timeoutMs'>[]): Answered {
  const sent = new Map<ProbeId, Sent>();
  const timeouts = new Map(probes.map(({ id, timeoutMs }) => [id, timeoutMs]));
  return {
    note(probeId, slot, sendMs) {
      const known = sent.get(probeId) ?? { next: 0, untilMs: distantPast, early: new Map() };
      sent.set(probeId, known);
      known.early.set(slot, sendMs);
      while (known.early.has(known.next)) {
        known.untilMs = latest(known.untilMs, known.early.get(known.next) ?? distantPast);
        known.early.delete(known.next++);
      }
    },
    untilMs(probeId, nowMs) {
      const latestMs = sent.get(probeId)?.untilMs ?? distantPast;
      return latest(latestMs, earlier(earlier(nowMs, timeouts.get(probeId) ?? 0), deliveryMs));
    },
  };
}
