import type { Sample } from '../core/sample.ts';
import { recoveryProbe } from './recovery-probe.ts';
import type { RunState } from './run-state.ts';
import type { Timeline } from './timeline.ts';
import type { GateOutcome } from './world.ts';

/** Without any bad sample after the fault, how long to look before calling it no outage at all, where the plan does not say. */
const quietLookMs = 15_000;

/** What the wait needs of a run. */
export type Recovering = Pick<RunState, 'plan' | 'clock' | 'world' | 'hit' | 'signal'>;

/**
 * Waits until the recovery probe has been good long enough after being bad, or never was bad. "Long enough" ends at a moment
 * before which every sample is answered: a failed one that was sent meanwhile counts, however late it arrives.
 *
 * While a fault with a length of its own acts, no recovery is final: the wait goes on until every sample that was sent
 * before its end is answered. If `within` is over by then, the wait ends as soon as the service is seen down.
 */
export async function awaitRecovery(run: Recovering, faults: Pick<Timeline, 'isOver'>): Promise<GateOutcome> {
  const { plan, clock, world } = run;
  const start = clock.nowMs();
  const deadline = start + plan.recovery.withinMs;
  const id = recoveryProbe(run);
  const streak = goodStreak(start - plan.recovery.stableForMs);
  const now = world.fresh(id);
  if (now !== undefined) streak.take(now);
  const end = world.follow((sample) => {
    if (sample.probe === id) streak.take(sample);
  });
  let overMs: number | undefined;
  try {
    for (;;) {
      const nowMs = clock.nowMs();
      if (faults.isOver) overMs ??= nowMs;
      if (world.fresh(id) === undefined) streak.startAgain();
      const { sinceMs } = streak;
      const answeredMs = world.answeredUntilMs([id]);
      const isFinal = overMs !== undefined && answeredMs >= overMs;
      const settled = streak.wasBad || nowMs - start >= (plan.recovery.quietForMs ?? quietLookMs);
      const stableMs = sinceMs === undefined ? -Infinity : answeredMs - Math.max(sinceMs, start);
      if (isFinal && settled && stableMs >= plan.recovery.stableForMs) return { met: true, unmet: [] };
      if (nowMs >= deadline && (isFinal || streak.isDown)) break;
      await world.nextSample(100, run.signal);
    }
  } finally {
    end();
  }
  const sample = world.fresh(id);
  const seen =
    sample === undefined
      ? 'no fresh answer'
      : [sample.status, sample.cause, sample.message].filter(Boolean).join(' ');
  return { met: false, unmet: [`${id}: ${seen}`] };
}

/** Good samples of one probe without a bad one in between, in the order in which they were sent. */
interface GoodStreak {
  /** When the first of them was answered; undefined while the latest word is a bad one. */
  readonly sinceMs: number | undefined;
  /** A sample has failed. */
  readonly wasBad: boolean;
  /** The latest sample that tells anything, in the order of sending, has failed. */
  readonly isDown: boolean;
  take(sample: Sample): void;
  startAgain(): void;
}

/** Samples sent before `fromMs` do not count. */
function goodStreak(fromMs: number): GoodStreak {
  let first: Sample | undefined;
  let badSentMs = -Infinity;
  let wasBad = false;
  let latest: Sample | undefined;
  return {
    get sinceMs() {
      return first?.finishMs;
    },
    get wasBad() {
      return wasBad;
    },
    get isDown() {
      return latest?.status === 'fail';
    },
    take(sample) {
      if (sample.sendMs < fromMs) return;
      if (sample.status !== 'unknown' && sample.sendMs >= (latest?.sendMs ?? -Infinity)) latest = sample;
      if (sample.status === 'ok') {
        if (sample.sendMs > badSentMs) first ??= sample;
        return;
      }
      badSentMs = Math.max(badSentMs, sample.sendMs);
      if (sample.status === 'fail') wasBad = true;
      // A time-out says "down since it was sent": it leaves what was sent after it alone.
      const isBefore = sample.cause === 'timeout' && first !== undefined && sample.sendMs < first.sendMs;
      if (!isBefore) first = undefined;
    },
    startAgain() {
      first = undefined;
    },
  };
}
