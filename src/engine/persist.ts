import type { Clock } from '../core/clock.ts';
import { DrillError, isUnreachable, messageOf } from '../core/errors.ts';
import { durationText, limitText } from '../core/format-duration.ts';
import type { FaultContext } from '../core/fault.ts';
import type { HostName } from '../core/ids.ts';
import { limitTime } from './time-limit.ts';
import { withTimeoutFactor } from './timeout-factor.ts';
import type { DurationMs } from '../core/time.ts';

/** Longest time for a heal or a repair, ms. A starved machine may need most of it. */
export const persistForMs = 15 * 60_000;
/** The first attempt ends after this time, ms; later ones last longer as patience grows. */
const attemptMs = 180_000;
/** Attempts follow each other quickly during this time, ms: most stacks need a few seconds to converge. */
const quickForMs = 30_000;
const quickPauseMs = 500;
const slowPauseMs = 5000;
/** Patience doubles after each attempt without an answer, up to this factor. */
const maxTimeoutFactor = 16;
/**
 * An attempt that failed sooner was refused (no such container, a closed port), ms, so more time would not
 * help. If refusals increased the timeouts, a command that hangs could use up all of the remaining time.
 */
const refusedWithinMs = 1000;
/** Attempts with the same result are reported at most this often, ms. */
const reportEveryMs = 15_000;

/** An attempt that did not prove the work done. */
export interface FailedAttempt {
  /** Counted from 1. */
  readonly attempt: number;
  /**
   * True: the host answered, and the work is not done. False: the host did not answer, so the state is
   * unknown.
   */
  readonly observed: boolean;
  readonly why: string;
  /** Since the start of the first attempt, ms. */
  readonly elapsedMs: DurationMs;
}

/** Result of all attempts. */
export type Persisted =
  | { readonly proven: true }
  | {
      readonly proven: false;
      /** Undefined if the run was stopped before the first attempt ended. */
      readonly last: FailedAttempt | undefined;
      /** When an attempt last got an answer, ms since the start of the first attempt; undefined: never. */
      readonly observedMs: DurationMs | undefined;
      readonly elapsedMs: DurationMs;
      /** `abandon` ended the attempts. */
      readonly abandoned: boolean;
    };

/** The attempt and its limits. */
export interface PersistOptions {
  readonly clock: Clock;
  readonly access: Pick<FaultContext, 'host' | 'server'>;
  /** Longest time for all attempts, ms; default `persistForMs`. */
  readonly withinMs?: DurationMs | undefined;
  /** Ends the attempts at once. */
  readonly abandon?: AbortSignal | undefined;
  /**
   * One attempt: true if the work is proven done. It gets the same context each time. A thrown `heal-failed`
   * is final.
   */
  readonly attempt: (ctx: FaultContext) => Promise<boolean>;
  /** Reason for messages if an attempt returns false. */
  readonly notDone: string;
  /** Called for failed attempts; those with the same result are limited to one per `reportEveryMs`. */
  readonly onFailed?: ((failed: FailedAttempt) => void) | undefined;
}

/**
 * Repeats the attempt until the work is proven done. After an attempt without an answer, the next attempt and
 * each of its commands get twice the time, because the host may be slow. @throws DrillError `heal-failed` if
 * `attempt` does
 */
export async function persist(options: PersistOptions): Promise<Persisted> {
  const { clock, withinMs = persistForMs } = options;
  const abandon = options.abandon ?? new AbortController().signal;
  const startMs = clock.nowMs();
  const leftMs = (): DurationMs => startMs + withinMs - clock.nowMs();
  const report = reporterOf(options);
  let timeoutFactor = 1;
  let signal = abandon;
  const ctx: FaultContext = {
    ...options.access,
    host: withTimeoutFactor(options.access.host, () => timeoutFactor),
    clock,
    get signal() {
      return signal;
    },
  };
  let last: FailedAttempt | undefined;
  let observedMs: DurationMs | undefined;
  while (leftMs() > 0 && !abandon.aborted) {
    const limitMs = Math.min(attemptMs * timeoutFactor, leftMs());
    const late = new DrillError('host-unreachable', `the attempt had no answer within ${limitText(limitMs)}`);
    const limit = limitTime(clock, limitMs, late, abandon);
    signal = limit.signal;
    let why = options.notDone;
    let observed = true;
    const beganMs = clock.nowMs();
    try {
      if (await options.attempt(ctx)) return { proven: true };
    } catch (error) {
      if (error instanceof DrillError && error.code === 'heal-failed') throw error;
      observed = !(signal.aborted || isUnreachable(error));
      why = messageOf(limit.isOver() ? late : error);
    } finally {
      limit.end();
    }
    if (abandon.aborted) break;
    const elapsedMs = clock.nowMs() - startMs;
    if (observed) observedMs = elapsedMs;
    else if (clock.nowMs() - beganMs >= refusedWithinMs)
      timeoutFactor = Math.min(maxTimeoutFactor, timeoutFactor * 2);
    last = { attempt: (last?.attempt ?? 0) + 1, observed, why, elapsedMs };
    report(last);
    const pauseMs = elapsedMs < quickForMs ? quickPauseMs : slowPauseMs;
    await clock.sleep(Math.max(0, Math.min(pauseMs, leftMs())), abandon).catch(() => undefined);
  }
  const elapsedMs = clock.nowMs() - startMs;
  return { proven: false, last, observedMs, elapsedMs, abandoned: abandon.aborted };
}

/**
 * Why the work is not proven, with the number of attempts: `after 12 completed attempts in 15 min 00.0 s: …`.
 */
export function persistedText(result: Extract<Persisted, { proven: false }>, host: HostName): string {
  const { last, observedMs, elapsedMs, abandoned } = result;
  const ended = abandoned ? ', ended by a second Ctrl-C' : '';
  const completed = last?.attempt ?? 0;
  const tried = `after ${completed} completed attempt${completed === 1 ? '' : 's'} in ${durationText(elapsedMs)}${ended}`;
  if (last === undefined) return tried;
  if (last.observed) return `${tried}: ${last.why}`;
  const before =
    observedMs === undefined
      ? ''
      : ` (its last answer came ${durationText(observedMs)} after the first attempt began)`;
  return `${tried}: ${host} could not be checked${before}: ${last.why}`;
}

/** Limits reports: one if the kind of outcome changes, else one per `reportEveryMs`. */
function reporterOf({ clock, onFailed }: PersistOptions): (failed: FailedAttempt) => void {
  // The first failures of a heal that takes a few seconds are not worth a report.
  let reportedMs = clock.nowMs();
  let observed = true;
  return (failed) => {
    if (failed.observed === observed && clock.nowMs() - reportedMs < reportEveryMs) return;
    reportedMs = clock.nowMs();
    observed = failed.observed;
    onFailed?.(failed);
  };
}
