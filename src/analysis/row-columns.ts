import type { RunMs } from '../core/time.ts';
import type { WriteOutcome } from '../core/writer.ts';
import { NumberColumn, sortIndexes } from './number-column.ts';

/** The stored fields of a `row.written` event. Times in ms on the run clock. */
export interface WrittenRow {
  readonly client: number;
  readonly number: number;
  readonly sendMs: RunMs;
  readonly finishMs: RunMs;
  readonly outcome: WriteOutcome;
}

const outcomes: readonly WriteOutcome[] = ['acked', 'refused', 'indeterminate'];

/**
 * The rows that a writer wrote, by their index in the order of the log: 32 bytes per row. Each row has its own times, because
 * only the read-back at the end of the log shows which rows are lost.
 */
export class RowColumns {
  /** Client and outcome, combined in one number. */
  readonly #whose = new NumberColumn();
  readonly #numbers = new NumberColumn();
  readonly #sendsMs = new NumberColumn<RunMs>();
  readonly #finishesMs = new NumberColumn<RunMs>();
  readonly #counts = new Map<WriteOutcome, number>();

  get length(): number {
    return this.#whose.length;
  }

  add({ client, number, sendMs, finishMs, outcome }: WrittenRow): void {
    this.#whose.push(client * outcomes.length + outcomes.indexOf(outcome));
    this.#numbers.push(number);
    this.#sendsMs.push(sendMs);
    this.#finishesMs.push(finishMs);
    this.#counts.set(outcome, this.countOf(outcome) + 1);
  }

  clientOf(row: number): number {
    return Math.floor(this.#whose.at(row) / outcomes.length);
  }

  numberOf(row: number): number {
    return this.#numbers.at(row);
  }

  sendMsOf(row: number): RunMs {
    return this.#sendsMs.at(row);
  }

  finishMsOf(row: number): RunMs {
    return this.#finishesMs.at(row);
  }

  outcomeOf(row: number): WriteOutcome {
    return outcomes[this.#whose.at(row) % outcomes.length] ?? 'indeterminate';
  }

  countOf(outcome: WriteOutcome): number {
    return this.#counts.get(outcome) ?? 0;
  }

  /**
   * The rows for which `take` is true, in send order. Rows with the same send time keep the order of the
   * log.
   */
  inSendOrder(take: (row: number) => boolean = () => true): Uint32Array {
    return sortIndexes(this.#indexes(take), (row) => this.sendMsOf(row));
  }

  /** The rows for which `take` is true, by client and in the order of their numbers. */
  byClient(take: (row: number) => boolean = () => true): ReadonlyMap<number, Uint32Array> {
    const taken = this.#indexes(take);
    const counts = new Map<number, number>();
    for (const row of taken) counts.set(this.clientOf(row), (counts.get(this.clientOf(row)) ?? 0) + 1);
    const lists = new Map([...counts].map(([client, count]) => [client, new Uint32Array(count)]));
    const filled = new Map<number, number>();
    for (const row of taken) {
      const client = this.clientOf(row);
      const at = filled.get(client) ?? 0;
      lists.get(client)?.fill(row, at, at + 1);
      filled.set(client, at + 1);
    }
    for (const list of lists.values()) sortIndexes(list, (row) => this.numberOf(row));
    return lists;
  }

  #indexes(take: (row: number) => boolean): Uint32Array {
    let count = 0;
    const taken = new Uint32Array(this.length);
    for (let row = 0; row < this.length; row++) if (take(row)) taken[count++] = row;
    return taken.slice(0, count);
  }
}
