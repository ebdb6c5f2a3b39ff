import type { EventOf } from '../core/event.ts';
import type { PlannedPath, PlannedWriter } from '../core/plan.ts';
import { maxOf, minOf } from '../core/extremes.ts';
import { parseRanges, type RowRange } from '../core/row-ranges.ts';
import type { Measure } from '../core/summary.ts';
import {
  distantFuture,
  distantPast,
  type DurationMs,
  earliest,
  later,
  latest,
  type RunMs,
  runMs,
} from '../core/time.ts';
import type { ParallelReads } from './parallel-reads.ts';
import type { WriterRecord } from './run-log.ts';
import type { RowColumns } from './row-columns.ts';
import { type Sampling, unobservedBetweenMs, withUnobserved } from './sample-gaps.ts';
import { middle } from './moment.ts';

type RowsRead = EventOf<'rows.read'>;

/** The bounds of a beginning and of an end, ms on the run clock. */
export interface Edges {
  readonly startLoMs: RunMs;
  readonly startHiMs: RunMs;
  readonly endLoMs: RunMs;
  readonly endHiMs: RunMs;
}

/** Consecutive acknowledged writes through one path that were lost. */
export interface Loss extends Edges {
  readonly path: PlannedPath;
  /** Their indexes among the written rows, in send order. */
  readonly rows: readonly number[];
}

/** A time in which reads through one path were stale. */
export interface Staleness extends Edges {
  readonly path: PlannedPath;
  readonly reads: number;
  /** Largest age of the missed row at a read: the time since its acknowledgment, ms. */
  readonly behindMs: DurationMs;
  /** The last read was still stale. */
  readonly open: boolean;
}

/** Numbers of rows by outcome, from the final read-back. */
export interface RowCounts {
  readonly present: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly phantom: number;
  readonly indeterminatePresent: number;
  readonly indeterminateAbsent: number;
  /** Rows that one path returned and another did not. */
  readonly disputed: number;
  /**
   * Writes whose lines are missing from the log. Each client numbers its rows from 1 without a gap, and writes until it is
   * stopped. The outcome of these writes is unknown.
   */
  readonly unrecorded: number;
}

/** The analysis of one writer's rows. */
export interface RowsAnalysis {
  readonly planned: PlannedWriter;
  readonly written: RowColumns;
  /** null: the rows could not be read back at the end. */
  readonly anomalies: RowCounts | null;
  readonly losses: readonly Loss[];
  /** Time from the first to the last lost acknowledged write; null: not read back. */
  readonly rpo: Measure | null;
  readonly reads: { readonly count: number; readonly failed: number; readonly stale: number };
  readonly staleness: readonly Staleness[];
  /**
   * Time in which reads of any path were stale. The upper bound includes the longest time that fits
   * between two reads.
   */
  readonly staleFor: Measure;
  /** Part of that upper bound that no read shows, ms. */
  readonly unobservedStaleMs: DurationMs;
  /** How closely the paths were read. */
  readonly reading: Sampling;
  /** The rows on the paths' hosts before anything was healed, by host. */
  readonly copies: ReadonlyMap<string, Store>;
}

/** Rows with their counts, by client: ascending ranges of numbers without overlaps. */
type Store = ReadonlyMap<number, readonly RowRange[]>;

function rangesIn({
  rows = {},
}: RowsRead): readonly (readonly [client: number, ranges: readonly RowRange[]])[] {
  return Object.entries(rows).map(([client, text]) => [Number(client), parseRanges(text)]);
}

function storeOf(read: RowsRead): Store {
  return new Map(rangesIn(read));
}

/** How often a row is in a store. */
function timesIn(store: Store, written: RowColumns, row: number): number {
  const ranges = store.get(written.clientOf(row)) ?? [];
  const number = written.numberOf(row);
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((ranges[mid]?.to ?? Infinity) < number) low = mid + 1;
    else high = mid;
  }
  const range = ranges[low];
  return range !== undefined && range.from <= number ? range.times : 0;
}

/** The path that a client writes through. Throws for a client that is not in the plan. */
function pathOf({ id, paths, clients }: PlannedWriter, client: number): PlannedPath {
  const path = paths[Math.floor((client - 1) / clients)];
  if (path === undefined) throw new RangeError(`writer ${id} has no client ${client}`);
  return path;
}

/** The outcomes of all rows; `isLost` is 1 at the index of each lost row, and 0 otherwise. */
interface FoundRows {
  readonly isLost: Uint8Array;
  readonly anomalies: RowCounts;
}

/**
 * The outcome of each row, from the reads through the stack's own paths after everything is healed. A row is present only if every
 * readable path returns it: clients of the other paths miss it otherwise.
 */
