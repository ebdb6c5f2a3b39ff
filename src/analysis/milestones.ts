import { type Condition, countTruth, sampleTruth } from '../core/condition.ts';
import { staleAfterMs } from '../core/freshness.ts';
import type { HostName } from '../core/ids.ts';
import type { StageEnd } from '../core/plan.ts';
import { combine, type Range, seriesOf, type Tristate, type TristateSpan } from './intervals.ts';
import { lastAnswerMs } from './kept-samples.ts';
import type { ProbeSeries, RunLog } from './run-log.ts';
import { middle, type Moment } from './moment.ts';
import { earlier, earliest, later, latest, type RunMs } from '../core/time.ts';

/**
 * An event or a state: the bounds of its beginning, and the end of the state. A mark ends when it
 * begins. ms.
 */
export interface Occurrence extends Moment {
  readonly untilMs: RunMs;
}

/** The observations of the end of a stage in a chain. */
export interface Milestone {
  /** In order. */
  readonly occurrences: readonly Occurrence[];
  /**
   * The condition held before the chain began and did not cease by any sample, so it did not come to
   * hold.
   */
  readonly heldBefore: boolean;
}

/** A chain's beginning and end. */
export interface ChainRange {
  readonly from: Moment;
  readonly to: Moment;
}

/** How long a state lasts that only one sample shows, ms: the resolution of the log. */
const instantMs = 0.001;

/** The result of a sample, and of those left out after it, for the value part of a condition. */
interface Statement {
  readonly holds: boolean;
  readonly sendMs: RunMs;
  readonly lastMs: RunMs;
  readonly finishMs: RunMs;
}

/**
 * An instance's results, in send order. A sample without a value gives no result for a condition with `is`. But a value that
 * was there is gone once the last answer is stale. A sample that failed while the prober was degraded gives no result.
 */
function statementsOf(series: ProbeSeries, condition: Condition): readonly Statement[] {
  const out: Statement[] = [];
  for (const sample of series.samples) {
    if (sample.status === 'unknown' || sample.degraded === true) continue;
    const truth = sampleTruth(condition, series.probe, sample);
    const last = out.at(-1);
    const isCurrent = last?.holds === true && sample.sendMs - last.lastMs <= staleAfterMs(series);
    if (truth === 'maybe' && isCurrent) continue;
    out.push({
      holds: truth === 'yes',
      sendMs: sample.sendMs,
      lastMs: lastAnswerMs(sample),
      finishMs: sample.finishMs,
    });
  }
  return out;
}

/**
 * Whether one instance matched, over the range. A change lies between the sending of the last sample before it and the answer
 * of the first sample after it. A single sample that differs from its neighbors proves the state for an instant.
 */
function instanceSpans(series: ProbeSeries, condition: Condition, range: Range): readonly TristateSpan[] {
  const staleMs = staleAfterMs(series);
  const spans: { fromMs: RunMs; toMs: RunMs; truth: Tristate }[] = [];
  let cursorMs = range.fromMs;
  const add = (untilMs: RunMs, truth: Tristate): void => {
    const toMs = earliest(untilMs, range.toMs);
    if (toMs <= cursorMs) return;
    const last = spans.at(-1);
    if (last?.truth === truth) last.toMs = toMs;
    else spans.push({ fromMs: cursorMs, toMs, truth });
    cursorMs = toMs;
  };
  /** Adds the state that a statement shows, up to a moment. The state lasts at least an instant. */
  const report = ({ holds, finishMs }: Statement, untilMs: RunMs): void => {
    const truth = holds ? 'yes' : 'no';
    add(untilMs, truth);
    if (spans.at(-1)?.truth !== truth && finishMs >= range.fromMs) add(later(cursorMs, instantMs), truth);
  };
  let before: Statement | undefined;
  for (const statement of statementsOf(series, condition)) {
    const isContinued = before?.holds === statement.holds && statement.sendMs - before.lastMs <= staleMs;
    if (!isContinued) {
      if (before !== undefined) report(before, before.lastMs);
      add(statement.finishMs, 'maybe');
    }
    before = statement;
  }
  if (before !== undefined) report(before, later(before.lastMs, staleMs));
  add(range.toMs, 'maybe');
  return spans;
}

/** The index of the span in which a moment lies. */
function indexAt(spans: readonly TristateSpan[], atMs: RunMs): number {
  return spans.findIndex((s) => s.fromMs <= atMs && atMs < s.toMs);
}

