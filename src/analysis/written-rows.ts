import type { DrillEvent } from '../core/event.ts';
import type { PlannedPath, PlannedWriter } from '../core/plan.ts';
import { parseRanges, type RowRange } from '../core/row-ranges.ts';
import type { Measure } from '../core/summary.ts';
import type { WriterRecord } from './read-log.ts';
import { type Sampling, unseenBetweenMs, withUnseen } from './sample-gaps.ts';
import { middle } from './windows.ts';

type RowWritten = Extract<DrillEvent, { type: 'row.written' }>;
type RowsRead = Extract<DrillEvent, { type: 'rows.read' }>;

/** The beginning and the end of something, each between two moments of the run clock, ms. */
export interface Edges {
  readonly startLoMs: number;
  readonly startHiMs: number;
  readonly endLoMs: number;
  readonly endHiMs: number;
}

/** Acknowledged writes through one path that were lost one after another. */
export interface Loss extends Edges {
  readonly path: PlannedPath;
  readonly rows: readonly RowWritten[];
}

/** A time in which reads through one path were stale. */
export interface Staleness extends Edges {
  readonly path: PlannedPath;
  readonly reads: number;
  /** For how long the row that was missed had been acknowledged, at most. */
  readonly behindMs: number;
  /** Still so at the last read. */
  readonly open: boolean;
}

/** What became of the rows by what was there in the end. */
export interface Fates {
  readonly present: number;
  readonly lost: readonly RowWritten[];
  readonly duplicated: number;
  readonly unasked: number;
  readonly indeterminatePresent: number;
  readonly indeterminateAbsent: number;
  /** Rows that are there by one path and not by another. */
  readonly disputed: number;
  /**
   * Writes of which the log lost the line: each client numbers its rows from 1, without a gap, and writes on until it is
   * stopped. What became of them is not known.
   */
  readonly unrecorded: number;
}

/** What a writer's rows tell. */
export interface RowsAnalysis {
  readonly planned: PlannedWriter;
  readonly written: readonly RowWritten[];
  /** null: nobody could read back what was there in the end. */
  readonly fates: Fates | null;
  readonly losses: readonly Loss[];
  /** From the first lost acknowledged write to the last; null: not read back. */
  readonly rpo: Measure | null;
  readonly reads: { readonly count: number; readonly failed: number; readonly stale: number };
  readonly staleness: readonly Staleness[];
  /** Time in which any path's reads were stale. The upper bound has the longest time that fits between two reads. */
  readonly staleFor: Measure;
  /** How much of that upper bound no read saw, ms. */
  readonly unseenStaleMs: number;
  /** How closely a path was read. */
  readonly reading: Sampling;
  /** What the paths' hosts held before anything was healed, by host. */
  readonly copies: ReadonlyMap<string, Store>;
}

/** Rows as often as they are there, by client: ranges of numbers in ascending order, apart from each other. */
type Store = ReadonlyMap<number, readonly RowRange[]>;

function rangesIn({
  rows = {},
}: RowsRead): readonly (readonly [client: number, ranges: readonly RowRange[]])[] {
  return Object.entries(rows).map(([client, text]) => [Number(client), parseRanges(text)]);
}

function storeOf(read: RowsRead): Store {
  return new Map(rangesIn(read));
}

function timesIn(store: Store, { client, number }: Pick<RowWritten, 'client' | 'number'>): number {
  const ranges = store.get(client) ?? [];
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((ranges[mid]?.to ?? Infinity) < number) low = mid + 1;
    else high = mid;
  }
  const range = ranges[low];
  return range !== undefined && range.from <= number ? range.times : 0;
}

/** The path that a client writes through. Throws for a client that the plan does not have. */
function pathOf({ id, paths, clients }: PlannedWriter, client: number): PlannedPath {
  const path = paths[Math.floor((client - 1) / clients)];
  if (path === undefined) throw new RangeError(`writer ${id} has no client ${client}`);
  return path;
}

/**
 * What became of each row, by what the stack gives back through its own paths when everything is mended. A row
 * is there when each path that could be read gives it: who comes by another one misses it.
 */
