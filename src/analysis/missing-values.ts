import type { ValuePart } from '../core/condition.ts';
import { type Condition, sampleTruth } from '../core/condition.ts';
import type { Check } from '../core/plan.ts';
import { printable } from '../core/printable.ts';
import { type Range, seriesOf } from './intervals.ts';
import { countOf, isMute, type KeptSample } from './kept-samples.ts';
import type { Evidence, Outcome } from './outcome.ts';
import { type ProbeSeries, type RunLog, watchedUntil } from './read-log.ts';
import { recoverySeries } from './rto.ts';
import { viewsOf } from './unobserved.ts';
import { listWords } from './words.ts';

const wholeRun: Range = { fromMs: -Infinity, toMs: Infinity };

/** Longest part of a sample's message that a reason quotes. */
const mostChars = 160;

/**
 * An outcome with what its probes did not tell:
 * - no good sample at all: inconclusive, whatever the samples came to. A probe that asks with a wrong user, or at a wrong
 *   port, never sees two primaries;
 * - failed samples, where the outcome is inconclusive: how many, and the last error.
 */
export function withMissingValues(outcome: Outcome, check: Check, evidence: Evidence): Outcome {
  const { log, recovery } = evidence;
  if (recovery === null) return outcome;
  const range = { fromMs: recovery.effect.loMs, toMs: watchedUntil(log) };
  const conditions = conditionsOf(check, log);
  const blind = [
    ...conditions.flatMap((condition) => blindParts(log, condition, range)),
    ...gateConditionsOf(check, log).flatMap((condition) => blindParts(log, condition, wholeRun)),
    ...(readsOutage(check) ? blindOutage(check, log) : []),
  ];
  if (blind.length > 0)
    return {
      status: 'inconclusive',
      observed: 'not seen: no good sample',
      limit: outcome.limit,
      reason: `not judged: ${listWords([...new Set(blind)])}; correct the settings of the probe; \`firedrill watch\` shows its samples`,
    };
  if (outcome.status !== 'inconclusive' || outcome.reason === null) return outcome;
  const gaps = conditions.flatMap((condition) => valueGaps(log, condition, range));
  return gaps.length === 0 ? outcome : { ...outcome, reason: [outcome.reason, ...new Set(gaps)].join('; ') };
}

/** The conditions of which a check asks when they held. */
function conditionsOf(check: Check, { plan }: RunLog): readonly Condition[] {
  switch (check.kind) {
    case 'never':
    case 'happens':
    case 'finally':
      return [check.condition];
    case 'role-moved':
    case 'role-stays':
      return [plan.roles[check.role] ?? []].flat();
    case 'ownership': {
      const sides = plan.ownership[check.of] ?? {};
      const names = 'state' in check ? [check.side] : [check.side, check.differsFrom];
      return names.flatMap((name) => sides[name] ?? []);
    }
    default:
      return [];
  }
}

/** The conditions of the gate that a check waits for. What a fault took away for good is not restored: the steady state counts, too. */
function gateConditionsOf({ kind }: Check, { plan }: RunLog): readonly Condition[] {
  return kind === 'redundancy' || kind === 'return' ? plan.redundancy.require : [];
}

/** Whether a check judges bad samples of the recovery probe, or of a probe of its own, as an outage. */
function readsOutage(check: Check): boolean {
  return ['rto', 'downtime', 'no-recovery', 'heal-outage'].includes(check.kind);
}

function partsOf(condition: Condition): readonly (ValuePart & Pick<Condition, 'host'>)[] {
  return [condition, ...(condition.and ?? [])];
}

/**
 * Probes of a condition that told nothing. With `is`, none of the instances that it asks was good in the range. Without
 * `is`, "not ok" is an answer: none of the probe's instances was good in the whole run. What a fault of the drill had
 * switched off did not need to answer.
 */
function blindParts(log: RunLog, condition: Condition, range: Range): readonly string[] {
  const view = viewsOf(log, condition).asCounted;
  return partsOf(condition).flatMap((part) => {
    const series = seriesOf(view, part.is === undefined ? { probe: part.probe } : part);
    const judged = part.is === undefined ? wholeRun : range;
    const sent = series.map((one) => ({ one, samples: samplesIn(one, judged) }));
    if (sent.some(({ samples }) => samples.some((s) => s.status === 'ok' || s.provenDown === true)))
      return [];
    return sent.map(({ one, samples }) => blindWords(one, samples));
  });
}

/** The probe whose bad samples a check counts, where no sample of the whole run was good. */
function blindOutage(check: Check, log: RunLog): readonly string[] {
  const named = check.kind === 'downtime' ? check.probe : undefined;
  const series = named === undefined ? recoverySeries(log) : log.series.get(named);
  if (series === undefined || series.samples.some((s) => s.status === 'ok')) return [];
  return [blindWords(series, series.samples)];
}

function samplesIn({ samples }: ProbeSeries, { fromMs, toMs }: Range): readonly KeptSample[] {
  return samples.filter((s) => s.sendMs >= fromMs && s.finishMs <= toMs);
}

function blindWords(series: ProbeSeries, samples: readonly KeptSample[]): string {
  return `${series.probe.id} gave no good sample (${countOf(samples)} sent${errorWords(series)})`;
}

/** Instances of which the condition asks a value, and that failed without one. */
export function valueGaps(log: RunLog, condition: Condition, range: Range): readonly string[] {
  const view = viewsOf(log, condition).asCounted;
  return partsOf(condition).flatMap((part) => {
    if (part.is === undefined) return [];
    return seriesOf(view, part).flatMap((series) => {
      const samples = samplesIn(series, range);
      const failed = samples.filter(
        (s) => s.status === 'fail' && sampleTruth(part, series.probe, s) === 'maybe',
      );
      const [first] = failed;
      if (first === undefined) return [];
      const cause = failed.find((s) => !isMute(s))?.cause;
      const hint =
        cause === undefined
          ? ''
          : `; if a failure with cause \`${cause}\` shows a state of the target, declare that state in the probe's \`onFailure\``;
      return [
        `${series.probe.id} gave no value in ${countOf(failed)} of ${countOf(samples)} samples${errorWords(series).replace(', ', ': ')}${hint}`,
      ];
    });
  });
}

/** Instances of the condition of which the observer saw nothing: it broke, or sent nothing. */
export function sightGaps(log: RunLog, condition: Condition, { fromMs, toMs }: Range): readonly string[] {
  const read = partsOf(condition).flatMap((part) => seriesOf(log, part));
  return [...new Set(read)].flatMap((series) => {
    const samples = samplesIn(series, { fromMs, toMs });
    const unknown = countOf(samples.filter((s) => s.status === 'unknown'));
    const unsent = series.dropped.filter(({ dueMs }) => dueMs >= fromMs && dueMs <= toMs).length;
    const { id } = series.probe;
    return [
      ...(unknown === 0
        ? []
        : [`${id} saw nothing in ${unknown} of ${countOf(samples)} samples${errorWords(series)}`]),
      ...(unsent === 0 ? [] : [`${unsent} samples of ${id} were not sent`]),
    ];
  });
}

function errorWords({ lastError }: ProbeSeries): string {
  return lastError === undefined ? '' : `, last error: ${printable(lastError, mostChars)}`;
}
