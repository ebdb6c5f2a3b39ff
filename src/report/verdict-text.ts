import { durationText } from '../core/format-duration.ts';
import { dominantStage } from '../analysis/stages.ts';
import { nextToPrediction } from '../analysis/prediction-notes.ts';
import { estimateText, measureText } from '../analysis/format.ts';
import type { CheckResult, Predicted, Stage, Summary, VerdictWord } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';
import { sideText } from './ownership-text.ts';
import { controlText, harnessText } from './prober-text.ts';
import { rowLines, rpoText, writeRtoTexts } from './rows-text.ts';
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
export function verdictText(summary: Pick<Summary, 'verdict' | 'healed'>): string {
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
  readonly limits?: { readonly maxMs?: DurationMs | undefined } | undefined;
}

/** The limit of a run's check on its RTO, ms; undefined without one. */
export function rtoLimitMs({ checks }: { readonly checks: readonly Limited[] }): DurationMs | undefined {
  return checks.find(({ kind }) => kind === 'rto')?.limits?.maxMs;
}

function facts(summary: Summary): string[] {
  const { rto, downtime, faults, redundancyRestoredMs } = summary;
  const rows: [string, string][] = [];
  for (const f of faults) rows.push(['fault', `${plain(f.kind)} on ${plain(f.on)}`]);
  if (rto !== null) {
    rows.push(['RTO', `${rtoText(rto)}${besides(summary.predicted?.rto)}`]);
  } else if (faults.length > 0) {
    rows.push(['RTO', 'not measured']);
  }
  for (const writeRto of writeRtoTexts(summary)) rows.push(['write RTO', plain(writeRto)]);
  const rpo = rpoText(summary);
  if (rpo !== undefined) rows.push(['RPO', rpo]);
  if (downtime !== null)
    rows.push(['downtime', `${measureText(downtime)} in ${counted(downtime.windows, 'window')}`]);
  if (redundancyRestoredMs !== null)
    rows.push([
      'redundancy',
      `restored after ${durationText(redundancyRestoredMs)}${besides(summary.predicted?.redundancy)}`,
    ]);
  if (hasReturn(summary.heal)) rows.push(['return', returnText(summary.heal)]);
  for (const r of summary.roles)
    if (r.before !== r.after)
      rows.push(['role', `${plain(r.role)}: ${plain(r.before ?? 'none')} -> ${plain(r.after ?? 'none')}`]);
  if (summary.harness !== undefined) rows.push(['cost', harnessText(summary.harness)]);
  const control = controlText(summary.prober);
  if (control !== null) rows.push(['control', control]);
  return aligned(rows);
}

/** The first sign of recovery; undefined if that recovery held. */
export function firstSignText({ ms, first }: NonNullable<Summary['rto']>): string | undefined {
  return first === null || first.ms === ms
    ? undefined
    : `first sign of recovery after ${estimateText(first)}`;
}

/** The RTO with its bounds, and the first sign of recovery if that recovery did not hold. */
export function rtoText(rto: NonNullable<Summary['rto']>): string {
  return [measureText(rto), firstSignText(rto)].filter((w) => w !== undefined).join(', ');
}

/** The prediction, as a suffix of the measured value. */
function besides(predicted: Predicted | undefined): string {
  return predicted === undefined ? '' : `; predicted ${predictedText(predicted)}`;
}

/** Whether the heal had an observable effect: it restored redundancy, or an outage followed it. */
export function hasReturn(heal: Summary['heal']): heal is NonNullable<Summary['heal']> {
  return heal !== null && (heal.return !== null || heal.outage.windows > 0);
}

/** The return as text: the time until redundancy, and the outage. */
export function returnText(heal: NonNullable<Summary['heal']>): string {
  const { outage } = heal;
  const back = heal.return === null ? 'no redundancy' : `redundancy ${measureText(heal.return)}`;
  const cost =
    outage.windows === 0
      ? 'no outage'
      : `outage ${measureText(outage)} in ${counted(outage.windows, 'window')}`;
  return `${back} after the heal began; ${cost} from then on`;
}

/** A prediction: `2.65 s to 3.65 s, median 3.15 s`; with `(measured)` if it includes times that no setting determines. */
export function predictedText({ minMs, medianMs, maxMs, measured }: Predicted): string {
  const [min, max] = [durationText(minMs), durationText(maxMs)];
  const words = min === max ? min : `${min} to ${max}, median ${durationText(medianMs)}`;
  return measured ? `${words} (measured)` : words;
}

/** A stage's duration, with its bounds if they differ. */
export function stageText({
  ms,
  minMs = ms,
  maxMs = ms,
}: {
  readonly ms: DurationMs;
  readonly minMs?: DurationMs | undefined;
  readonly maxMs?: DurationMs | undefined;
}): string {
  return minMs === maxMs ? durationText(ms) : measureText({ ms, minMs, maxMs });
}

/** The prediction of a stage, and whether the stage is below or above it; undefined without a prediction. */
export function stagePredictionText(stage: Stage): string | undefined {
  if (stage.predicted === undefined) return undefined;
  const side = nextToPrediction(stage, stage.predicted);
  return `${predictedText(stage.predicted)}${side === undefined ? '' : `: it was ${side}`}`;
}

/** Explains the predicted times of stages. */
export function predictionText(stages: readonly Stage[]): string {
  const measured = stages.some((s) => s.predicted?.measured);
  return `Predictions follow from the settings, without the time until a probe sees the change.${measured ? ' A prediction marked (measured) includes earlier measurements of times that no setting determines.' : ''}`;
}

function ownershipLines({ ownership }: Summary): string[] {
  return ownership.flatMap(({ name, sides }) => [
    '',
    `ownership of ${plain(name)}`,
    ...aligned(sides.map((s) => [`  ${plain(s.side)}`, plain(sideText(s))])),
  ]);
}

function stageLines(title: string, stages: readonly Stage[]): string[] {
  const total = stages.reduce((sum, s) => sum + s.ms, 0);
  const dominant = dominantStage(stages);
  const predicted = stages.some((s) => s.predicted !== undefined);
  const rows = stages.map((s) => {
    const share = total > 0 ? s.ms / total : 0;
    const most = s === dominant && stages.length > 1 ? ' <- longest' : '';
    const unobserved =
      s.includes.length === 0 ? '' : ` (includes ${s.includes.map(plain).join(', ')}: unobserved)`;
    const expected = stagePredictionText(s);
    return [
      `  ${plain(s.name)}`,
      stageText(s),
      `${(share * 100).toFixed(0)} %`,
      ...(predicted ? [expected === undefined ? '' : `predicted ${expected}`] : []),
      `${bar(share, barWidth)}${most}${unobserved}`,
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
    `${verdictText(summary)}  ${plain(title)} (${plain(summary.target)})`,
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
