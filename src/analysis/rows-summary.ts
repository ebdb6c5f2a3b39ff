import { roundMs } from '../core/clock.ts';
import { maxOf } from '../core/extremes.ts';
import type { PlannedWriter } from '../core/plan.ts';
import type { Measure, OperationOutage, Rpo, RowLoss, StaleWindow, WriterSummary } from '../core/summary.ts';
import type { RunMs } from '../core/time.ts';
import { clientRecovery, downtimeIn, writerOutages } from './operation-outages.ts';
import type { Operation } from './operation-series.ts';
import { type RunLog, wallTime } from './run-log.ts';
import { toSummaryWindow } from './windows.ts';
import {
  countIn,
  type Edges,
  lengthOf,
  type Loss,
  type RowsAnalysis,
  type Staleness,
} from './written-rows.ts';
import { middle, moment, type Moment } from './moment.ts';

interface Frame {
  readonly log: RunLog;
  /** When the fault took effect; null: none did. */
  readonly effect: Moment | null;
  /** The zero of offsets: the fault's effect, or the run's start if there is none. */
  readonly zeroMs: RunMs;
}

function rounded({ ms, minMs, maxMs }: Measure): Measure {
  return { ms: roundMs(ms), minMs: roundMs(minMs), maxMs: roundMs(maxMs) };
}

function placed(edges: Edges, { log, zeroMs }: Frame) {
  const startMs = middle(edges.startLoMs, edges.startHiMs);
  return {
    startAt: wallTime(log, startMs),
    endAt: wallTime(log, middle(edges.endLoMs, edges.endHiMs)),
    fromMs: roundMs(startMs - zeroMs),
    ...rounded(lengthOf(edges)),
  };
}

function toRowLoss(loss: Loss, { copies, written }: RowsAnalysis, frame: Frame): RowLoss {
  const held = Object.fromEntries(
    [...copies].map(([host, copy]) => [host, countIn(copy, written, loss.rows)]),
  );
  return {
    path: loss.path.id,
    ...placed(loss, frame),
    rows: loss.rows.length,
    ...(copies.size === 0 ? {} : { copies: held }),
  };
}

function toStaleWindow(stale: Staleness, frame: Frame): StaleWindow {
  const { endAt, ...rest } = placed(stale, frame);
  return {
    path: stale.path.id,
    ...rest,
    endAt: stale.open ? null : endAt,
    reads: stale.reads,
    behindMs: roundMs(stale.behindMs),
  };
}

function toWriterSummary(rows: RowsAnalysis, frame: Frame): WriterSummary {
  const { planned, written, anomalies, reads, staleness } = rows;
  return {
    id: planned.id,
    kind: planned.kind,
    paths: planned.paths.map(({ id }) => id),
    clients: planned.paths.length * planned.clients,
    spacingMs: roundMs(planned.intervalMs / planned.clients),
    written: written.length,
    acked: written.countOf('acked'),
    refused: written.countOf('refused'),
    indeterminate: written.countOf('indeterminate'),
    found:
      anomalies === null
        ? null
        : {
            present: anomalies.present,
            lost: anomalies.lost,
            duplicated: anomalies.duplicated,
            phantom: anomalies.phantom,
            indeterminatePresent: anomalies.indeterminatePresent,
            indeterminateAbsent: anomalies.indeterminateAbsent,
          },
    rpo: rows.rpo === null ? null : rounded(rows.rpo),
    losses: rows.losses.map((loss) => toRowLoss(loss, rows, frame)).sort((a, b) => a.fromMs - b.fromMs),
    reads: {
      ...reads,
      behindMs: staleness.length === 0 ? null : roundMs(maxOf(staleness.map((s) => s.behindMs))),
      staleFor: rounded(rows.staleFor),
      windows: staleness.map((s) => toStaleWindow(s, frame)).sort((a, b) => a.fromMs - b.fromMs),
    },
    outages: {
      writes: toOperationOutage(planned, 'write', frame),
      reads: toOperationOutage(planned, 'read', frame),
    },
  };
}

function toOperationOutage(planned: PlannedWriter, operation: Operation, frame: Frame): OperationOutage {
  const { log, effect, zeroMs } = frame;
  const { service, paths, clients } = writerOutages(
    log,
    planned,
    operation,
    effect ?? moment(zeroMs, zeroMs),
  );
  const [worst] = [...clients]
    .map(([client, outages]) => ({ client, ...downtimeIn(outages) }))
    .sort((a, b) => b.ms - a.ms || b.maxMs - a.maxMs);
  return {
    service: downtimeIn(service),
    paths: [...paths].map(([path, outages]) => ({ path, ...downtimeIn(outages) })),
    worstClient: worst ?? null,
    recovered: effect === null ? { first: null, all: null } : clientRecovery(log, planned, operation, effect),
    windows: service.windows.map((window) => ({
      ...toSummaryWindow(log, window),
      fromMs: roundMs(middle(window.startLoMs, window.startHiMs) - zeroMs),
    })),
  };
}

/** The summary of all written rows. `effect`: when the fault took effect; null: none did. */
export function summarizeRows(
  log: RunLog,
  analyses: readonly RowsAnalysis[],
  effect: Moment | null,
): { readonly rpo: Rpo | null; readonly writers: readonly WriterSummary[] } {
  const frame = { log, effect, zeroMs: effect?.ms ?? log.startMs };
  const writers = analyses.map((rows) => toWriterSummary(rows, frame));
  const judged = writers.filter((w) => w.found !== null && w.acked > 0);
  if (judged.length === 0 || judged.length < writers.length) return { rpo: null, writers };
  const [longest] = judged.flatMap((w) => w.rpo ?? []).sort((a, b) => b.ms - a.ms);
  const sum = (of: (w: WriterSummary) => number) => judged.reduce((n, w) => n + of(w), 0);
  return {
    rpo: {
      acked: sum((w) => w.acked),
      lost: sum((w) => w.found?.lost ?? 0),
      duplicated: sum((w) => w.found?.duplicated ?? 0),
      ...(longest ?? { ms: 0, minMs: 0, maxMs: 0 }),
    },
    writers,
  };
}
