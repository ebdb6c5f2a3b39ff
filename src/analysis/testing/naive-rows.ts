import type { DrillEvent, EventOf } from '../../core/event.ts';
import type { PlannedPath, PlannedWriter } from '../../core/plan.ts';
import { parseRanges } from '../../core/row-ranges.ts';
import { distantPast, earliest, later, latest } from '../../core/time.ts';
import type { RowCounts, Loss, Staleness } from '../written-rows.ts';

type RowWritten = EventOf<'row.written'>;
type RowsRead = EventOf<'rows.read'>;

/**
 * The analysis of a writer's events by a simple, slow algorithm: row by row and number by number. The
 * reference for tests.
 */
export interface NaiveRows {
  readonly anomalies: Omit<RowCounts, 'unrecorded'>;
  readonly losses: readonly (Omit<Loss, 'rows'> & { readonly rows: number })[];
  readonly reads: { readonly count: number; readonly failed: number; readonly stale: number };
  readonly staleness: readonly Staleness[];
}

/** How often each row was read: `client/number` to count. */
function contentOf({ rows = {} }: RowsRead): ReadonlyMap<string, number> {
  const content = new Map<string, number>();
  for (const [client, text] of Object.entries(rows))
    for (const { from, to, times } of parseRanges(text))
      for (let number = from; number <= to; number++) content.set(`${client}/${number}`, times);
  return content;
}

const keyOf = ({ client, number }: RowWritten): string => `${client}/${number}`;

export function naiveRows(planned: PlannedWriter, events: readonly DrillEvent[]): NaiveRows {
  const written = events.filter((e) => e.type === 'row.written').sort((a, b) => a.sendMs - b.sendMs);
  const all = events.filter((e) => e.type === 'rows.read').sort((a, b) => a.sendMs - b.sendMs);
  const ends = all.filter((r) => r.moment === 'end' && r.place === 'path' && r.rows !== undefined);
  const contents = ends.map(contentOf);
  const timesOf = (row: RowWritten): readonly number[] => contents.map((c) => c.get(keyOf(row)) ?? 0);
  const isLost = (row: RowWritten): boolean => row.outcome === 'acked' && timesOf(row).includes(0);
  const isThere = (row: RowWritten): boolean => timesOf(row).some((times) => times > 0);
  const lastOf = new Map<string, number>();
  for (const { client, number } of written)
    lastOf.set(`${client}`, Math.max(number, lastOf.get(`${client}`) ?? 0));
  const strangers = contents.map((content) =>
    [...content.keys()].filter((key) => {
      const [client = '', number = ''] = key.split('/');
      return Number(number) > (lastOf.get(client) ?? 0);
    }),
  );
  const count = (are: (row: RowWritten) => boolean): number => written.filter(are).length;
  const parallel = all.filter((r) => r.moment === 'parallel');
  const kept = written.filter((row) => row.outcome === 'acked' && !isLost(row));
  const behind = new Map(parallel.map((read) => [read, behindMs(read, kept)]));
  return {
    anomalies: {
      present: kept.length,
      lost: count(isLost),
      duplicated: count((row) => timesOf(row).some((times) => times > 1)),
      phantom:
        count((row) => row.outcome === 'refused' && isThere(row)) +
        Math.max(...strangers.map((s) => s.length)),
      indeterminatePresent: count((row) => row.outcome === 'indeterminate' && isThere(row)),
      indeterminateAbsent: count((row) => row.outcome === 'indeterminate' && !isThere(row)),
      disputed: count((row) => isThere(row) && timesOf(row).includes(0)),
    },
    losses: planned.paths.flatMap((path, index) => {
      const own = written.filter((row) => Math.floor((row.client - 1) / planned.clients) === index);
      return naiveLosses(path, own, isLost);
    }),
    reads: {
      count: parallel.length,
      failed: parallel.filter((r) => r.rows === undefined).length,
      stale: parallel.filter((r) => r.rows !== undefined && (behind.get(r) ?? 0) > 0).length,
    },
    staleness: planned.paths.flatMap((path) =>
      naiveStaleness(
        path,
        parallel
          .filter((r) => r.path === path.id && r.rows !== undefined)
          .map((read) => [read, behind.get(read) ?? 0]),
      ),
    ),
  };
}

/** Uses each client's missed row with the lowest number. */
function behindMs(read: RowsRead, kept: readonly RowWritten[]): number {
  const content = contentOf(read);
  const missed = kept.filter((row) => !content.has(keyOf(row)));
  const firsts = [...Map.groupBy(missed, (row) => row.client).values()].map((rows) =>
    rows.reduce((first, row) => (row.number < first.number ? row : first)),
  );
  return Math.max(0, ...firsts.map((row) => read.sendMs - row.finishMs));
}

function naiveLosses(
  path: PlannedPath,
  own: readonly RowWritten[],
  isLost: (row: RowWritten) => boolean,
): readonly (Omit<Loss, 'rows'> & { readonly rows: number })[] {
  const groups: RowWritten[][] = [];
  for (const [at, row] of own.entries()) {
    if (!isLost(row)) continue;
    const group = groups.at(-1);
    const since = own.slice(group === undefined ? 0 : own.indexOf(group.at(-1) ?? row), at);
    const ackedMs = Math.max(...(group ?? []).map((lost) => lost.finishMs));
    const isDivided = since.some(
      (w) => w.outcome === 'acked' && !isLost(w) && w.sendMs >= ackedMs && w.finishMs <= row.sendMs,
    );
    if (group === undefined || isDivided) groups.push([row]);
    else group.push(row);
  }
  const slowestMs = Math.max(...own.filter((w) => w.outcome === 'acked').map((w) => w.finishMs - w.sendMs));
  return groups.map((rows) => {
    const [first, last] = [own.indexOf(rows[0]!), own.indexOf(rows.at(-1)!)];
    const before = own.slice(0, first).findLast((w) => !isLost(w));
    const next = own[last + 1];
    const backMs =
      next === undefined
        ? distantPast
        : next.outcome === 'indeterminate'
          ? earliest(next.finishMs, later(next.sendMs, slowestMs))
          : next.finishMs;
    return {
      path,
      rows: rows.length,
      startLoMs: before?.sendMs ?? rows[0]!.sendMs,
      startHiMs: earliest(...rows.map((row) => row.finishMs)),
      endLoMs: rows.at(-1)!.sendMs,
      endHiMs: latest(backMs, ...rows.map((row) => row.finishMs)),
    };
  });
}

function naiveStaleness(
  path: PlannedPath,
  reads: readonly (readonly [read: RowsRead, behindMs: number])[],
): readonly Staleness[] {
  const isStale = (at: number): boolean => (reads[at]?.[1] ?? 0) > 0;
  return reads.flatMap(([read], at) => {
    if (!isStale(at) || isStale(at - 1)) return [];
    let last = at;
    while (isStale(last + 1)) last++;
    const next = reads[last + 1]?.[0];
    const lastRead = reads[last]?.[0] ?? read;
    return [
      {
        path,
        startLoMs: reads[at - 1]?.[0].sendMs ?? read.sendMs,
        startHiMs: read.finishMs,
        endLoMs: lastRead.sendMs,
        endHiMs: next?.finishMs ?? lastRead.finishMs,
        reads: last - at + 1,
        behindMs: Math.max(...reads.slice(at, last + 1).map(([, ms]) => ms)),
        open: next === undefined,
      },
    ];
  });
}
