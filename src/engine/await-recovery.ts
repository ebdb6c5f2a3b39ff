import type { Sample } from '../core/sample.ts';
import { distantPast, earlier, later, latest, type RunMs } from '../core/time.ts';
import { recoveryProbe } from './recovery-probe.ts';
import type { RunState } from './run-state.ts';
import type { Timeline } from './timeline.ts';
import type { GateOutcome } from './state-observer.ts';

/**
 * If no sample fails after the fault, the wait ends after this time, ms. `recovery.quietForMs` of the plan
 * overrides it.
 */
const defaultQuietForMs = 15_000;

/** The part of a run that the wait needs. */
export type Recovering = Pick<RunState, 'plan' | 'clock' | 'observer' | 'hostByFault' | 'signal'>;

/**
 * Waits until the recovery probe has been good for `stableForMs` after a bad sample, or stayed good
 * throughout. The good period ends at a moment before which every sample is answered, so a failed sample
 * counts even if it arrives late.
 *
 * While a fault with its own duration acts, no recovery is final. The wait goes on until every sample sent
 * before the fault's end is answered. If `within` is over by then, the wait ends as soon as a sample shows
 * that the service is down.
 */
export async function awaitRecovery(run: Recovering, faults: Pick<Timeline, 'isOver'>): Promise<GateOutcome> {
  const { plan, clock, observer } = run;
  const start = clock.nowMs();
  const deadline = later(start, plan.recovery.withinMs);
  const id = recoveryProbe(run);
  const streak = goodStreak(earlier(start, plan.recovery.stableForMs));
  const now = observer.latest(id);
  if (now !== undefined) streak.take(now);
  const end = observer.follow((sample) => {
    if (sample.probe === id) streak.take(sample);
  });
  let overMs: RunMs | undefined;
  try {
    for (;;) {
      const nowMs = clock.nowMs();
      if (faults.isOver) overMs ??= nowMs;
      if (observer.latest(id) === undefined) streak.startAgain();
      const { sinceMs } = streak;
      const answeredMs = observer.answeredUntilMs([id]);
      const isFinal = overMs !== undefined && answeredMs >= overMs;
      const settled = streak.wasBad || nowMs - start >= (plan.recovery.quietForMs ?? defaultQuietForMs);
      const stableMs = sinceMs === undefined ? -Infinity : answeredMs - latest(sinceMs, start);
      if (isFinal && settled && stableMs >= plan.recovery.stableForMs) return { met: true, unmet: [] };
      if (nowMs >= deadline && (isFinal || streak.isDown)) break;
      await observer.nextSample(100, run.signal);
    }
  } finally {
    end();
  }
  const sample = observer.latest(id);
  const seen =
    sample === undefined
      ? 'no fresh answer'
      : [sample.status, sample.cause, sample.message].filter(Boolean).join(' ');
  return { met: false, unmet: [`${id}: ${seen}`] };
}

/** Consecutive good samples of one probe, in send order. */
interface GoodStreak {
  /** When the first of them was answered; undefined while the latest known sample is bad. */
  readonly sinceMs: RunMs | undefined;
  /** At least one sample failed. */
  readonly wasBad: boolean;
  /** The latest sample in send order that is not unknown failed. */
  readonly isDown: boolean;
  take(sample: Sample): void;
  startAgain(): void;
}

/** Samples sent before `fromMs` do not count. */
function goodStreak(fromMs: RunMs): GoodStreak {
  let first: Sample | undefined;
  let badSentMs = distantPast;
  let wasBad = false;
  let last: Sample | undefined;
  return {
    get sinceMs() {
      return first?.finishMs;
    },
    get wasBad() {
      return wasBad;
    },
    get isDown() {
      return last?.status === 'fail';
    },
    take(sample) {
      if (sample.sendMs < fromMs) return;
      if (sample.status !== 'unknown' && sample.sendMs >= (last?.sendMs ?? distantPast)) last = sample;
      if (sample.status === 'ok') {
        if (sample.sendMs > badSentMs) first ??= sample;
        return;
      }
      badSentMs = latest(badSentMs, sample.sendMs);
      if (sample.status === 'fail') wasBad = true;
      // A timeout shows that the service was down from its send time on. It does not contradict samples that
      // were sent later.
      const isBefore = sample.cause === 'timeout' && first !== undefined && sample.sendMs < first.sendMs;
      if (!isBefore) first = undefined;
    },
    startAgain() {
      first = undefined;
    },
  };
}
