import type { ValuePart } from '../core/condition.ts';
import { type Condition, sampleTruth } from '../core/condition.ts';
import type { Check } from '../core/plan.ts';
import { messageText } from '../core/message-text.ts';
import { distantFuture, distantPast } from '../core/time.ts';
import { type Range, seriesOf } from './intervals.ts';
import { countOf, isPathFailure, type KeptSample } from './kept-samples.ts';
import type { Evidence, Outcome } from './outcome.ts';
import { type ProbeSeries, type RunLog, watchedUntil } from './run-log.ts';
import { recoverySeries } from './rto.ts';
import { viewsOf } from './unobserved.ts';
import { listText } from './format.ts';

const wholeRun: Range = { fromMs: distantPast, toMs: distantFuture };

/** Longest part of a sample's message that a reason quotes, in characters. */
const mostChars = 160;

/**
 * Corrects an outcome for probes without values:
 * - Without a good sample, it is inconclusive, whatever the check gave. For example, a probe with a wrong user or a wrong
 *   port never finds two primaries.
 * - With failed samples, the reason of an inconclusive outcome gets their number and the last error.
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
      observed: 'not measured: no good sample',
      limit: outcome.limit,
      reason: `not judged: ${listText([...new Set(blind)])}; correct the settings of the probe, and check its samples with \`firedrill watch\``,
    };
  if (outcome.status !== 'inconclusive' || outcome.reason === null) return outcome;
  const gaps = conditions.flatMap((condition) => valueGaps(log, condition, range));
  return gaps.length === 0 ? outcome : { ...outcome, reason: [outcome.reason, ...new Set(gaps)].join('; ') };
}

/** The conditions whose times a check judges. */
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

/**
 * The conditions of the gate that a check waits for. A fault may remove a state for good, so the
 * steady state counts, too.
 */
function gateConditionsOf({ kind }: Check, { plan }: RunLog): readonly Condition[] {
  return kind === 'redundancy' || kind === 'return' ? plan.redundancy.require : [];
}

/** Whether a check judges bad samples of the recovery probe, or of its own probe, as an outage. */
function readsOutage(check: Check): boolean {
  return ['rto', 'downtime', 'no-recovery', 'heal-outage'].includes(check.kind);
}

function partsOf(condition: Condition): readonly (ValuePart & Pick<Condition, 'host'>)[] {
  return [condition, ...(condition.and ?? [])];
}

/**
 * Probes of a condition without a usable sample. With `is`: no instance had a good sample in the range. Without `is`, a bad
 * sample is a result, too: no instance had a good sample in the whole run. Hosts that a fault of the drill had switched off
 * do not count.
 */
function blindParts(log: RunLog, condition: Condition, range: Range): readonly string[] {
  const view = viewsOf(log, condition).asCounted;
  return partsOf(condition).flatMap((part) => {
    const series = seriesOf(view, part.is === undefined ? { probe: part.probe } : part);
    const judged = part.is === undefined ? wholeRun : range;
    const sent = series.map((one) => ({ one, samples: samplesIn(one, judged) }));
    if (sent.some(({ samples }) => samples.some((s) => s.status === 'ok' || s.provenDown === true)))
      return [];
    return sent.map(({ one, samples }) => blindText(one, samples));
  });
}

/** The probe whose bad samples a check counts, if it had no good sample in the whole run. */
function blindOutage(check: Check, log: RunLog): readonly string[] {
  const named = check.kind === 'downtime' ? check.probe : undefined;
  const series = named === undefined ? recoverySeries(log) : log.series.get(named);
  if (series === undefined || series.samples.some((s) => s.status === 'ok')) return [];
  return [blindText(series, series.samples)];
}

function samplesIn({ samples }: ProbeSeries, { fromMs, toMs }: Range): readonly KeptSample[] {
  return samples.filter((s) => s.sendMs >= fromMs && s.finishMs <= toMs);
}

function blindText(series: ProbeSeries, samples: readonly KeptSample[]): string {
  return `${series.probe.id} gave no good sample (${countOf(samples)} sent${errorText(series)})`;
}

/** Instances of a condition with `is` that had failed samples, which have no value. */
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
      const cause = failed.find((s) => !isPathFailure(s))?.cause;
      const hint =
        cause === undefined
          ? ''
          : `; if a failure with cause \`${cause}\` shows a state of the target, declare that state in the probe's \`onFailure\``;
      return [
        `${series.probe.id} gave no value in ${countOf(failed)} of ${countOf(samples)} samples${errorText(series).replace(', ', ': ')}${hint}`,
      ];
    });
  });
}

/** Instances of a condition with samples that the prober lost or did not send. */
export function sampleGaps(log: RunLog, condition: Condition, { fromMs, toMs }: Range): readonly string[] {
  const read = partsOf(condition).flatMap((part) => seriesOf(log, part));
  return [...new Set(read)].flatMap((series) => {
    const samples = samplesIn(series, { fromMs, toMs });
    const unknown = countOf(samples.filter((s) => s.status === 'unknown'));
    const unsent = series.dropped.filter(({ dueMs }) => dueMs >= fromMs && dueMs <= toMs).length;
    const { id } = series.probe;
    return [
      ...(unknown === 0
        ? []
        : [`${unknown} of ${countOf(samples)} samples of ${id} are unknown${errorText(series)}`]),
      ...(unsent === 0 ? [] : [`${unsent} samples of ${id} were not sent`]),
    ];
  });
}

function errorText({ lastError }: ProbeSeries): string {
  return lastError === undefined ? '' : `, last error: ${messageText(lastError, mostChars)}`;
}
