import type { Analysis } from '../../../src/analysis/summarize.ts';
import type { CheckResult } from '../../../src/core/summary.ts';
import { DrillError } from '../../../src/core/errors.ts';
import { judgeGates } from './judge-gates.ts';
import { judgedFigures, type ServiceFigures } from './figures.ts';
import { bounds, judged, type Judged, verdict } from './judged.ts';
import { judgeCompleteness, judgeWindows } from './judge-windows.ts';
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
    : [judged('damage', 'held', `read in spite of it: ${analysis.summary.verdict}`)];
}

/** Judges all figures of an analysis of a case. Without a fault that acted there are none. */
export function judgeAnalysis(
  one: Pick<SimulatedCase, 'known' | 'script'>,
  analysis: Analysis,
): readonly Judged[] {
  const { known, script } = one;
  const gates = judgeGates(known);
  if (known.faults.length === 0) return gates;
  return [
    ...gates,
    ...(script.isNotJudged === true ? [] : judgeService(one, analysis)),
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
    ...judgeWindows(windows, figures.outages).map((outcome) => judged('window', outcome, describe(windows))),
    ...judgeCompleteness(windows, figures.outages).map((outcome) =>
      judged('outage found', outcome, describe(windows)),
    ),
    ...bounds('downtime', summary.downtime, figures.downtime),
    ...bounds('RTO', summary.rto, figures.rto),
    ...bounds('RTO first', summary.rto?.first, figures.first),
    ...bounds('heal outage', heal, figures.healOutage),
    ...summary.checks.flatMap((check) => verdict(check, truthOf(check, figures))),
  ];
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

function describe(
  windows: readonly {
    readonly state: string;
    readonly startLoMs: number;
    readonly startHiMs: number;
    readonly endLoMs: number;
    readonly endHiMs: number;
  }[],
): string {
  return windows
    .map((w) => `${w.state} [${w.startLoMs}, ${w.startHiMs}] to [${w.endLoMs}, ${w.endHiMs}]`)
    .join('; ');
}
