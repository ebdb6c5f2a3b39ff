import { maxOf, minOf } from '../core/extremes.ts';
import type { PlannedPath, PlannedWriter } from '../core/plan.ts';
import type { Measure, OperationDowntime } from '../core/summary.ts';
import { type DurationMs, earliest, latest, type RunMs, runMs } from '../core/time.ts';
import { downtimeOf } from './downtime.ts';
import { lastAnswerMs } from './kept-samples.ts';
import type { Moment } from './moment.ts';
import { type Operation, operationClients } from './operation-series.ts';
import { type Outages, outagesAfter, recoveryFrom } from './rto.ts';
import type { ProbeSeries, RunLog } from './run-log.ts';
import { withUnobserved } from './sample-gaps.ts';
import { type BadWindow, durationOf } from './windows.ts';

/** Times in which no client of a list got through. */
export interface SharedOutages extends Outages {
  /**
   * The outages of some clients that fit between two operations of the others: how long all clients may have been out then, ms.
   * Each counts for at most `unobservedMs`.
   */
  readonly hiddenMs: DurationMs;
}

/** The outages of one operation of a writer. */
export interface WriterOutages {
  /** Times in which no client of any path got through: an outage of the service. */
  readonly service: SharedOutages;
  /** Times in which no client of the path got through, by path id. */
  readonly paths: ReadonlyMap<string, SharedOutages>;
  /** By the client's id. */
  readonly clients: ReadonlyMap<string, Outages>;
}

/** The outages of a writer's operations after a moment. */
export function writerOutages(
  log: RunLog,
  writer: PlannedWriter,
  operation: Operation,
  from: Moment,
): WriterOutages {
  const clients = clientsIn(log, writer, operation);
  const begunMs = begunUntilMs(log, clients);
  const each = clients.map(({ path, series }) => {
    const doneMs = series.samples.at(-1)?.finishMs;
    const outages = outagesAfter(
      log,
      series,
      from,
      doneMs === undefined ? undefined : latest(doneMs, begunMs),
    );
    return { path, id: series.probe.id, outages };
  });
  const byPath = Map.groupBy(each, ({ path }) => path.id);
  return {
    service: allOut(each.map(({ outages }) => outages)),
    paths: new Map([...byPath].map(([id, list]) => [id, allOut(list.map(({ outages }) => outages))])),
    clients: new Map(each.map(({ id, outages }) => [id, outages])),
  };
}

/**
 * Until when the clients began operations: until the rows are read back. Without that phase, until the last operation of any
 * client. A client without a line until then may have been out.
 */
function begunUntilMs(log: RunLog, clients: readonly { readonly series: ProbeSeries }[]): RunMs {
  const readBackMs = log.phases.find(({ phase }) => phase === 'read-back')?.t;
  const lastMs = clients.flatMap(({ series }) => series.samples.slice(-1).map(lastAnswerMs));
  return readBackMs ?? maxOf(lastMs, log.startMs);
}

/** The sum of outages, and the longest of them. The upper bounds include the longest outage that no operation shows. */
export function downtimeIn({
  windows,
  unobservedMs,
  hiddenMs = 0,
}: Outages & Partial<SharedOutages>): OperationDowntime {
  const down = windows.filter((w) => w.state === 'down').map(durationOf);
  const longest = {
    ms: maxOf(
      down.map(({ ms }) => ms),
      0,
    ),
    minMs: maxOf(
      down.map(({ minMs }) => minMs),
      0,
    ),
    // Also a window that may be no outage may be the longest one.
    maxMs: maxOf(
      windows.map((w) => durationOf(w).maxMs),
      unobservedMs,
    ),
  };
  const total = withUnobserved(downtimeOf(windows).total, unobservedMs + hiddenMs);
  return { ...total, outages: down.length, longest };
}

/** Times from the fault's effect to the recovery of clients; null: not all that it needs recovered. */
export interface ClientRecovery {
  /** Of the client that recovered first. */
  readonly first: Measure | null;
  /** Of the client that recovered last. */
  readonly all: Measure | null;
}

/** When the clients of a writer got through again for good, as the RTO of a probe. */
export function clientRecovery(
  log: RunLog,
  writer: PlannedWriter,
  operation: Operation,
  effect: Moment,
): ClientRecovery {
  const each = clientsIn(log, writer, operation).map(({ series }) => recoveryFrom(log, series, effect).rto);
  const back = each.filter((rto) => rto !== null);
  return {
    first: back.length === 0 ? null : bound(back, minOf),
    all: back.length < each.length || each.length === 0 ? null : bound(back, maxOf),
  };
}

/** The least, or the largest, of measures: each bound is that of the bounds. */
export function bound(measures: readonly Measure[], of: (values: readonly number[]) => number): Measure {
  return {
    ms: of(measures.map(({ ms }) => ms)),
    minMs: of(measures.map(({ minMs }) => minMs)),
    maxMs: of(measures.map(({ maxMs }) => maxMs)),
  };
}