function fatesOf({ planned, written, read }: WriterRecord, stoppedMs: number): Fates | null {
  const stores = read
    .filter((r) => r.place === 'path' && r.moment === 'end' && r.rows !== undefined)
    .map(storeOf);
  if (stores.length === 0) return null;
  const least = (row: RowWritten) => Math.min(...stores.map((s) => timesIn(s, row)));
  const most = (row: RowWritten) => Math.max(...stores.map((s) => timesIn(s, row)));
  const of = (outcome: RowWritten['outcome']) => written.filter((row) => row.outcome === outcome);
  const [acked, refused, open] = [of('acked'), of('refused'), of('indeterminate')];
  const lost = acked.filter((row) => least(row) === 0);
  const numbers = numbersOf(planned, written, { stores, stoppedMs });
  const openPresent = open.filter((row) => most(row) > 0).length;
  return {
    present: acked.length - lost.length,
    lost,
    duplicated: written.filter((row) => most(row) > 1).length,
    unasked: refused.filter((row) => most(row) > 0).length + strangers(numbers, stores),
    indeterminatePresent: openPresent,
    indeterminateAbsent: open.length - openPresent,
    disputed: written.filter((row) => least(row) === 0 && most(row) > 0).length,
    unrecorded: unrecorded(numbers),
  };
}

/** The row numbers of a client: how many the log has, and the last that it used. */
interface Numbers {
  readonly logged: number;
  readonly last: number;
}

/** By client: the last number is that of a line, or of a row which the client can have written after that line. */
function numbersOf(
  { intervalMs }: PlannedWriter,
  written: readonly RowWritten[],
  { stores, stoppedMs }: { readonly stores: readonly Store[]; readonly stoppedMs: number },
): ReadonlyMap<number, Numbers> {
  const rows = Map.groupBy(written, (row) => row.client);
  return new Map(
    [...rows].map(([client, own]) => {
      const last = own.reduce((max, row) => (row.number > max.number ? row : max));
      const most = last.number + slotsAfter(last, own, { intervalMs, stoppedMs });
      const found = stores.flatMap((store) =>
        (store.get(client) ?? []).map(({ from, to }) => (from > most ? 0 : Math.min(to, most))),
      );
      const logged = new Set(own.map(({ number }) => number)).size;
      return [client, { logged, last: Math.max(last.number, ...found) }];
    }),
  );
}

/**
 * How many slots a client had after a write: from the next one when it was answered to the end of its work. Any write may
 * be sent late; the earliest of the client's shows where its slots are.
 */
function slotsAfter(
  { sendMs, finishMs }: RowWritten,
  own: readonly RowWritten[],
  { intervalMs, stoppedMs }: { readonly intervalMs: number; readonly stoppedMs: number },
): number {
  const inSlot = (row: RowWritten): number =>
    row.sendMs + intervalMs * Math.round((sendMs - row.sendMs) / intervalMs);
  const dueMs = own.reduce((least, row) => Math.min(least, inSlot(row)), sendMs);
  const next = Math.max(1, Math.ceil((finishMs - dueMs) / intervalMs));
  return Math.max(0, Math.ceil((stoppedMs - dueMs) / intervalMs) - next);
}

/** How many numbers up to each client's last the log does not have. */
function unrecorded(numbers: ReadonlyMap<number, Numbers>): number {
  return [...numbers.values()].reduce((count, { logged, last }) => count + last - logged, 0);
}

/** Rows that are there and that nobody wrote: beyond the last that its client did. One below it is a write whose line is lost. */
function strangers(numbers: ReadonlyMap<number, Numbers>, stores: readonly Store[]): number {
  // Counted, not listed: a store may hold millions that nobody wrote.
  const strange = stores.map((store) =>
    [...store].reduce((sum, [client, ranges]) => {
      const last = numbers.get(client)?.last ?? 0;
      return ranges.reduce((rows, { from, to }) => rows + Math.max(0, to - Math.max(from - 1, last)), sum);
    }, 0),
  );
  return Math.max(0, ...strange);
}

/**
 * The times whose acknowledged writes through a path were lost. `own`: the path's writes in send order.
 *
 * A write was committed at some instant in [send, finish]. So what was lost begins after the last write before it,
 * which is there or was not done, was sent, and not later than its first one was acknowledged; it goes on at least until
 * its last one was sent, and ends not later than the next write came back: there, refused, or without an answer for
 * longer than any acknowledged one had taken. A write that is there ends it only where it surely lies
 * between two that are lost: which of two clients' writes at the same moment was committed first cannot be told.
 */
