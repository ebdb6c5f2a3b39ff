import { type Condition, countTruth, sampleTruth } from '../core/condition.ts';
import { staleAfterMs } from '../core/freshness.ts';
import type { StageEnd } from '../core/plan.ts';
import { combine, type Range, seriesOf, type Truth, type TruthSpan } from './intervals.ts';
import { lastSaidMs } from './kept-samples.ts';
import type { ProbeSeries, RunLog } from './read-log.ts';
import { middle, type Moment } from './moment.ts';

/** Something happened: its bounds, and until when it was seen to last; a mark lasts for no time. ms. */
export interface Happening extends Moment {
  readonly untilMs: number;
}

/** What was seen of the end of a stage within a chain. */
export interface Milestone {
  /** In order. */
  readonly happenings: readonly Happening[];
  /** It was so before the chain began, and was not seen to cease: it did not happen. */
  readonly heldBefore: boolean;
}

/** A chain's beginning and end. */
export interface ChainRange {
  readonly from: Moment;
  readonly to: Moment;
}

/** For how long a state counts that one sample alone shows: the grid of the log, ms. */
const instantMs = 0.001;

/** What a sample, and those left out after it, said about the value part of a condition. */
interface Statement {
  readonly holds: boolean;
  readonly sendMs: number;
  readonly lastMs: number;
  readonly finishMs: number;
}

/**
 * What an instance said, in send order. A sample without a value says nothing of a condition that asks for one; where that
 * value was there, it is gone when the last answer is too old to speak for the present. A sample that failed while the
 * prober was degraded says nothing.
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
      lastMs: lastSaidMs(sample),
      finishMs: sample.finishMs,
    });
  }
  return out;
}

/**
 * Whether one instance matched, over the range. A change lies between the sending of the last sample before it and the
 * answer of the first one after it. A sample that says otherwise than those around it proves an instant.
 */
function instanceSpans(series: ProbeSeries, condition: Condition, range: Range): readonly TruthSpan[] {
  const staleMs = staleAfterMs(series);
  const spans: { fromMs: number; toMs: number; truth: Truth }[] = [];
  let cursorMs = range.fromMs;
  const add = (untilMs: number, truth: Truth): void => {
    const toMs = Math.min(untilMs, range.toMs);
    if (toMs <= cursorMs) return;
    const last = spans.at(-1);
    if (last?.truth === truth) last.toMs = toMs;
    else spans.push({ fromMs: cursorMs, toMs, truth });
    cursorMs = toMs;
  };
  /** Adds the state that a statement shows, up to a moment. It lasts an instant at least. */
  const tell = ({ holds, finishMs }: Statement, untilMs: number): void => {
    const truth = holds ? 'yes' : 'no';
    add(untilMs, truth);
    if (spans.at(-1)?.truth !== truth && finishMs >= range.fromMs) add(cursorMs + instantMs, truth);
  };
  let before: Statement | undefined;
  for (const statement of statementsOf(series, condition)) {
    const isContinued = before?.holds === statement.holds && statement.sendMs - before.lastMs <= staleMs;
    if (!isContinued) {
      if (before !== undefined) tell(before, before.lastMs);
      add(statement.finishMs, 'maybe');
    }
    before = statement;
  }
  if (before !== undefined) tell(before, before.lastMs + staleMs);
  add(range.toMs, 'maybe');
  return spans;
}

/** The index of the span in which a moment lies. */
function indexAt(spans: readonly TruthSpan[], ms: number): number {
  return spans.findIndex((s) => s.fromMs <= ms && ms < s.toMs);
}

/**
 * When a condition that held all along, as far as was seen, began to hold by other instances than before: a role that moved
 * faster than the probes looked. undefined where it did not.
 */