/**
 * The earliest moment at which other instances than before made the condition hold, although no sample shows that it ceased: a
 * role may move faster than the probes sample it. undefined if no instance changed.
 */
function replacedFromMs(
  lists: readonly (readonly TristateSpan[])[],
  before: TristateSpan,
  after: TristateSpan,
): RunMs | undefined {
  const holding = (atMs: RunMs) => lists.filter((list) => list[indexAt(list, atMs)]?.truth === 'yes');
  const old = holding(earlier(before.toMs, instantMs / 2));
  const now = holding(after.fromMs);
  if (now.length === 0 || now.some((list) => old.includes(list))) return undefined;
  const begins = now.map((list) => {
    const index = indexAt(list, after.fromMs);
    const changing = list[index - 1];
    return (changing?.truth === 'maybe' ? changing : list[index])?.fromMs ?? after.fromMs;
  });
  return latest(before.toMs, earliest(...begins));
}

/**
 * The moments over the range at which a condition came to hold after it had not held, and its truth
 * over time.
 */
function timesItBecameTrue(
  instances: readonly ProbeSeries[],
  condition: Condition,
  range: Range,
): { readonly spans: readonly TristateSpan[]; readonly occurrences: readonly Occurrence[] } {
  const lists = instances.map((series) => instanceSpans(series, condition, range));
  const spans = combine(lists, range, (truths) => countTruth(condition, truths));
  const occurrences: Occurrence[] = [];
  let lastNo: TristateSpan | undefined;
  let lastYes: TristateSpan | undefined;
  for (const [index, span] of spans.entries()) {
    if (span.truth === 'no') lastNo = span;
    if (span.truth !== 'yes') continue;
    const loMs = lastNo?.toMs ?? (lastYes === undefined ? undefined : replacedFromMs(lists, lastYes, span));
    if (loMs !== undefined) {
      const next = spans.slice(index).find((s) => s.truth === 'no');
      occurrences.push({
        loMs,
        hiMs: span.fromMs,
        ms: middle(loMs, span.fromMs),
        untilMs: next?.fromMs ?? range.toMs,
      });
    }
    lastYes = span;
    lastNo = undefined;
  }
  return { spans, occurrences };
}

/** The part of the bounds that is within the chain; undefined if there is none. */
function within(occurrence: Occurrence, { from, to }: ChainRange): Occurrence | undefined {
  if (occurrence.hiMs < from.loMs || occurrence.loMs > to.hiMs) return undefined;
  const loMs = latest(occurrence.loMs, from.loMs);
  const hiMs = earliest(occurrence.hiMs, to.hiMs);
  const ms = earliest(to.ms, latest(from.ms, middle(loMs, hiMs)));
  return { loMs: earliest(loMs, ms), hiMs: latest(hiMs, ms), ms, untilMs: occurrence.untilMs };
}

/**
 * The observations of the end of a stage. A condition must come to hold within the chain: one that held before and did not
 * cease is not a milestone. `faultHost` is the fault's host.
 */
export function milestoneOf(
  log: RunLog,
  end: Exclude<StageEnd, { kind: 'recovered' }>,
  chain: ChainRange,
  faultHost: HostName | null,
): Milestone {
  const counts = (host: HostName | undefined) =>
    !(end.excludeFaultHost && host !== undefined && host === faultHost) &&
    !(end.onlyFaultHost === true && host !== faultHost);
  const inChain = (occurrences: readonly Occurrence[]) => occurrences.flatMap((h) => within(h, chain) ?? []);
  if (end.kind === 'condition') {
    const instances = seriesOf(log, end.condition).filter((s) => counts(s.probe.host));
    if (instances.length === 0) return { occurrences: [], heldBefore: false };
    const range = { fromMs: log.startMs, toMs: log.endMs };
    const { spans, occurrences } = timesItBecameTrue(instances, end.condition, range);
    const found = inChain(occurrences);
    const known = spans.findLast((s) => s.truth !== 'maybe' && s.fromMs <= chain.from.loMs);
    return { occurrences: found, heldBefore: found.length === 0 && known?.truth === 'yes' };
  }
  const marks = log.marks.filter((m) => {
    const series = log.series.get(m.probe);
    return m.name === end.mark && series?.probe.name === end.probe && counts(m.host ?? series.probe.host);
  });
  return {
    occurrences: inChain(
      marks.map(({ atMs: ms, minMs = ms, maxMs = ms }) => ({ loMs: minMs, hiMs: maxMs, ms, untilMs: ms })),
    ),
    heldBefore: false,
  };
}