function foundRows({ planned, written, readBack }: WriterRecord, stoppedMs: RunMs): FoundRows | null {
  const stores = readBack
    .filter((r) => r.place === 'path' && r.moment === 'end' && r.rows !== undefined)
    .map(storeOf);
  if (stores.length === 0) return null;
  const isLost = new Uint8Array(written.length);
  let [lost, duplicated, refusedPresent, openPresent, disputed] = [0, 0, 0, 0, 0];
  for (let row = 0; row < written.length; row++) {
    const times = stores.map((store) => timesIn(store, written, row));
    const [least, most] = [minOf(times), maxOf(times)];
    const outcome = written.outcomeOf(row);
    if (outcome === 'acked' && least === 0) {
      isLost[row] = 1;
      lost++;
    }
    if (most > 1) duplicated++;
    if (least === 0 && most > 0) disputed++;
    if (outcome === 'refused' && most > 0) refusedPresent++;
    if (outcome === 'indeterminate' && most > 0) openPresent++;
  }
  const numbers = numbersOf(planned, written, { stores, stoppedMs });
  const anomalies = {
    present: written.countOf('acked') - lost,
    lost,
    duplicated,
    phantom: refusedPresent + strangers(numbers, stores),
    indeterminatePresent: openPresent,
    indeterminateAbsent: written.countOf('indeterminate') - openPresent,
    disputed,
    unrecorded: unrecorded(numbers),
  };
  return { isLost, anomalies };
}

/** The row numbers of a client: how many are in the log, and the last one that it used. */
interface Numbers {
  readonly logged: number;
  readonly last: number;
}

/**
 * By client. The last number is in the log, or in a store if the client can have written it after its
 * last line.
 */
function numbersOf(
  { intervalMs }: PlannedWriter,
  written: RowColumns,
  { stores, stoppedMs }: { readonly stores: readonly Store[]; readonly stoppedMs: RunMs },
): ReadonlyMap<number, Numbers> {
  return new Map(
    [...written.byClient()].map(([client, own]) => {
      const numbers = Float64Array.from(own, (row) => written.numberOf(row));
      const lastNumber = numbers.at(-1) ?? 0;
      // The log's first line with that number, if there is more than one.
      const last = own[numbers.indexOf(lastNumber)] ?? 0;
      const most = lastNumber + slotsAfter(written, own, last, { intervalMs, stoppedMs });
      const found = stores.flatMap((store) =>
        (store.get(client) ?? []).map(({ from, to }) => (from > most ? 0 : Math.min(to, most))),
      );
      const logged = numbers.reduce(
        (count, number, at) => (number === numbers[at - 1] ? count : count + 1),
        0,
      );
      return [client, { logged, last: maxOf(found, lastNumber) }];
    }),
  );
}

/**
 * How many slots a client had after its last write: from the first slot after the write's answer to the end of its work. Any
 * write may be sent late; the earliest one by phase shows where its slots are.
 */
function slotsAfter(
  written: RowColumns,
  own: Uint32Array,
  last: number,
  { intervalMs, stoppedMs }: { readonly intervalMs: DurationMs; readonly stoppedMs: RunMs },
): number {
  const sendMs = written.sendMsOf(last);
  let dueMs = sendMs;
  for (const row of own) {
    const ownMs = written.sendMsOf(row);
    dueMs = earliest(dueMs, later(ownMs, intervalMs * Math.round((sendMs - ownMs) / intervalMs)));
  }
  const next = Math.max(1, Math.ceil((written.finishMsOf(last) - dueMs) / intervalMs));
  return Math.max(0, Math.ceil((stoppedMs - dueMs) / intervalMs) - next);
}

/** How many numbers up to each client's last one are missing from the log. */
function unrecorded(numbers: ReadonlyMap<number, Numbers>): number {
  return [...numbers.values()].reduce((count, { logged, last }) => count + last - logged, 0);
}

/**
 * Phantom rows that no client wrote: their numbers are beyond their client's last one. A lower missing
 * number is a lost line.
 */
function strangers(numbers: ReadonlyMap<number, Numbers>, stores: readonly Store[]): number {
  // Counted and not listed: a store may hold millions of phantom rows.
  const strange = stores.map((store) =>
    [...store].reduce((sum, [client, ranges]) => {
      const last = numbers.get(client)?.last ?? 0;
      return ranges.reduce((rows, { from, to }) => rows + Math.max(0, to - Math.max(from - 1, last)), sum);
    }, 0),
  );
  return maxOf(strange, 0);
}

