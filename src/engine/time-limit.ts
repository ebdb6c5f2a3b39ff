import type { Clock } from '../core/clock.ts';
import type { DurationMs } from '../core/time.ts';

/** A signal that aborts at a time on the clock, or with another signal. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  /** True once the time is over; false if the other signal came first. */
  isOver(): boolean;
  /** Ends the wait. Call it when the limited work has ended. */
  end(): void;
}

/** Limits work to `ms` on the clock. `reason` is the signal's reason then. */
export function limitTime(clock: Clock, ms: DurationMs, reason: Error, outer?: AbortSignal): TimeLimit {
  const limit = new AbortController();
  const ended = new AbortController();
  void clock.sleep(ms, ended.signal).then(
    // Replies that arrived while this thread was busy are read before the limit takes effect.
    () => setImmediate(() => limit.abort(reason)),
    () => undefined,
  );
  // A listener that `end` removes: AbortSignal.any would keep each limit until the outer signal ends.
  const onOuter = (): void => limit.abort(outer?.reason);
  outer?.addEventListener('abort', onOuter, { once: true });
  if (outer?.aborted === true) onOuter();
  return {
    signal: limit.signal,
    isOver: () => limit.signal.aborted && limit.signal.reason === reason,
    end: () => {
      ended.abort();
      outer?.removeEventListener('abort', onOuter);
    },
  };
}
