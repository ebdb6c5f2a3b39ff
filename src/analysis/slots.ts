import { type DurationMs, earliest, type RunMs, runMs } from '../core/time.ts';

/** Consecutive slots of one probe without a sample or `sample.dropped` event in the log. */
export interface LostSlots {
  readonly count: number;
  /**
   * When the slot before them and the slot after them were due, ms. The missing slots were due in
   * between.
   */
  readonly fromMs: RunMs;
  readonly toMs: RunMs;
}

interface Gap {
  /** First and last missing slot number. */
  from: number;
  to: number;
  fromMs: RunMs;
  toMs: RunMs;
}

/** Time for the engine's own work after a timeout, ms. Then a sample must be in the log. */
const graceMs = 1000;
/**
 * Most gaps that are stored; further gaps are merged into the last one. It bounds the memory for logs
 * with alternating slots.
 */
const mostGaps = 10_000;

/**
 * Finds slots that are missing from a log. A probe's slots have consecutive numbers, and each becomes a sample or a
 * `sample.dropped` event. Samples are logged in the order of their answers, so a number may be missing while its sample is in
 * flight. Repeated numbers are ignored. Slots before the first one in the log are not reported: their due times are unknown.
 */
export class SlotTracker {
  readonly #timeoutMs: number;
  readonly #gaps: Gap[] = [];
  #highest = -1;
  #highestDueMs = runMs(0);

  constructor(timeoutMs: DurationMs) {
    this.#timeoutMs = timeoutMs;
  }

  /** Records a slot that is in the log. */
  note(slot: number, dueMs: RunMs): void {
    if (slot === this.#highest + 1 || (this.#highest < 0 && slot >= 0)) {
      this.#highest = slot;
      this.#highestDueMs = dueMs;
      return;
    }
    if (slot <= this.#highest) return this.#fill(slot, dueMs);
    this.#open({ from: this.#highest + 1, to: slot - 1, fromMs: this.#highestDueMs, toMs: dueMs });
    this.#highest = slot;
    this.#highestDueMs = dueMs;
  }

  /** Slots that are certainly lost at that time of the log, in the order of their numbers. */
  lostBy(nowMs: RunMs): readonly LostSlots[] {
    const lastMs = nowMs - this.#timeoutMs - graceMs;
    return this.#gaps.flatMap(({ from, to, fromMs, toMs }) =>
      toMs < lastMs ? [{ count: to - from + 1, fromMs: earliest(fromMs, toMs), toMs }] : [],
    );
  }

  #open(gap: Gap): void {
    const last = this.#gaps.at(-1);
    if (last !== undefined && this.#gaps.length >= mostGaps) {
      last.to = gap.to;
      last.toMs = gap.toMs;
    } else this.#gaps.push(gap);
  }

  /** Searches from the end: a sample in flight is only a few slots late. */
  #fill(slot: number, dueMs: RunMs): void {
    const index = this.#gaps.findLastIndex(({ from }) => from <= slot);
    const gap = this.#gaps[index];
    if (gap === undefined || gap.to < slot) return;
    const before = { ...gap, to: slot - 1, toMs: dueMs };
    const after = { ...gap, from: slot + 1, fromMs: dueMs };
    this.#gaps.splice(index, 1, ...[before, after].filter(({ from, to }) => from <= to));
  }
}