/**
 * The times whose acknowledged writes through a path were lost. `own`: the path's writes in send order.
 *
 * A write was committed at some instant in [sending, finish]. A loss begins between two moments: the sending of the last write before
 * it that is not lost, and the acknowledgment of its first write. It lasts at least until its last write was sent. It ends not later than the
 * next write returned: kept, refused, or unanswered for longer than any acknowledged write took. A kept write ends the loss only if
 * it is certainly between two lost ones: the commit order of two clients' simultaneous writes is unknown.
 */
function lossesOf(
  path: PlannedPath,
  own: Uint32Array,
  written: RowColumns,
  isLost: (row: number) => boolean,
): readonly Loss[] {
  let slowestMs = 0;
  for (const row of own)
    if (written.outcomeOf(row) === 'acked')
      slowestMs = Math.max(slowestMs, written.finishMsOf(row) - written.sendMsOf(row));
  const losses: Loss[] = [];
  let beforeMs: RunMs | undefined;
  let open: { readonly startLoMs: RunMs; readonly rows: number[]; ackMs: RunMs; last: number } | undefined;
  /**
   * First finish of the kept rows since the last lost one that were sent after all lost ones were
   * acknowledged.
   */
  let keptByMs = distantFuture;

  const close = (): void => {
    if (open === undefined) return;
    const { startLoMs, rows, ackMs, last } = open;
    const lastRow = own[last];
    losses.push({
      path,
      rows,
      startLoMs,
      startHiMs: minOf(rows.map((row) => written.finishMsOf(row))),
      endLoMs: lastRow === undefined ? ackMs : written.sendMsOf(lastRow),
      endHiMs: latest(ackMs, backMs(written, own[last + 1], slowestMs)),
    });
    open = undefined;
  };
  for (const [i, row] of own.entries()) {
    if (!isLost(row)) {
      beforeMs = written.sendMsOf(row);
      if (written.outcomeOf(row) === 'acked' && beforeMs >= (open?.ackMs ?? 0))
        keptByMs = earliest(keptByMs, written.finishMsOf(row));
      continue;
    }
    if (keptByMs <= written.sendMsOf(row)) close();
    keptByMs = distantFuture;
    open ??= { startLoMs: beforeMs ?? written.sendMsOf(row), rows: [], ackMs: distantPast, last: i };
    open.rows.push(row);
    open.ackMs = latest(open.ackMs, written.finishMsOf(row));
    open.last = i;
  }
  close();
  return losses;
}

/** When a write returned, or should have. */
function backMs(written: RowColumns, row: number | undefined, slowestMs: DurationMs): RunMs {
  if (row === undefined) return distantPast;
  const finishMs = written.finishMsOf(row);
  return written.outcomeOf(row) === 'indeterminate'
    ? earliest(finishMs, later(written.sendMsOf(row), slowestMs))
    : finishMs;
}

/** The duration between two edges, with its bounds. */
export function lengthOf({ startLoMs, startHiMs, endLoMs, endHiMs }: Edges): Measure {
  const minMs = Math.max(0, endLoMs - startHiMs);
  const maxMs = endHiMs - startLoMs;
  return { ms: middle(minMs, maxMs), minMs, maxMs };
}

/**
 * The measured recovery point objective: the time from the first to the last lost acknowledged write, over all paths. A state
 * that much earlier than the last one has no loss.
 */
function rpoOf(losses: readonly Loss[]): Measure {
  if (losses.length === 0) return { ms: 0, minMs: 0, maxMs: 0 };
  return lengthOf({
    startLoMs: minOf(losses.map((l) => l.startLoMs)),
    startHiMs: minOf(losses.map((l) => l.startHiMs)),
    endLoMs: maxOf(losses.map((l) => l.endLoMs)),
    endHiMs: maxOf(losses.map((l) => l.endHiMs)),
  });
}

/**
 * Times of stale reads through a path: they begin between the last good read and the first stale one, and end between the last
 * stale read and the next good one. `own`: the path's successful reads, in send order.
 */
function stalenessOf(
  path: PlannedPath,
  own: readonly number[],
  { parallel, behind }: { readonly parallel: ParallelReads; readonly behind: Float64Array },
): readonly Staleness[] {
  const found: { -readonly [K in keyof Staleness]: Staleness[K] }[] = [];
  let goodMs: RunMs | undefined;
  let open: (typeof found)[number] | undefined;
  for (const read of own) {
    const behindMs = behind[read] ?? 0;
    const [sendMs, finishMs] = [parallel.sendMsOf(read), parallel.finishMsOf(read)];
    if (behindMs <= 0) {
      if (open !== undefined) Object.assign(open, { endHiMs: finishMs, open: false });
      open = undefined;
      goodMs = sendMs;
      continue;
    }
    if (open === undefined) {
      const startLoMs = goodMs ?? sendMs;
      open = {
        path,
        startLoMs,
        startHiMs: finishMs,
        endLoMs: sendMs,
        endHiMs: finishMs,
        reads: 0,
        behindMs: 0,
        open: true,
      };
      found.push(open);
    }
    open.endLoMs = sendMs;
    open.endHiMs = finishMs;
    open.reads++;
    open.behindMs = Math.max(open.behindMs, behindMs);
  }
  return found;
}