function lossesOf(
  path: PlannedPath,
  own: readonly RowWritten[],
  isLost: ReadonlySet<RowWritten>,
): readonly Loss[] {
  const slowest = Math.max(0, ...own.map((w) => (w.outcome === 'acked' ? w.finishMs - w.sendMs : 0)));
  const losses: Loss[] = [];
  let beforeMs: number | undefined;
  let open:
    { readonly startLoMs: number; readonly rows: RowWritten[]; ackMs: number; last: number } | undefined;
  let between: RowWritten[] = [];

  const close = (): void => {
    if (open === undefined) return;
    const { startLoMs, rows, ackMs, last } = open;
    losses.push({
      path,
      rows,
      startLoMs,
      startHiMs: Math.min(...rows.map((row) => row.finishMs)),
      endLoMs: own[last]?.sendMs ?? ackMs,
      endHiMs: Math.max(ackMs, backMs(own[last + 1], slowest)),
    });
    open = undefined;
  };
  for (const [i, row] of own.entries()) {
    if (!isLost.has(row)) {
      beforeMs = row.sendMs;
      if (row.outcome === 'acked') between.push(row);
      continue;
    }
    const ackedMs = open?.ackMs ?? 0;
    if (between.some((kept) => kept.sendMs >= ackedMs && kept.finishMs <= row.sendMs)) close();
    between = [];
    open ??= { startLoMs: beforeMs ?? row.sendMs, rows: [], ackMs: 0, last: i };
    open.rows.push(row);
    open.ackMs = Math.max(open.ackMs, row.finishMs);
    open.last = i;
  }
  close();
  return losses;
}

/** When a write had come back, or should have. */
function backMs(row: RowWritten | undefined, slowestMs: number): number {
  if (row === undefined) return -Infinity;
  return row.outcome === 'indeterminate' ? Math.min(row.finishMs, row.sendMs + slowestMs) : row.finishMs;
}

/** A length by the bounds of its ends. */
export function lengthOf({ startLoMs, startHiMs, endLoMs, endHiMs }: Edges): Measure {
  const minMs = Math.max(0, endLoMs - startHiMs);
  const maxMs = endHiMs - startLoMs;
  return { ms: middle(minMs, maxMs), minMs, maxMs };
}

/**
 * The recovery point objective, as it was kept: the time from the first acknowledged write that is lost to the last,
 * whichever path they came by. Going back by so much from the last one gives a state in which nothing is missing.
 */
function rpoOf(losses: readonly Loss[]): Measure {
  if (losses.length === 0) return { ms: 0, minMs: 0, maxMs: 0 };
  return lengthOf({
    startLoMs: Math.min(...losses.map((l) => l.startLoMs)),
    startHiMs: Math.min(...losses.map((l) => l.startHiMs)),
    endLoMs: Math.max(...losses.map((l) => l.endLoMs)),
    endHiMs: Math.max(...losses.map((l) => l.endHiMs)),
  });
}

/** For how long the oldest row that a read missed had been acknowledged when it was sent; 0: it missed none. */
type Behind = (read: RowsRead) => number;

/**
 * A read misses a row that had been acknowledged before it was sent and is not in what it gives. Rows that are lost are not
 * counted: nobody will ever read them.
 */
function behindOf(kept: readonly RowWritten[]): Behind {
  const byClient = new Map<number, RowWritten[]>();
  for (const row of kept) {
    const rows = byClient.get(row.client) ?? [];
    rows.push(row);
    byClient.set(row.client, rows);
  }
  // A client does one thing at a time: in the order of their numbers its rows were acknowledged, too.
  for (const rows of byClient.values()) rows.sort((a, b) => a.number - b.number);
  return (read) => {
    const given = new Map(rangesIn(read));
    let behindMs = 0;
    for (const [client, rows] of byClient) {
      const missed = rows[firstMissing(rows, given.get(client) ?? [])];
      if (missed !== undefined) behindMs = Math.max(behindMs, read.sendMs - missed.finishMs);
    }
    return behindMs;
  };
}

/** Index of the first row that the ranges do not have; the count of rows if they have all. */
function firstMissing(rows: readonly RowWritten[], ranges: readonly RowRange[]): number {
  let index = 0;
  for (const { from, to } of ranges) {
    if ((rows[index]?.number ?? Infinity) < from) return index;
    index = firstAbove(rows, to);
  }
  return index;
}

