/** Slots of one probe of which the log has neither a sample nor that it was dropped. */
export interface LostSlots {
  readonly count: number;
  /** When the slot before them was due, and the slot after them, ms: they were due in between. */
  readonly fromMs: number;
  readonly toMs: number;
}

interface Gap {
  /** Slot numbers, both missing. */
  from: number;
  to: number;
  fromMs: number;
  toMs: number;
}

/** After the time-out, a sample has come by then: the engine's own work on it, ms. */
const graceMs = 1000;
/** More gaps than this are one from there on: what a log of alternate slots has is no memory's worth. */
const mostGaps = 10_000;

/**
 * Finds slots that a log does not speak of. A probe's slots are numbered without a gap, and each becomes a sample or a
 * `sample.dropped`; samples come in the order of their answers, so that a number is missing for as long as its sample may be in
 * flight. Numbers that come again are passed over. Slots before the first one that is there are not missed: nothing tells when they
 * were due.
 */
export class SlotTracker {
  readonly #timeoutMs: number;
  readonly #gaps: Gap[] = [];
  #highest = -1;
  #highestDueMs = 0;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** The log has this slot. */
  note(slot: number, dueMs: number): void {
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

  /** Slots that are lost by that moment of the log, in the order of their numbers. */
  lostBy(nowMs: number): readonly LostSlots[] {
    const lastMs = nowMs - this.#timeoutMs - graceMs;
    return this.#gaps.flatMap(({ from, to, fromMs, toMs }) =>
      toMs < lastMs ? [{ count: to - from + 1, fromMs: Math.min(fromMs, toMs), toMs }] : [],
    );
  }

  #open(gap: Gap): void {
    const last = this.#gaps.at(-1);
    if (last !== undefined && this.#gaps.length >= mostGaps) {
      last.to = gap.to;
      last.toMs = gap.toMs;
    } else this.#gaps.push(gap);
  }

  /** Looked for from the end: what is in flight is late by little. */
  #fill(slot: number, dueMs: number): void {
    const index = this.#gaps.findLastIndex(({ from }) => from <= slot);
    const gap = this.#gaps[index];
    if (gap === undefined || gap.to < slot) return;
    const before = { ...gap, to: slot - 1, toMs: dueMs };
    const after = { ...gap, from: slot + 1, fromMs: dueMs };
    this.#gaps.splice(index, 1, ...[before, after].filter(({ from, to }) => from <= to));
  }
}
