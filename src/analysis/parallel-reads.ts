import type { EventOf } from '../core/event.ts';
import { parseRanges, type RowRange } from '../core/row-ranges.ts';
import type { RunMs } from '../core/time.ts';
import { NumberColumn } from './number-column.ts';
import { RangeTree } from './range-tree.ts';
import type { RowColumns } from './row-columns.ts';

type RowsRead = EventOf<'rows.read'>;

/**
 * Rows of one client, by read, in the order of the reads. A read that returned no row of the client
 * may be missing.
 */
interface GivenRows {
  readonly reads: NumberColumn;
  /**
   * The node of all ranges but the last one. The last range grows from read to read, so it is stored
   * separately.
   */
  readonly nodes: NumberColumn;
  readonly lastFroms: NumberColumn;
  readonly lastTos: NumberColumn;
  readonly tree: RangeTree;
}

/**
 * Parallel reads of a writer's rows, by their index in the order of the log. A read takes 32 bytes, and 32 more for each
 * client whose rows it returned. Ranges that an earlier read already had take no memory.
 */
export class ParallelReads {
  readonly #clients: number;
  /** Ids of the paths that were read, without duplicates. */
  readonly #paths: string[] = [];
  readonly #pathAt = new NumberColumn();
  readonly #sendsMs = new NumberColumn<RunMs>();
  readonly #finishesMs = new NumberColumn<RunMs>();
  readonly #failed = new NumberColumn();
  readonly #given = new Map<number, GivenRows>();

  /** `clients`: the writer's number of clients. Rows of other clients are ignored. */
  constructor(clients: number) {
    this.#clients = clients;
  }

  get length(): number {
    return this.#pathAt.length;
  }

  add({ path, sendMs, finishMs, rows }: Pick<RowsRead, 'path' | 'sendMs' | 'finishMs' | 'rows'>): void {
    const known = this.#paths.indexOf(path);
    for (const [client, text] of Object.entries(rows ?? {})) this.#give(Number(client), parseRanges(text));
    this.#pathAt.push(known >= 0 ? known : this.#paths.push(path) - 1);
    this.#sendsMs.push(sendMs);
    this.#finishesMs.push(finishMs);
    this.#failed.push(rows === undefined ? 1 : 0);
  }

  #give(client: number, ranges: readonly RowRange[]): void {
    const last = ranges.at(-1);
    if (last === undefined || client < 1 || client > this.#clients) return;
    let given = this.#given.get(client);
    if (given === undefined) this.#given.set(client, (given = nothingGiven()));
    given.reads.push(this.length);
    given.nodes.push(given.tree.add(ranges.slice(0, -1)));
    given.lastFroms.push(last.from);
    given.lastTos.push(last.to);
  }

  pathOf(read: number): string {
    return this.#paths[this.#pathAt.at(read)] ?? '';
  }

  sendMsOf(read: number): RunMs {
    return this.#sendsMs.at(read);
  }

  finishMsOf(read: number): RunMs {
    return this.#finishesMs.at(read);
  }

  hasFailed(read: number): boolean {
    return this.#failed.at(read) === 1;
  }

  /** All reads in send order. Reads with the same send time keep the order of the log. */
  inSendOrder(): readonly number[] {
    return Array.from({ length: this.length }, (_, read) => read).sort(
      (a, b) => this.sendMsOf(a) - this.sendMsOf(b),
    );
  }

  /**
   * How stale each read is, ms: the time from the acknowledgment of the oldest row that it misses to its sending.
   * 0: it misses no row.
   *
   * A read misses a row that was acknowledged before the read was sent and is not in its result. Lost rows do not
   * count: no read will ever return them. `isKept`: the acknowledged rows that are not lost.
   */
  behindMs(rows: RowColumns, isKept: (row: number) => boolean): Float64Array {
    const behind = new Float64Array(this.length);
    for (const [client, own] of rows.byClient(isKept)) {
      const missed = this.#firstMissed(
        client,
        Float64Array.from(own, (row) => rows.numberOf(row)),
      );
      // A client does one thing at a time, so its rows are acknowledged in the order of their numbers.
      for (const [read, rank] of missed.entries()) {
        const row = own[rank];
        if (row === undefined || this.hasFailed(read)) continue;
        behind[read] = Math.max(behind[read] ?? 0, this.sendMsOf(read) - rows.finishMsOf(row));
      }
    }
    return behind;
  }

  /**
   * By read, the index of the first of a client's numbers that it misses; the count of the numbers if it
   * misses none.
   */
  #firstMissed(client: number, numbers: Float64Array): Float64Array {
    const missed = new Float64Array(this.length);
    const given = this.#given.get(client);
    if (given === undefined) return missed;
    const progress = given.tree.fold(0, (state, from, to) => afterRange(numbers, state, from, to));
    for (let at = 0; at < given.reads.length; at++) {
      const before = progress[given.nodes.at(at)] ?? 0;
      const state = afterRange(numbers, before, given.lastFroms.at(at), given.lastTos.at(at));
      missed[given.reads.at(at)] = state < 0 ? -1 - state : state;
    }
    return missed;
  }
}

function nothingGiven(): GivenRows {
  return {
    reads: new NumberColumn(),
    nodes: new NumberColumn(),
    lastFroms: new NumberColumn(),
    lastTos: new NumberColumn(),
    tree: new RangeTree(),
  };
}

/**
 * How many of a client's numbers the ranges contain without a gap, counted from the first number. After a gap the state
 * stays at -1 - index of the first missing number.
 */
function afterRange(numbers: Float64Array, state: number, from: number, to: number): number {
  if (state < 0) return state;
  return (numbers[state] ?? Infinity) < from ? -1 - state : firstAbove(numbers, to);
}

/** Index of the first higher number; the count of the numbers if there is none. */
function firstAbove(numbers: Float64Array, number: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((numbers[mid] ?? Infinity) > number) high = mid;
    else low = mid + 1;
  }
  return low;
}
