/** The timer functions of the runtime, or of a test. */
export interface Timers {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** What a schedule sends, and when. */
export interface ScheduleOptions {
  /** Reads the run clock, ms. */
  readonly nowMs: () => number;
  readonly timers: Timers;
  readonly intervalMs: number;
  /** Time-out of one look: bounds how many can be under way. */
  readonly timeoutMs: number;
  /**
   * Place of this schedule in its interval, in [0, 1): keeps many probes of one
   * interval from being sent in the same millisecond.
   */
  readonly phase: number;
  /** Sends a slot. Settles when the look is over; never rejects. Called synchronously at the send time. */
  readonly send: (slot: number, dueMs: number) => Promise<void>;
  /** Called for a slot that was not sent because too many were under way. */
  readonly drop: (slot: number, dueMs: number) => void;
}

/** A running schedule. */
export interface Schedule {
  /** From now on slots are due every `ms`; slot numbers go on. */
  setIntervalMs(ms: number): void;
  /** No slot is sent any more. Looks under way go on. */
  stop(): void;
}

/**
 * An open-loop schedule: slot i is due at `start + phase * interval + i * interval`
 * on an absolute grid, whatever became of the slots before it. So a target that
 * hangs delays no later look, and timer error does not add up.
 *
 * A slot that comes late (the process was stalled) is still sent, and its real
 * send time counts. Looks under way are capped at `ceil(timeout / interval) + 1`,
 * which only a prober that can't keep up reaches; slots beyond are reported as dropped.
 *
 * A change of interval starts a new segment of the grid. The cap counts each
 * segment's own looks: after a burst, its slow looks would otherwise use up the
 * small cap of the long interval.
 */
export function startSchedule(options: ScheduleOptions): Schedule {
  const { nowMs, timers, send, drop } = options;
  let slot = 0;
  let segment = newSegment(options, nowMs() + options.phase * options.intervalMs, slot, options.intervalMs);
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

  const sendNext = (): void => {
    const current = segment;
    const due = dueMs(current, slot);
    const number = slot++;
    if (current.inFlight >= current.cap) {
      drop(number, due);
      return;
    }
    current.inFlight++;
    const over = (): void => void current.inFlight--;
    send(number, due).then(over, over);
  };

  arm();
  return {
    setIntervalMs: (intervalMs) => {
      if (stopped || intervalMs === segment.intervalMs) return;
      const staggered = nowMs() + options.phase * intervalMs;
      // A shorter interval must not put off the slot that is due next.
      const base = intervalMs < segment.intervalMs ? Math.min(staggered, dueMs(segment, slot)) : staggered;
      segment = newSegment(options, base, slot, intervalMs);
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
  return { baseMs, firstSlot, intervalMs, cap: Math.ceil(options.timeoutMs / intervalMs) + 1, inFlight: 0 };
}

function dueMs(segment: Segment, slot: number): number {
  return segment.baseMs + (slot - segment.firstSlot) * segment.intervalMs;
}