function replacedFromMs(
  lists: readonly (readonly TruthSpan[])[],
  before: TruthSpan,
  after: TruthSpan,
): number | undefined {
  const holding = (ms: number) => lists.filter((list) => list[indexAt(list, ms)]?.truth === 'yes');
  const old = holding(before.toMs - instantMs / 2);
  const now = holding(after.fromMs);
  if (now.length === 0 || now.some((list) => old.includes(list))) return undefined;
  const begins = now.map((list) => {
    const index = indexAt(list, after.fromMs);
    const changing = list[index - 1];
    return (changing?.truth === 'maybe' ? changing : list[index])?.fromMs ?? after.fromMs;
  });
  return Math.max(before.toMs, Math.min(...begins));
}

/** The moments at which a condition came to hold that had not held before, over the range; and what was known of it when. */
function comingsTrue(
  instances: readonly ProbeSeries[],
  condition: Condition,
  range: Range,
): { readonly spans: readonly TruthSpan[]; readonly happenings: readonly Happening[] } {
  const lists = instances.map((series) => instanceSpans(series, condition, range));
  const spans = combine(lists, range, (truths) => countTruth(condition, truths));
  const happenings: Happening[] = [];
  let lastNo: TruthSpan | undefined;
  let lastYes: TruthSpan | undefined;
  for (const [index, span] of spans.entries()) {
    if (span.truth === 'no') lastNo = span;
    if (span.truth !== 'yes') continue;
    const loMs = lastNo?.toMs ?? (lastYes === undefined ? undefined : replacedFromMs(lists, lastYes, span));
    if (loMs !== undefined) {
      const next = spans.slice(index).find((s) => s.truth === 'no');
      happenings.push({
        loMs,
        hiMs: span.fromMs,
        ms: middle(loMs, span.fromMs),
        untilMs: next?.fromMs ?? range.toMs,
      });
    }
    lastYes = span;
    lastNo = undefined;
  }
  return { spans, happenings };
}

/** The part of the bounds that lies in the chain; undefined where none does. */
function within(happening: Happening, { from, to }: ChainRange): Happening | undefined {
  if (happening.hiMs < from.loMs || happening.loMs > to.hiMs) return undefined;
  const loMs = Math.max(happening.loMs, from.loMs);
  const hiMs = Math.min(happening.hiMs, to.hiMs);
  const ms = Math.min(to.ms, Math.max(from.ms, middle(loMs, hiMs)));
  return { loMs: Math.min(loMs, ms), hiMs: Math.max(hiMs, ms), ms, untilMs: happening.untilMs };
}

/**
 * What was seen of the end of a stage. A condition has to come to hold within the chain: one that held before, and did
 * not cease, is no milestone. The host of the fault is `faultHost`.
 */
export function milestoneOf(
  log: RunLog,
  end: Exclude<StageEnd, { kind: 'recovered' }>,
  chain: ChainRange,
  faultHost: string | null,
): Milestone {
  const counts = (host: string | undefined) =>
    !(end.excludeFaultHost && host !== undefined && host === faultHost) &&
    !(end.onlyFaultHost === true && host !== faultHost);
  const inChain = (happenings: readonly Happening[]) => happenings.flatMap((h) => within(h, chain) ?? []);
  if (end.kind === 'condition') {
    const instances = seriesOf(log, end.condition).filter((s) => counts(s.probe.host));
    if (instances.length === 0) return { happenings: [], heldBefore: false };
    const range = { fromMs: log.startMs, toMs: log.endMs };
    const { spans, happenings } = comingsTrue(instances, end.condition, range);
    const found = inChain(happenings);
    const known = spans.findLast((s) => s.truth !== 'maybe' && s.fromMs <= chain.from.loMs);
    return { happenings: found, heldBefore: found.length === 0 && known?.truth === 'yes' };
  }
  const marks = log.marks.filter((m) => {
    const series = log.series.get(m.probe);
    return (
      m.name === end.mark &&
      (m.probe === end.probe || series?.probe.name === end.probe) &&
      counts(m.host ?? series?.probe.host)
    );
  });
  return {
    happenings: inChain(
      marks.map(({ atMs: ms, minMs = ms, maxMs = ms }) => ({ loMs: minMs, hiMs: maxMs, ms, untilMs: ms })),
    ),
    heldBefore: false,
  };
}
