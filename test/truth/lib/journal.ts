import { roundMs } from '../../../src/core/clock.ts';
import type { SimulatedTime } from './simulated-time.ts';

/** A line of a host's journal that means something. */
export interface Line {
  readonly name: string;
  readonly value?: string;
  /** The host that it is about, where it is not the journal's own. */
  readonly host?: string;
}

/** A line that was written. */
export interface WrittenLine extends Line {
  /** ms on the run clock, which the host's agrees with. */
  readonly atMs: number;
  /** A look of the probe has given it. */
  isRead: boolean;
}

/** A host's journal, and how much of it was read. */
export class Journal {
  readonly #time: SimulatedTime;
  readonly #lines: WrittenLine[] = [];

  constructor(time: SimulatedTime) {
    this.#time = time;
  }

  get lines(): readonly WrittenLine[] {
    return this.#lines;
  }

  /** Writes a line now. */
  write(line: Line): void {
    this.#lines.push({ ...line, atMs: roundMs(this.#time.nowMs()), isRead: false });
  }

  /** What was written up to a moment and not read before: each line is read once, however many looks fail in between. */
  readUntil(ms: number): readonly WrittenLine[] {
    const found = this.#lines.filter((line) => !line.isRead && line.atMs <= ms);
    for (const line of found) line.isRead = true;
    return found;
  }
}
