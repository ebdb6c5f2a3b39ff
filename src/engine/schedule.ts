/** The timer functions of the runtime, or of a test. */
export interface Timers {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** Why a slot was not sent: the cap on what is in flight, or the pace of the answers. */
export type DropReason = 'in-flight' | 'pace';

/** What a schedule sends, and when. */
export interface ScheduleOptions {
  /** Reads the run clock, ms. */
  readonly nowMs: () => number;
  readonly timers: Timers;
  readonly intervalMs: number;
  /** Time-out of one sample: bounds how many can be in flight. */
  readonly timeoutMs: number;
  /**
   * Place of this schedule in its interval, in [0, 1): keeps many probes of one
   * interval from being sent in the same millisecond.
   */
  readonly phase: number;
  /**
   * Sends a slot. Calls `answered` with the time that the target took, where it answered at all. Settles when the sample is
   * really over, which for one that was given up may be long after its time-out; never rejects. Called synchronously at
   * the send time.
   */
  readonly send: (slot: number, dueMs: number, answered: (tookMs: number) => void) => Promise<void>;
  /** True while the probe can take no other sample: the slot is dropped, as one that the target's pace leaves out. */
  readonly isBusy?: () => boolean;
  /** Called for a slot that was not sent. */
  readonly drop: (slot: number, dueMs: number, reason: DropReason) => void;
}

/** A running schedule. */
export interface Schedule {
  /** From now on slots are due every `ms`; slot numbers go on. */
  setIntervalMs(ms: number): void;
  /** No slot is sent any more. Samples in flight go on. */
  stop(): void;
}

/** In flight beyond what the time-out itself needs: one whose end comes a little late, and one more. */
const spareInFlight = 2;
/** The pace is the median of so many answers. */
const pacedBy = 9;

/**
 * An open-loop schedule: slot i is due at `start + phase * interval + i * interval`
 * on an absolute grid, whatever became of the slots before it. So a target that
 * hangs delays no later sample, and timer error does not add up.
 *
 * A slot that comes late (the process was stalled) is still sent, and its real
 * send time counts. Slots that are not sent are reported. With T the time-out and
 * I the interval, at every moment:
 *
 * 1. At most `ceil(T / I) + 2` samples of the current interval are in flight. A target that never answers needs the
 *    first part; a sample is in flight until it is really over, not only until it was given up.
 * 2. At most `ceil(T / shortest I so far) + 2` samples are in flight in all. A change of interval starts a new segment of
 *    the grid with a cap of its own: after a burst, its slow samples would otherwise use up the small cap of the long
 *    interval.
 * 3. With M the median of the last nine answers, slots that are sent are at least `M - I` apart by their due times: a
 *    target that answers more slowly is asked less often, and at most three of its samples answer at a time. Closer ones
 *    would sharpen nothing, for an answer that takes M says only that the target was up at some moment of M. Time-outs are no
 *    answers and leave M as it is. During an outage samples are sent at the pace of the last nine answers: every slot where
 *    `M <= 2 * I`, and no more samples than before where the target answered slowly until it hung.
 */
export function startSchedule(options: ScheduleOptions): Schedule {
  const { nowMs, timers, send, drop } = options;
  let slot = 0;
  let segment = newSegment(options, nowMs() + options.phase * options.intervalMs, slot, options.intervalMs);
  let inFlight = 0;
  let mostInFlight = segment.cap;
  let lastDueMs = -Infinity;
  const answers: number[] = [];
  let timer: unknown;
  let stopped = false;

  const arm = (): void => {
    if (stopped) return;
    timers.clearTimeout(timer);
    // Rounded up: a timer has whole milliseconds, and a slot is never sent early.
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

  const reasonToDrop = (due: number): DropReason | undefined => {
    if (segment.inFlight >= segment.cap || inFlight >= mostInFlight) return 'in-flight';
    if (options.isBusy?.() === true) return 'pace';
    // Half a millisecond: sums of an interval that is no whole number of ms.
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
    const answered = (tookMs: number): void => {
      if (answers.push(tookMs) > pacedBy) answers.shift();
    };
    // A rejection is a defect of the sender: it is left to the process's own handler, which ends the run.
    void send(number, due, answered).finally(over);
  };

  arm();
  return {
    setIntervalMs: (intervalMs) => {
      if (stopped || intervalMs === segment.intervalMs) return;
      const staggered = nowMs() + options.phase * intervalMs;
      // A shorter interval must not put off the slot that is due next.
      const base = intervalMs < segment.intervalMs ? Math.min(staggered, dueMs(segment, slot)) : staggered;
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
  readonly baseMs: number;
  readonly firstSlot: number;
  readonly intervalMs: number;
  readonly cap: number;
  inFlight: number;
}

function newSegment(
  options: ScheduleOptions,
  baseMs: number,
  firstSlot: number,
  intervalMs: number,
): Segment {
  const cap = Math.ceil(options.timeoutMs / intervalMs) + spareInFlight;
  return { baseMs, firstSlot, intervalMs, cap, inFlight: 0 };
}

function dueMs(segment: Segment, slot: number): number {
  return segment.baseMs + (slot - segment.firstSlot) * segment.intervalMs;
}

/** The middle of some times, the lower one of two; 0 without any. */
function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor((times.length - 1) / 2)] ?? 0;
}