/** The clients of a writer that do an operation, with their operations. */
export function clientsIn(
  log: RunLog,
  writer: PlannedWriter,
  operation: Operation,
): readonly { readonly path: PlannedPath; readonly series: ProbeSeries }[] {
  return operationClients(writer).flatMap((client) => {
    const series = log.operations.get(client.probe.id);
    return client.operation !== operation || series === undefined ? [] : [{ path: client.path, series }];
  });
}

/**
 * The times in which all of them are out. Each such time lies within a window of each client, or between two operations of a
 * client that has no window there. So an outage of some clients may be one of all, but no longer than fits between two operations
 * of the others.
 */
function allOut(clients: readonly Outages[]): SharedOutages {
  const [first, ...others] = clients;
  if (first === undefined) return { windows: [], unobservedMs: 0, hiddenMs: 0 };
  let all = windowsOf(first);
  let { unobservedMs } = first;
  for (const other of others) {
    all = shared(all, windowsOf(other), { someMs: unobservedMs, othersMs: other.unobservedMs });
    unobservedMs = Math.max(unobservedMs, other.unobservedMs);
  }
  // One client alone is often slow, and failed at nothing.
  const hidden = all.filter(
    ({ window, mostMs, clients: by }) => mostMs < Infinity && (by > 1 || window.state !== 'slow'),
  );
  return {
    windows: all.flatMap(({ window, mostMs }) => (mostMs === Infinity ? [window] : [])),
    unobservedMs,
    hiddenMs: hidden.reduce((sum, { mostMs }) => sum + mostMs, 0),
  };
}

/** A time in which all clients so far may have been out. */
interface Possible {
  readonly window: BadWindow;
  /** Infinity: it lies within a window of each of them. Otherwise, the longest time that fits between two operations, ms. */
  readonly mostMs: DurationMs;
  /** How many clients have a window there. */
  readonly clients: number;
}

/** A client's windows, in order of their starts. */
function windowsOf({ windows }: Outages): Possible[] {
  return windows
    .map((window) => ({ window, mostMs: Infinity, clients: 1 }))
    .sort((a, b) => a.window.startLoMs - b.window.startLoMs);
}

/**
 * The common times of two lists, both in order of their starts. `someMs`, `othersMs`: the longest time that fits between two
 * operations of each side.
 */
function shared(
  some: readonly Possible[],
  others: readonly Possible[],
  { someMs, othersMs }: { readonly someMs: DurationMs; readonly othersMs: DurationMs },
): Possible[] {
  const common: Possible[] = [];
  const met = new Set<Possible>();
  const endsMs = latestEnds(others);
  let from = 0;
  for (const one of some) {
    while ((endsMs[from] ?? Infinity) <= one.window.startLoMs) from++;
    for (let at = from; at < others.length; at++) {
      const other = others[at];
      if (other === undefined || other.window.startLoMs >= one.window.endHiMs) break;
      if (other.window.endHiMs <= one.window.startLoMs) continue;
      met.add(one).add(other);
      common.push({
        window: both(one.window, other.window),
        mostMs: Math.min(one.mostMs, other.mostMs),
        clients: one.clients + other.clients,
      });
    }
  }
  const hidden = (list: readonly Possible[], fitsMs: DurationMs): Possible[] =>
    list
      .filter((one) => !met.has(one))
      .map((one) => ({ ...one, mostMs: Math.min(one.mostMs, durationOf(one.window).maxMs, fitsMs) }));
  return [...common, ...hidden(some, othersMs), ...hidden(others, someMs)].sort(
    (a, b) => a.window.startLoMs - b.window.startLoMs,
  );
}

/** For each of the list, the latest end of it and of those before it. */
function latestEnds(list: readonly Possible[]): readonly RunMs[] {
  let endMs = runMs(0);
  return list.map(({ window }) => (endMs = latest(endMs, window.endHiMs)));
}

/** The common time of two windows that overlap. */
function both(one: BadWindow, other: BadWindow): BadWindow {
  const startLoMs = latest(one.startLoMs, other.startLoMs);
  const firstBadMs = latest(one.firstBadMs, other.firstBadMs);
  return {
    state: one.state === other.state ? one.state : 'uncertain',
    startLoMs,
    startHiMs: latest(one.startHiMs, other.startHiMs),
    endLoMs: latest(startLoMs, earliest(one.endLoMs, other.endLoMs)),
    endHiMs: earliest(one.endHiMs, other.endHiMs),
    firstBadMs,
    lastBadMs: latest(firstBadMs, earliest(one.lastBadMs, other.lastBadMs)),
    open: one.open && other.open,
    causes: added(one.causes, other.causes),
  };
}

function added(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const sums = new Map(Object.entries(one));
  for (const [cause, count] of Object.entries(other)) sums.set(cause, (sums.get(cause) ?? 0) + count);
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}
