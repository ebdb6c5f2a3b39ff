import { roundMs } from '../../../src/core/clock.ts';
import type { SimulatedTime } from './simulated-time.ts';

/** A relevant line of a host's journal. */
export interface Line {
  readonly name: string;
  readonly value?: string;
  /** The host that the line is about, if it is not the journal's own. */
  readonly host?: string;
}

/** A written line. */
export interface WrittenLine extends Line {
  /** Time of the line, ms on the run clock, which is in sync with the host's clock. */
  readonly atMs: number;
  /** Whether the probe has read it. */
  isRead: boolean;
}

/** A host's journal with its read position. */
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

  /** The unread lines up to a moment. Each line is read once, even if attempts fail in between. */
  readUntil(ms: number): readonly WrittenLine[] {
    const found = this.#lines.filter((line) => !line.isRead && line.atMs <= ms);
    for (const line of found) line.isRead = true;
    return found;
  }
}
