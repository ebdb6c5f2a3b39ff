import { maxOf, minOf } from '../core/extremes.ts';
import type { PlannedPath, PlannedWriter } from '../core/plan.ts';
import type { Measure, OperationDowntime } from '../core/summary.ts';
import { earliest, latest } from '../core/time.ts';
import { downtimeOf } from './downtime.ts';
import type { Moment } from './moment.ts';
import { type Operation, operationClients } from './operation-series.ts';
import { type Outages, outagesAfter, recoveryFrom } from './rto.ts';
import type { ProbeSeries, RunLog } from './run-log.ts';
import { withUnobserved } from './sample-gaps.ts';
import { type BadWindow, durationOf } from './windows.ts';

/** The outages of one operation of a writer. */
export interface WriterOutages {
  /** Times in which no client of any path got through: an outage of the service. */
  readonly service: Outages;
  /** Times in which no client of the path got through, by path id. */
  readonly paths: ReadonlyMap<string, Outages>;
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
  const each = clientsIn(log, writer, operation).map(({ path, series }) => ({
    path,
    id: series.probe.id,
    outages: outagesAfter(log, series, from, series.samples.at(-1)?.finishMs),
  }));
  const byPath = Map.groupBy(each, ({ path }) => path.id);
  return {
    service: allOut(each.map(({ outages }) => outages)),
    paths: new Map([...byPath].map(([id, list]) => [id, allOut(list.map(({ outages }) => outages))])),
    clients: new Map(each.map(({ id, outages }) => [id, outages])),
  };
}

/** The sum of outages, and the longest of them. The upper bounds include the longest outage that no operation shows. */
export function downtimeIn({ windows, unobservedMs }: Outages): OperationDowntime {
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
  return { ...withUnobserved(downtimeOf(windows).total, unobservedMs), outages: down.length, longest };
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
function bound(measures: readonly Measure[], of: (values: readonly number[]) => number): Measure {
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
 * client that has no window there.
 */
function allOut(clients: readonly Outages[]): Outages {
  const [first, ...others] = clients;
  if (first === undefined) return { windows: [], unobservedMs: 0 };
  return {
    windows: others.reduce((windows, other) => shared(windows, other.windows), first.windows),
    unobservedMs: maxOf(
      clients.map(({ unobservedMs }) => unobservedMs),
      0,
    ),
  };
}

/** The common times of two lists of windows, both in order. */
function shared(some: readonly BadWindow[], others: readonly BadWindow[]): readonly BadWindow[] {
  return some.flatMap((one) =>
    others.flatMap((other) => {
      const startLoMs = latest(one.startLoMs, other.startLoMs);
      const startHiMs = latest(one.startHiMs, other.startHiMs);
      const endLoMs = latest(startLoMs, earliest(one.endLoMs, other.endLoMs));
      const endHiMs = earliest(one.endHiMs, other.endHiMs);
      if (endHiMs <= startLoMs) return [];
      const both = one.state === other.state ? one.state : 'uncertain';
      const firstBadMs = latest(one.firstBadMs, other.firstBadMs);
      const window: BadWindow = {
        state: both,
        startLoMs,
        startHiMs,
        endLoMs,
        endHiMs,
        firstBadMs,
        lastBadMs: latest(firstBadMs, earliest(one.lastBadMs, other.lastBadMs)),
        open: one.open && other.open,
        causes: added(one.causes, other.causes),
      };
      return [window];
    }),
  );
}

function added(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const sums = new Map(Object.entries(one));
  for (const [cause, count] of Object.entries(other)) sums.set(cause, (sums.get(cause) ?? 0) + count);
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}
