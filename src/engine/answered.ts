import type { PlannedProbe } from '../core/plan.ts';

/** An answer is on record at most this long after its time-out: the way from the prober's thread takes a moment. */
const deliveryMs = 100;

/** Until when all that a probe sent has been answered. */
export interface Answered {
  /** A slot has its sample, sent at `sendMs` on the run clock; without it, the slot was not sent. */
  note(probeId: string, slot: number, sendMs?: number): void;
  /**
   * The latest moment such that every sample sent before it is answered, ms on the run clock. What was sent more than one
   * time-out ago counts as answered.
   */
  untilMs(probeId: string, nowMs: number): number;
}

/** What is known of one instance. */
interface Sent {
  /** All slots below it are over. */
  next: number;
  /** When the latest of those that were sent was. */
  untilMs: number;
  /** Slots from `next` on that are over. */
  readonly early: Map<number, number | undefined>;
}

/** Follows the slots of these instances, each from slot 0 on. */
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
