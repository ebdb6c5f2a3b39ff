import { distantPast, type DurationMs, earliest, later, type RunMs } from '../core/time.ts';

/** The timer functions of the runtime, or of a test. */
export interface Timers {
  setTimeout(callback: () => void, ms: DurationMs): unknown;
  clearTimeout(handle: unknown): void;
}

/** Why a slot was not sent: too many samples in flight, or the target's pace. */
export type DropReason = 'in-flight' | 'pace';

/** Inputs of a schedule. */
export interface ScheduleOptions {
  /** Reads the run clock, ms. */
  readonly nowMs: () => RunMs;
  readonly timers: Timers;
  readonly intervalMs: DurationMs;
  /** Timeout of one sample, ms: it bounds the number of samples in flight. */
  readonly timeoutMs: DurationMs;
  /**
   * Offset of this schedule within its interval, in [0, 1), so that probes with the same interval are not
   * sent in the same millisecond.
   */
  readonly phase: number;
  /**
   * Sends a slot, synchronously at the send time. Calls `answered` with the target's answer time if it
   * answers. Settles when the sample has really ended, which may be long after its timeout; never rejects.
   */
  readonly send: (slot: number, dueMs: RunMs, answered: (tookMs: DurationMs) => void) => Promise<void>;
  /** True while the probe can take no other sample: then the slot is dropped with the reason `pace`. */
  readonly isBusy?: () => boolean;
  /** Called for a slot that was not sent. */
  readonly drop: (slot: number, dueMs: RunMs, reason: DropReason) => void;
}

/** A running schedule. */
export interface Schedule {
  /** Sets the interval from now on; slot numbers continue. */
  setIntervalMs(ms: DurationMs): void;
  /** Stops sending. Samples in flight continue. */
  stop(): void;
}

/** Samples in flight beyond those that the timeout needs: one that ends a little late, and one more. */
const spareInFlight = 2;
/** Number of answers whose median is the pace. */
const pacedBy = 9;

/**
 * An open-loop schedule: slot i is due at `start + phase * interval + i * interval` on an absolute grid,
 * independent of earlier slots. So a target that hangs delays no later sample, and timer errors do not add
 * up.
 *
 * A slot that comes late (the process was stalled) is still sent, and its real send time is recorded. Dropped
 * slots are reported. With timeout T and interval I, these invariants hold at every moment:
 *
 * 1. At most `ceil(T / I) + 2` samples of the current interval are in flight. A target that never answers
 *    needs the first term. A sample is in flight until it has really ended, not only until its timeout.
 * 2. At most `ceil(T / shortest I so far) + 2` samples are in flight in total. A change of the interval
 *    starts a new segment of the grid with its own cap. Otherwise slow samples of a burst would use up the
 *    small cap of the long interval.
 * 3. With M the median of the last nine answer times, the due times of sent slots are at least `M - I` apart.
 *    So a slow target is sampled less often, and at most three of its samples are being answered at a time.
 *    Closer samples would not be more precise: an answer that takes M shows only that the target was up at
 *    some moment of M. Timeouts are not answers and do not change M. During an outage the pace of the last
 *    nine answers stays: every slot is sent if `M <= 2 * I`, and otherwise no more samples than before the
 *    outage.
 */
export function startSchedule(options: ScheduleOptions): Schedule {
  const { nowMs, timers, send, drop } = options;
  let slot = 0;
  let segment = newSegment(
    options,
    later(nowMs(), options.phase * options.intervalMs),
    slot,
    options.intervalMs,
  );
  let inFlight = 0;
  let mostInFlight = segment.cap;
  let lastDueMs = distantPast;
  const answers: number[] = [];
  let timer: unknown;
  let stopped = false;

  const arm = (): void => {
    if (stopped) return;
    timers.clearTimeout(timer);
    // Rounded up: timers take whole milliseconds, and a slot is never sent early.
    const delayMs = Math.max(0, Math.ceil(dueMs(segment, slot) - nowMs()));
    timer = timers.setTimeout(fire, Math.min(delayMs, 2 ** 31 - 1));
  };

  const fire = (): void => {
    while (dueMs(segment, slot) <= nowMs()) {
      if (stopped) return;
      sendNext();
    }
    arm();
  };

  const reasonToDrop = (due: RunMs): DropReason | undefined => {
    if (segment.inFlight >= segment.cap || inFlight >= mostInFlight) return 'in-flight';
    if (options.isBusy?.() === true) return 'pace';
    // The tolerance of 0.5 ms covers sums of an interval that is not a whole number of ms.
    return due - lastDueMs < median(answers) - segment.intervalMs - 0.5 ? 'pace' : undefined;
  };

  const sendNext = (): void => {
    const current = segment;
    const due = dueMs(current, slot);
    const number = slot++;
    const reason = reasonToDrop(due);
    if (reason !== undefined) {
      drop(number, due, reason);
      return;
    }
    lastDueMs = due;
    current.inFlight++;
    inFlight++;
    const over = (): void => {
      current.inFlight--;
      inFlight--;
    };
    const answered = (tookMs: DurationMs): void => {
      if (answers.push(tookMs) > pacedBy) answers.shift();
    };
    // A rejection is a defect of the sender: the process's own handler ends the run.
    void send(number, due, answered).finally(over);
  };

  arm();
  return {
    setIntervalMs: (intervalMs) => {
      if (stopped || intervalMs === segment.intervalMs) return;
      const staggered = later(nowMs(), options.phase * intervalMs);
      // A shorter interval must not delay the slot that is due next.
      const base = intervalMs < segment.intervalMs ? earliest(staggered, dueMs(segment, slot)) : staggered;
      segment = newSegment(options, base, slot, intervalMs);
      mostInFlight = Math.max(mostInFlight, segment.cap);
      arm();
    },
    stop: () => {
      stopped = true;
      timers.clearTimeout(timer);
    },
  };
}

/** A stretch of the grid with one interval. */
interface Segment {
  readonly baseMs: RunMs;
  readonly firstSlot: number;
  readonly intervalMs: DurationMs;
  readonly cap: number;
  inFlight: number;
}

function newSegment(
  options: ScheduleOptions,
  baseMs: RunMs,
  firstSlot: number,
  intervalMs: DurationMs,
): Segment {
  const cap = Math.ceil(options.timeoutMs / intervalMs) + spareInFlight;
  return { baseMs, firstSlot, intervalMs, cap, inFlight: 0 };
}

function dueMs(segment: Segment, slot: number): RunMs {
  return later(segment.baseMs, (slot - segment.firstSlot) * segment.intervalMs);
}

/** The median, the lower one of two; 0 without values. */
function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor((times.length - 1) / 2)] ?? 0;
}
