import { durationWords } from '../core/format-duration.ts';
import { dominantStage } from '../analysis/stages.ts';
import { besidePrediction } from '../analysis/prediction-notes.ts';
import { estimateWords, measureWords } from '../analysis/words.ts';
import type { CheckResult, Predicted, Stage, Summary, VerdictWord } from '../core/summary.ts';
import { sideWords } from './ownership-text.ts';
import { controlWords, harnessWords } from './prober-text.ts';
import { rowLines, rpoWords } from './rows-text.ts';
import { aligned, bar, counted, plain } from './text.ts';

const barWidth = 30;

/** The mark of a check in a text report. */
function markOf(status: CheckResult['status']): string {
  switch (status) {
    case 'pass':
      return 'ok';
    case 'fail':
      return 'FAIL';
    case 'inconclusive':
      return '??';
  }
}

/** The verdict as shown at the top of a report. */
export function verdictWords(summary: Pick<Summary, 'verdict' | 'healed'>): string {
  const word = summary.verdict.toUpperCase();
  return summary.healed ? word : `${word}, NOT HEALED`;
}

/** The worst verdict of multiple drills. Inconclusive if there is no drill, or if a drill that did not fail is not healed. */
export function worstVerdict(drills: readonly Pick<Summary, 'verdict' | 'healed'>[]): VerdictWord {
  if (drills.some(({ verdict }) => verdict === 'fail')) return 'fail';
  return drills.length > 0 && drills.every(({ verdict, healed }) => verdict === 'pass' && healed)
    ? 'pass'
    : 'inconclusive';
}

/** The part of a check that has its limits; also of a stored run. */
interface Limited {
  readonly kind: string;
  readonly limits?: { readonly maxMs?: number | undefined } | undefined;
}

/** The limit of a run's check on its RTO, ms; undefined without one. */
export function rtoLimitMs({ checks }: { readonly checks: readonly Limited[] }): number | undefined {
  return checks.find(({ kind }) => kind === 'rto')?.limits?.maxMs;
}

function facts(summary: Summary): string[] {
  const { rto, downtime, faults, redundancyRestoredMs } = summary;
  const rows: [string, string][] = [];
  for (const f of faults) rows.push(['fault', `${plain(f.kind)} on ${plain(f.on)}`]);
  if (rto !== null) {
    rows.push(['RTO', `${rtoWords(rto)}${besides(summary.predicted?.rto)}`]);
  } else if (faults.length > 0) {
    rows.push(['RTO', 'not measured']);
  }
  const rpo = rpoWords(summary);
  if (rpo !== undefined) rows.push(['RPO', rpo]);
  if (downtime !== null)
    rows.push(['downtime', `${measureWords(downtime)} in ${counted(downtime.windows, 'window')}`]);
  if (redundancyRestoredMs !== null)
    rows.push([
      'redundancy',
      `restored after ${durationWords(redundancyRestoredMs)}${besides(summary.predicted?.redundancy)}`,
    ]);
  if (hasReturn(summary.heal)) rows.push(['return', returnWords(summary.heal)]);
  for (const r of summary.roles)
    if (r.before !== r.after)
      rows.push(['role', `${plain(r.role)}: ${plain(r.before ?? 'none')} -> ${plain(r.after ?? 'none')}`]);
  if (summary.harness !== undefined) rows.push(['cost', harnessWords(summary.harness)]);
  const control = controlWords(summary.prober);
  if (control !== null) rows.push(['control', control]);
  return aligned(rows);
}

/** The first sign of recovery; undefined if that recovery held. */
export function firstSignWords({ ms, first }: NonNullable<Summary['rto']>): string | undefined {
  return first === null || first.ms === ms
    ? undefined
    : `first sign of recovery after ${estimateWords(first)}`;
}

/** The RTO with its bounds, and the first sign of recovery if that recovery did not hold. */
export function rtoWords(rto: NonNullable<Summary['rto']>): string {
  return [measureWords(rto), firstSignWords(rto)].filter((w) => w !== undefined).join(', ');
}

/** The prediction, as a suffix of the measured value. */
function besides(predicted: Predicted | undefined): string {
  return predicted === undefined ? '' : `; predicted ${predictedWords(predicted)}`;
}

/** Whether the heal had an observable effect: it restored redundancy, or an outage followed it. */
export function hasReturn(heal: Summary['heal']): heal is NonNullable<Summary['heal']> {
  return heal !== null && (heal.return !== null || heal.outage.windows > 0);
}

