import { staleAfterMs } from '../../core/freshness.ts';
import type { Measure } from '../../core/summary.ts';
import { type KeptSample, lastAnswerMs } from '../../analysis/kept-samples.ts';
import { intervalAt, type ProbeSeries } from '../../analysis/run-log.ts';
import type { Analysis } from '../../analysis/summarize.ts';
import { type BadWindow, durationOf } from '../../analysis/windows.ts';
import { middle } from '../../analysis/moment.ts';
import { estimateText, measureText } from '../../analysis/format.ts';
import { durationText, offsetText } from '../../core/format-duration.ts';
import { later, latest, type RunMs } from '../../core/time.ts';
import { counted } from '../text.ts';
import { causeText } from '../watch-text.ts';
import type { Lane, Piece } from './lanes.ts';

/** A probe with more values or more changes is drawn without its values. */
const valueLimit = 12;
const changeLimit = 16;

/** One probe's band: good, down with its bounds, slow, unknown; with the reported values if there are few. */
export function probeLane({ log, windows }: Analysis, series: ProbeSeries, zeroMs: RunMs): Lane {
  const { probe, samples, dropped } = series;
  const bad = windows.get(probe.id) ?? [];
  const reported = samples.flatMap((s) => (s.value === undefined || s.value === '' ? [] : [s.value]));
  const changes = reported.filter((value, i) => i > 0 && value !== reported[i - 1]).length;
  const hasValues = reported.length > 0 && new Set(reported).size <= valueLimit && changes <= changeLimit;
  const pieces: Piece[] = [
    ...answerPieces(series, zeroMs, hasValues),
    ...dropped.map(({ dueMs }): Piece => ({
      fromMs: dueMs,
      toMs: later(dueMs, intervalAt(log, probe, dueMs)),
      kind: 'unknown',
      title: `not sent ${offsetText(dueMs - zeroMs)}`,
    })),
    ...bad.flatMap((w) => windowPieces(w, zeroMs)),
  ];
  return { label: probe.id, words: laneText(bad, samples), pieces };
}

const none: Measure = { ms: 0, minMs: 0, maxMs: 0 };

function add(a: Measure, b: Measure): Measure {
  return { ms: a.ms + b.ms, minMs: a.minMs + b.minMs, maxMs: a.maxMs + b.maxMs };
}

function laneText(bad: readonly BadWindow[], samples: readonly KeptSample[]): string {
  if (samples.length === 0) return 'no sample';
  const words = (['down', 'slow'] as const).flatMap((state) => {
    const own = bad.filter((w) => w.state === state);
    const total = own.map(durationOf).reduce(add, none);
    return own.length === 0
      ? []
      : [`${state} for ${estimateText(total)} in ${counted(own.length, 'window')}`];
  });
  const uncertainMs = bad.reduce((sum, w) => sum + (w.state === 'uncertain' ? durationOf(w).maxMs : 0), 0);
  if (uncertainMs > 0)
    words.push(
      `uncertain for up to ${durationText(uncertainMs)}: the prober was degraded, or samples are lost`,
    );
  const unknown = samples.some((s) => s.status === 'unknown') ? ['partly unknown'] : [];
  return [...words, ...unknown].join(', ') || 'good throughout';
}

/** Good and unknown pieces, from sample to sample; down windows are drawn over them. */
function answerPieces(series: ProbeSeries, zeroMs: RunMs, hasValues: boolean): readonly Piece[] {
  const stale = staleAfterMs(series);
  const pieces: { -readonly [K in keyof Piece]: Piece[K] }[] = [];
  const add = (piece: Piece) => {
    const last = pieces.at(-1);
    if (last?.kind === piece.kind && last.label === piece.label && piece.fromMs <= last.toMs)
      last.toMs = latest(last.toMs, piece.toMs);
    else if (piece.toMs > piece.fromMs) pieces.push({ ...piece });
  };
  for (const [index, sample] of series.samples.entries()) {
    const saidMs = lastAnswerMs(sample);
    const next = series.samples[index + 1]?.sendMs;
    const isSilent = next !== undefined && next - saidMs > stale;
    const toMs = next === undefined || isSilent ? latest(sample.finishMs, saidMs) : next;
    if (sample.status === 'unknown') add({ fromMs: sample.sendMs, toMs, kind: 'unknown', title: '' });
    if (sample.status === 'ok') {
      const value = hasValues ? sample.value : undefined;
      add(
        value === undefined
          ? { fromMs: sample.sendMs, toMs, kind: 'good', title: '' }
          : { fromMs: sample.sendMs, toMs, kind: 'value', label: value, title: '' },
      );
    }
    if (isSilent) add({ fromMs: toMs, toMs: next, kind: 'unknown', title: '' });
  }
  return pieces.map((p) => {
    const what = p.kind === 'unknown' ? 'unknown' : (p.label ?? 'good');
    return {
      ...p,
      title: `${what}, ${offsetText(p.fromMs - zeroMs, 2)} to ${offsetText(p.toMs - zeroMs, 2)}`,
    };
  });
}

/** A window as a piece for its bounds, and over it a piece for the time that is certainly down. */
function windowPieces(w: BadWindow, zeroMs: RunMs): readonly Piece[] {
  const start = middle(w.startLoMs, w.startHiMs);
  const open = w.open ? ', still open at the end' : '';
  const title = `${w.state} from ${offsetText(start - zeroMs)} for ${measureText(durationOf(w))}${open}: ${causeText(w.causes)}`;
  if (w.state === 'slow') return [{ fromMs: w.startLoMs, toMs: w.endHiMs, kind: 'slow', title }];
  const edges: Piece = { fromMs: w.startLoMs, toMs: w.endHiMs, kind: 'edge', title };
  return w.endLoMs > w.startHiMs
    ? [
        edges,
        { fromMs: w.startHiMs, toMs: w.open ? w.endHiMs : w.endLoMs, kind: 'down', label: 'down', title },
      ]
    : [edges];
}
