import { durationText } from '../core/format-duration.ts';
import type { Compared, ComparedScenario, Comparison, Sampled } from '../analysis/compare.ts';
import { nightText } from '../analysis/alarm.ts';
import { neededEach } from '../analysis/rank-test.ts';
import type { Measure } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';
import { signedText } from '../analysis/format.ts';
import { aligned, capital, counted, markdown, plain, wrap } from './text.ts';

const none = '–';
/** Maximum line width of sentences, characters. */
const width = 120;

/** `+2.10 s (+1.50 s to +2.70 s)`; `∞` is a bound that is unknown because a run timed out. */
function differenceText({ ms, minMs, maxMs }: Measure): string {
  return `${timeText(ms)} (${timeText(minMs)} to ${timeText(maxMs)})`;
}

function timeText(ms: DurationMs): string {
  if (Number.isFinite(ms)) return signedText(ms);
  return ms > 0 ? '+∞' : '−∞';
}

/** One run: `36.15 s (35.96 s to 36.35 s)`; several: `median 36.15 s, 33.10 s to 38.40 s`. */
function sampledText(sampled: Sampled | null): string {
  if (sampled === null) return none;
  const { count, minMs, medianMs, maxMs, bounds, unended } = sampled;
  const longest = `> ${durationText(unended?.longerThanMs ?? 0)}`;
  const time = (ms: DurationMs) => (Number.isFinite(ms) ? durationText(ms) : longest);
  if (count > 1) return `${time(medianMs)} [${time(minMs)} to ${time(maxMs)}]`;
  if (unended !== null) return longest;
  if (bounds === null) return durationText(medianMs);
  return `${durationText(medianMs)} (${durationText(bounds.minMs)} to ${durationText(bounds.maxMs)})`;
}

function probability(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** The difference of B to A, and whether it exceeds noise. */
function shiftText({ outcome, shift, a, b }: Compared): string {
  if (shift === null) return a === null && b === null ? none : `only in ${a === null ? 'B' : 'A'}`;
  const sure = `p ${probability(shift.p)}`;
  switch (outcome) {
    case 'longer':
    case 'shorter':
      return `${outcome}: ${differenceText(shift)}, ${sure}`;
    case 'no-difference':
      return `no difference seen: ${differenceText(shift)}, ${sure}`;
    default:
      return a?.bounds == null && a?.count === 1 && b?.count === 1
        ? `inconclusive: ${signedText(shift.ms)}`
        : `inconclusive: ${differenceText(shift)}`;
  }
}

/** Why a figure is inconclusive; undefined if none is. */
function tooFew({ runs, figures }: ComparedScenario): string | undefined {
  const few = figures.filter(({ outcome }) => outcome === 'cannot-tell');
  if (few.length === 0) return undefined;
  const [{ a, b } = { a: null, b: null }] = few;
  const [n, m] = [a?.nights ?? runs.a.total, b?.nights ?? runs.b.total];
  return `${nightText(n)} of A and ${nightText(m)} of B cannot tell a difference from noise: a comparison needs at least ${neededEach()} nights on each side. Runs less than 6 h apart count as one night. The differences above hold for these runs only.`;
}

/** The number of nights with a timed-out run on each side, and whether the difference exceeds noise. */
function missedText({ figures }: ComparedScenario): readonly string[] {
  return figures.flatMap(({ name, missed }) =>
    missed === null
      ? []
      : [
          `${name}: a run timed out in ${missed.a.missed} of ${counted(missed.a.of, 'night')} of A and in ${missed.b.missed} of ${missed.b.of} of B, p ${probability(missed.p)} (Fisher)`,
        ],
  );
}

function runsText({ total, pass, fail, inconclusive }: ComparedScenario['runs']['a']): string {
  const parts = [
    [pass, 'passed'],
    [fail, 'failed'],
    [inconclusive, 'inconclusive'],
  ] as const;
  const seen = parts.flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`])).join(', ');
  return `${counted(total, 'run')} (${seen})`;
}

const head = ['', 'A', 'B', 'B against A'] as const;

function cellsOf({ figures }: ComparedScenario): string[][] {
  return figures.map((compared) => [
    compared.figure === 'return-stage' ? `return: ${compared.name}` : compared.name,
    sampledText(compared.a),
    sampledText(compared.b),
    shiftText(compared),
  ]);
}

function remarksOf(scenario: ComparedScenario): readonly string[] {
  const few = tooFew(scenario);
  return [...(few === undefined ? [] : [few]), ...missedText(scenario), ...scenario.notes];
}

const legend =
  'One run: the estimate and its bounds. Several runs: the median [lowest to highest]. “> T”: timed out after T. B against A: the Hodges-Lehmann shift of the nightly medians, with its exact 95 % interval, which includes the bounds of the measurements. p: the exact two-sided Mann-Whitney test of that line alone.';

function strayText({ onlyA, onlyB }: Comparison): readonly string[] {
  return [
    ...(onlyA.length === 0 ? [] : [`only in A: ${onlyA.join(', ')}`]),
    ...(onlyB.length === 0 ? [] : [`only in B: ${onlyB.join(', ')}`]),
  ];
}

function sidesText({ a, b }: Comparison): string {
  return `A is ${a.name}, ${counted(a.runs, 'run')}; B is ${b.name}, ${counted(b.runs, 'run')}`;
}

/** The text of a comparison for the terminal; ends with a newline. */
export function renderComparisonText(comparison: Comparison): string {
  const parts = comparison.scenarios.flatMap((scenario) => [
    '',
    `${plain(scenario.scenario)}: A ${runsText(scenario.runs.a)}, B ${runsText(scenario.runs.b)}`,
    ...aligned(
      [[...head], ...cellsOf(scenario)].map((row) =>
        row.map((cell, i) => (i === 0 ? `  ${plain(cell)}` : plain(cell))),
      ),
    ),
    ...remarksOf(scenario).flatMap((remark) =>
      wrap(plain(remark), width - 4).map((line, i) => `${i === 0 ? '  - ' : '    '}${line}`),
    ),
  ]);
  return `${[plain(sidesText(comparison)), ...parts, '', ...[...strayText(comparison).map(plain), legend].flatMap((line) => wrap(line, width))].join('\n')}\n`;
}

/** The Markdown form of the same comparison. */
export function renderComparisonMarkdown(comparison: Comparison): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const parts = comparison.scenarios.flatMap((scenario) => [
    `## ${markdown(scenario.scenario)}`,
    '',
    `A: ${markdown(runsText(scenario.runs.a))}. B: ${markdown(runsText(scenario.runs.b))}.`,
    '',
    line(head),
    line(head.map(() => '---')),
    ...cellsOf(scenario).map((row) => line(row.map(markdown))),
    '',
    ...remarksOf(scenario).flatMap((remark) => [`- ${markdown(capital(remark))}`]),
    ...(remarksOf(scenario).length === 0 ? [] : ['']),
  ]);
  return `${[
    '# Comparison',
    '',
    `${markdown(sidesText(comparison))}.`,
    '',
    ...parts,
    ...strayText(comparison).flatMap((words) => [`${markdown(capital(words))}.`, '']),
    legend,
  ].join('\n')}\n`;
}