/** Index of the first row with a higher number; their count if there is none. */
function firstAbove(rows: readonly RowWritten[], number: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((rows[mid]?.number ?? Infinity) > number) high = mid;
    else low = mid + 1;
  }
  return low;
}

/** Times of stale reads through a path: from between the last good read and the first stale one, to between the last stale one and the next good one. */
function stalenessOf(path: PlannedPath, reads: readonly RowsRead[], behind: Behind): readonly Staleness[] {
  const found: { -readonly [K in keyof Staleness]: Staleness[K] }[] = [];
  let goodMs: number | undefined;
  let open: (typeof found)[number] | undefined;
  for (const read of reads) {
    const behindMs = behind(read);
    if (behindMs <= 0) {
      if (open !== undefined) Object.assign(open, { endHiMs: read.finishMs, open: false });
      open = undefined;
      goodMs = read.sendMs;
      continue;
    }
    if (open === undefined) {
      const startLoMs = goodMs ?? read.sendMs;
      open = {
        path,
        startLoMs,
        startHiMs: read.finishMs,
        endLoMs: 0,
        endHiMs: 0,
        reads: 0,
        behindMs: 0,
        open: true,
      };
      found.push(open);
    }
    open.endLoMs = read.sendMs;
    open.endHiMs = read.finishMs;
    open.reads++;
    open.behindMs = Math.max(open.behindMs, behindMs);
  }
  return found;
}

/** How much of the run clock the stretches cover. */
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
 * What became of a writer's rows, and of the reads beside it. `stoppedMs`: when its clients began no more writes, ms on the run
 * clock; where the log does not tell, a client's last line is that of its last write.
 */
export function analyseRows(record: WriterRecord, stoppedMs = -Infinity): RowsAnalysis {
  const { planned } = record;
  const written = [...record.written].sort((a, b) => a.sendMs - b.sendMs);
  const beside = record.read.filter((read) => read.moment === 'beside').sort((a, b) => a.sendMs - b.sendMs);
  const fates = fatesOf(record, stoppedMs);
  const lost = new Set(fates?.lost);
  const behind = behindOf(written.filter((row) => row.outcome === 'acked' && !lost.has(row)));
  const good = beside.filter((read) => read.rows !== undefined);
  const losses = planned.paths.flatMap((path) =>
    lossesOf(
      path,
      written.filter((row) => pathOf(planned, row.client) === path),
      lost,
    ),
  );
  const staleness = planned.paths.flatMap((path) =>
    stalenessOf(
      path,
      good.filter((read) => read.path === path.id),
      behind,
    ),
  );
  const gaps = planned.paths.map(({ id }) => {
    const reads = beside.filter((read) => read.path === id);
    const range = { fromMs: reads[0]?.sendMs ?? 0, toMs: reads.at(-1)?.finishMs ?? 0 };
    const own = staleness.filter((s) => s.path.id === id);
    return {
      unseenMs: unseenBetweenMs(reads, range, own),
      widestMs: unseenBetweenMs(reads, range, []),
    };
  });
  const unseenStaleMs = Math.max(0, ...gaps.map((gap) => gap.unseenMs));
  const minMs = covered(staleness.map((s) => [s.startHiMs, s.endLoMs]));
  const maxMs = covered(staleness.map((s) => [s.startLoMs, s.endHiMs]));
  return {
    planned,
    written,
    fates,
    losses,
    rpo: fates === null ? null : rpoOf(losses),
    reads: {
      count: beside.length,
      failed: beside.length - good.length,
      stale: good.filter((read) => behind(read) > 0).length,
    },
    staleness,
    staleFor: withUnseen({ ms: middle(minMs, maxMs), minMs, maxMs }, unseenStaleMs),
    unseenStaleMs,
    reading: { samples: good.length, widestMs: Math.max(0, ...gaps.map((gap) => gap.widestMs)) },
    copies: copiesOf(record),
  };
}

function copiesOf({ planned, read }: WriterRecord): ReadonlyMap<string, Store> {
  return new Map(
    read.flatMap((r) => {
      if (r.place !== 'copy' || r.moment !== 'before-heal' || r.rows === undefined) return [];
      const path = planned.paths.find((p) => p.id === r.path);
      return [[path?.host ?? r.path, storeOf(r)] as const];
    }),
  );
}

/** How many of the rows a copy held. */
export function countIn(copy: Store, rows: readonly RowWritten[]): number {
  return rows.filter((row) => timesIn(copy, row) > 0).length;
}