/** The time that the stretches cover together, ms. */
function covered(stretches: readonly (readonly [fromMs: number, toMs: number])[]): number {
  let total = 0;
  let upTo = -Infinity;
  for (const [fromMs, toMs] of [...stretches].sort(([a], [b]) => a - b)) {
    total += Math.max(0, toMs - Math.max(fromMs, upTo));
    upTo = Math.max(upTo, toMs);
  }
  return total;
}

/**
 * Analyzes a writer's rows and its parallel reads. `stoppedMs`: when its clients stopped beginning writes, ms on the run clock;
 * -Infinity if the log does not contain it, so that a client's last line is its last write.
 */
export function analyseRows(record: WriterRecord, stoppedMs = distantPast): RowsAnalysis {
  const { planned, written, parallel } = record;
  const found = foundRows(record, stoppedMs);
  const isLost = (row: number): boolean => found?.isLost[row] === 1;
  const losses =
    found === null || found.anomalies.lost === 0
      ? []
      : planned.paths.flatMap((path) => {
          const own = written.inSendOrder((row) => pathOf(planned, written.clientOf(row)) === path);
          return lossesOf(path, own, written, isLost);
        });
  const behind = parallel.behindMs(written, (row) => written.outcomeOf(row) === 'acked' && !isLost(row));
  return {
    planned,
    written,
    anomalies: found?.anomalies ?? null,
    losses,
    rpo: found === null ? null : rpoOf(losses),
    ...readsOf(planned, parallel, behind),
    copies: copiesOf(record),
  };
}

/** Analyzes the reads parallel to the writes. `behind`: how stale each read was, ms. */
function readsOf(
  { paths }: PlannedWriter,
  parallel: ParallelReads,
  behind: Float64Array,
): Pick<RowsAnalysis, 'reads' | 'staleness' | 'staleFor' | 'unobservedStaleMs' | 'reading'> {
  const inOrder = parallel.inSendOrder();
  const isGood = (read: number): boolean => !parallel.hasFailed(read);
  const each = paths.map((path) => {
    const own = inOrder.filter((read) => parallel.pathOf(read) === path.id);
    const staleness = stalenessOf(path, own.filter(isGood), { parallel, behind });
    const reads = own.map((read) => ({
      sendMs: parallel.sendMsOf(read),
      finishMs: parallel.finishMsOf(read),
    }));
    const range = {
      fromMs: reads[0]?.sendMs ?? runMs(0),
      toMs: reads.at(-1)?.finishMs ?? runMs(0),
    };
    return {
      staleness,
      unobservedMs: unobservedBetweenMs(reads, range, staleness),
      widestMs: unobservedBetweenMs(reads, range, []),
    };
  });
  const staleness = each.flatMap((one) => one.staleness);
  const unobservedStaleMs = maxOf(
    each.map((one) => one.unobservedMs),
    0,
  );
  const minMs = covered(staleness.map((s) => [s.startHiMs, s.endLoMs]));
  const maxMs = covered(staleness.map((s) => [s.startLoMs, s.endHiMs]));
  const good = inOrder.filter(isGood).length;
  return {
    reads: {
      count: parallel.length,
      failed: parallel.length - good,
      stale: behind.reduce((count, behindMs) => (behindMs > 0 ? count + 1 : count), 0),
    },
    staleness,
    staleFor: withUnobserved({ ms: middle(minMs, maxMs), minMs, maxMs }, unobservedStaleMs),
    unobservedStaleMs,
    reading: {
      samples: good,
      widestMs: maxOf(
        each.map((one) => one.widestMs),
        0,
      ),
    },
  };
}

function copiesOf({ planned, readBack }: WriterRecord): ReadonlyMap<string, Store> {
  return new Map(
    readBack.flatMap((r) => {
      if (r.place !== 'copy' || r.moment !== 'before-heal' || r.rows === undefined) return [];
      const path = planned.paths.find((p) => p.id === r.path);
      return [[path?.host ?? r.path, storeOf(r)] as const];
    }),
  );
}

/** How many of the rows are in a copy. `rows`: indexes of written rows. */
export function countIn(copy: Store, written: RowColumns, rows: readonly number[]): number {
  return rows.filter((row) => timesIn(copy, written, row) > 0).length;
}
