import type { Analysis } from '../../../src/analysis/summarize.ts';
import type { CheckResult, OwnershipWindow } from '../../../src/core/summary.ts';
import { judgeVerdict } from './judge.ts';
import { bounds, type Judged, judged, truthWords, verdict } from './judged.ts';
import { longestOf, type OwnerTruth, type StateSpans, totalOf } from './owner-truth.ts';

/** Judges the times without an owner and with several, and the checks on them. Names of checks begin with what they are about. */
export function judgeOwners({ summary, recovery }: Analysis, truth: OwnerTruth): readonly Judged[] {
  const side = summary.ownership[0]?.sides[0];
  const zeroMs = recovery?.effect.ms;
  if (side === undefined || zeroMs === undefined) return [];
  return [
    ...stateJudged('nobody', { windows: side.nobody, unseenMs: side.unseenMs?.nobody, zeroMs }, truth.nobody),
    ...stateJudged(
      'several',
      { windows: side.several, unseenMs: side.unseenMs?.several, zeroMs },
      truth.several,
    ),
    ...summary.checks.flatMap((check) => checkJudged(check, truth)),
  ];
}

function stateJudged(
  name: string,
  {
    windows,
    unseenMs = 0,
    zeroMs,
  }: {
    readonly windows: readonly OwnershipWindow[];
    readonly unseenMs?: number | undefined;
    readonly zeroMs: number;
  },
  state: StateSpans,
): readonly Judged[] {
  const sum = (of: (w: OwnershipWindow) => number): number => windows.reduce((total, w) => total + of(w), 0);
  const total = {
    ms: sum((w) => w.ms),
    minMs: sum((w) => w.minMs),
    maxMs: sum((w) => w.maxMs) + unseenMs,
  };
  const certain = windows.filter((w) => w.certain);
  return [
    ...bounds(`${name} total`, total, totalOf(state)),
    ...certain.map((w) => {
      // `fromMs` is the middle of the bounds of its beginning.
      const fromMs = zeroMs + w.fromMs - w.maxMs;
      const toMs = zeroMs + w.fromMs + w.maxMs;
      const isSo = state.most.some((span) => span.fromMs <= toMs && span.toMs >= fromMs);
      return judged(
        `${name} certain`,
        isSo ? 'held' : 'violated',
        `${w.minMs} to ${w.maxMs} ms from ${w.fromMs} ms after the fault on`,
      );
    }),
  ];
}

function checkJudged(check: CheckResult, truths: OwnerTruth): readonly Judged[] {
  const toleranceMs = check.kind === 'never' ? Number(check.name.split(' ')[1]) : undefined;
  const asksSamples = toleranceMs === 0 || check.limits?.maxMs === 0;
  const { nobody, several } = asksSamples ? (truths.bySamples ?? truths) : truths;
  const state = check.name.startsWith('nobody') ? nobody : several;
  if (check.kind === 'ownership' || check.kind === 'happens') return verdict(check, totalOf(state));
  if (toleranceMs === undefined) return [];
  const truth = longestOf(state);
  const outcome = judgeVerdict(check.status, { maxMs: toleranceMs }, truth);
  return [judged('check never', outcome, `${check.status}: ${check.observed}; ${truthWords(truth)}`)];
}
