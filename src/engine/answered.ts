import type { PlannedProbe } from '../core/plan.ts';

/**
 * Longest time from a sample's timeout until the sample is recorded: it crosses from the prober's thread,
 * ms.
 */
const deliveryMs = 100;

/** For each probe instance, the moment up to which every sent sample is answered. */
export interface Answered {
  /** Records that a slot is finished. `sendMs`: when it was sent, run clock; undefined: it was not sent. */
  note(probeId: string, slot: number, sendMs?: number): void;
  /**
   * The latest moment such that every sample sent before it is answered, ms on the run clock. A sample that
   * was sent more than one timeout ago counts as answered.
   */
  untilMs(probeId: string, nowMs: number): number;
}

/** Progress of one probe instance. */
interface Sent {
  /** All slots below it are finished. */
  next: number;
  /** Latest send time of the slots below `next`, ms on the run clock. */
  untilMs: number;
  /** Finished slots at or above `next`, with their send times. */
  readonly early: Map<number, number | undefined>;
}

/** Tracks the slots of these instances, each from slot 0. */
export function followAnswers(probes: readonly Pick<PlannedProbe, 'id' | 'timeoutMs'>[]): Answered {
  const sent = new Map<string, Sent>();
  const timeouts = new Map(probes.map(({ id, timeoutMs }) => [id, timeoutMs]));
  return {
    note(probeId, slot, sendMs) {
      const known = sent.get(probeId) ?? { next: 0, untilMs: -Infinity, early: new Map() };
      sent.set(probeId, known);
      known.early.set(slot, sendMs);
      while (known.early.has(known.next)) {
        known.untilMs = Math.max(known.untilMs, known.early.get(known.next) ?? -Infinity);
        known.early.delete(known.next++);
      }
    },
    untilMs(probeId, nowMs) {
      const latestMs = sent.get(probeId)?.untilMs ?? -Infinity;
      return Math.max(latestMs, nowMs - (timeouts.get(probeId) ?? 0) - deliveryMs);
    },
  };
}