/** The return as text: the time until redundancy, and the outage. */
export function returnWords(heal: NonNullable<Summary['heal']>): string {
  const { outage } = heal;
  const back = heal.return === null ? 'no redundancy' : `redundancy ${measureWords(heal.return)}`;
  const cost =
    outage.windows === 0
      ? 'no outage'
      : `outage ${measureWords(outage)} in ${counted(outage.windows, 'window')}`;
  return `${back} after the heal began; ${cost} from then on`;
}

/** A prediction: `2.65 s to 3.65 s, median 3.15 s`; with `(measured)` if it includes times that no setting determines. */
export function predictedWords({ minMs, medianMs, maxMs, measured }: Predicted): string {
  const [min, max] = [durationWords(minMs), durationWords(maxMs)];
  const words = min === max ? min : `${min} to ${max}, median ${durationWords(medianMs)}`;
  return measured ? `${words} (measured)` : words;
}

/** A stage's duration, with its bounds if they differ. */
export function stageWords({
  ms,
  minMs = ms,
  maxMs = ms,
}: {
  readonly ms: number;
  readonly minMs?: number | undefined;
  readonly maxMs?: number | undefined;
}): string {
  return minMs === maxMs ? durationWords(ms) : measureWords({ ms, minMs, maxMs });
}

/** The prediction of a stage, and whether the stage is below or above it; undefined without a prediction. */
export function stagePredictionWords(stage: Stage): string | undefined {
  if (stage.predicted === undefined) return undefined;
  const side = besidePrediction(stage, stage.predicted);
  return `${predictedWords(stage.predicted)}${side === undefined ? '' : `: it was ${side}`}`;
}

/** Explains the predicted times of stages. */
export function predictionWords(stages: readonly Stage[]): string {
  const measured = stages.some((s) => s.predicted?.measured);
  return `Predictions follow from the settings, without the time until a probe sees the change.${measured ? ' A prediction marked (measured) includes earlier measurements of times that no setting determines.' : ''}`;
}

function ownershipLines({ ownership }: Summary): string[] {
  return ownership.flatMap(({ name, sides }) => [
    '',
    `ownership of ${plain(name)}`,
    ...aligned(sides.map((s) => [`  ${plain(s.side)}`, plain(sideWords(s))])),
  ]);
}

function stageLines(title: string, stages: readonly Stage[]): string[] {
  const total = stages.reduce((sum, s) => sum + s.ms, 0);
  const dominant = dominantStage(stages);
  const predicted = stages.some((s) => s.predicted !== undefined);
  const rows = stages.map((s) => {
    const share = total > 0 ? s.ms / total : 0;
    const most = s === dominant && stages.length > 1 ? ' <- longest' : '';
    const unseen =
      s.includes.length === 0 ? '' : ` (includes ${s.includes.map(plain).join(', ')}: unobserved)`;
    const expected = stagePredictionWords(s);
    return [
      `  ${plain(s.name)}`,
      stageWords(s),
      `${(share * 100).toFixed(0)} %`,
      ...(predicted ? [expected === undefined ? '' : `predicted ${expected}`] : []),
      `${bar(share, barWidth)}${most}${unseen}`,
    ];
  });
  return rows.length === 0 ? [] : ['', title, ...aligned(rows, [1, 2])];
}

function checkLines(summary: Summary): string[] {
  const rows = summary.checks.map((c) => [
    `  ${markOf(c.status)}`,
    plain(c.name),
    `${plain(c.observed)}; limit: ${plain(c.limit)}`,
  ]);
  return rows.length === 0 ? [] : ['', 'checks', ...aligned(rows)];
}

/**
 * The text at the end of a drill: verdict, figures with their bounds, stages, checks, and reasons. No color, no newline at
 * the end.
 */
export function renderVerdictText(summary: Summary): string {
  const title = summary.scenario.title === '' ? summary.scenario.name : summary.scenario.title;
  const reasons = summary.reasons.map((r) => `  - ${plain(r)}`);
  const notes = summary.notes.map((n) => `  - ${plain(n)}`);
  return [
    `${verdictWords(summary)}  ${plain(title)} (${plain(summary.target)})`,
    '',
    ...facts(summary),
    ...stageLines('stages', summary.stages),
    ...stageLines('stages of the return', summary.heal?.stages ?? []),
    ...rowLines(summary),
    ...ownershipLines(summary),
    ...checkLines(summary),
    ...(reasons.length === 0 ? [] : ['', 'why', ...reasons]),
    ...(notes.length === 0 ? [] : ['', 'notes', ...notes]),
  ].join('\n');
}
