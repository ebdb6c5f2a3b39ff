import type { Analysis } from '../../../src/analysis/summarize.ts';
import type { CheckResult, Measure } from '../../../src/core/summary.ts';
import { DrillError } from '../../../src/core/errors.ts';
import { judgeGates } from './judge-gates.ts';
import { judgedFigures, type ServiceFigures } from './figures.ts';
import { bounds, judged, type Judged, truthText, verdict } from './judged.ts';
import { judgeCompleteness, judgeWindows, windowText } from './judge-windows.ts';
import type { Truth } from './recovery-truth.ts';
import { analyseCase, type SimulatedCase } from './simulate.ts';

/** Judges all figures of a case. */
export function judgeCase(one: SimulatedCase): readonly Judged[] {
  let analysis: Analysis;
  try {
    analysis = analyseCase(one);
  } catch (error) {
    if (one.script.damage !== undefined && error instanceof DrillError && error.code === 'invalid-input')
      return [judged('damage', 'held', error.message)];
    return [{ figure: 'analysis', outcome: 'crashed', detail: String(error) }];
  }
  return one.script.damage === undefined
    ? judgeAnalysis(one, analysis)
    : [judged('damage', 'held', `read despite the damage: ${analysis.summary.verdict}`)];
}

/** Judges all figures of a case's analysis. Without a fault in effect there are none. */
export function judgeAnalysis(
  one: Pick<SimulatedCase, 'known' | 'script'>,
  analysis: Analysis,
): readonly Judged[] {
  const { known, script } = one;
  const gates = judgeGates(known);
  const hasFigures = known.faults.length > 0;
  if (!hasFigures && script.watchMs === undefined) return gates;
  return [
    ...gates,
    ...(script.isNotJudged === true || !hasFigures ? [] : judgeService(one, analysis)),
    ...(script.judge?.(known, analysis) ?? []),
  ];
}

/** Judges the figures of the recovery probe. */
function judgeService(
  { known, script }: Pick<SimulatedCase, 'known' | 'script'>,
  analysis: Analysis,
): readonly Judged[] {
  const figures = judgedFigures(known, script);
  const { summary } = analysis;
  const windows = [...analysis.windows.values()][0] ?? [];
  const heal = summary.heal?.outage;
  return [
    ...judgeWindows(windows, figures.outages).map((outcome) =>
      judged('window', outcome, windowText(windows)),
    ),
    ...judgeCompleteness(windows, figures.outages).map((outcome) =>
      judged('outage found', outcome, windowText(windows)),
    ),
    ...bounds('downtime', summary.downtime, figures.downtime),
    ...bounds('RTO', summary.rto, figures.rto),
    ...bounds('RTO first', summary.rto?.first, figures.first),
    ...bounds('heal outage', heal, figures.healOutage),
    ...bounds('availability', unavailable(analysis), figures.outOfService),
    ...summary.checks.flatMap((check) => [
      ...verdict(check, truthOf(check, figures)),
      ...noRecovery(check, figures),
    ]),
  ];
}

/** The time out of service, from the recovery probe's availability. */
function unavailable({ log, summary }: Analysis): Measure | undefined {
  const share = summary.probes[0]?.availability;
  if (share === null || share === undefined) return undefined;
  const wholeMs = log.endMs - log.startMs;
  const ms = (available: number): number => (1 - available) * wholeMs;
  return { ms: ms(share.share), minMs: ms(share.maxShare), maxMs: ms(share.minShare) };
}

/** `no-recovery` must pass if and only if the service did not come back before the heal. */
function noRecovery({ kind, status, observed }: CheckResult, { rto }: ServiceFigures): readonly Judged[] {
  if (kind !== 'no-recovery') return [];
  const isWrong = status === 'pass' ? rto.most < Infinity : status === 'fail' && rto.least === Infinity;
  const outcome = status === 'inconclusive' ? 'inconclusive' : isWrong ? 'wrong' : 'right';
  return [judged('check no-recovery', outcome, `${status}: ${observed}; RTO ${truthText(rto)}`)];
}

function truthOf({ kind }: CheckResult, figures: ServiceFigures): Truth | undefined {
  switch (kind) {
    case 'rto':
      return figures.rto;
    case 'downtime':
      return figures.downtime;
    case 'heal-outage':
      return figures.healOutage;
    default:
      return undefined;
  }
}
