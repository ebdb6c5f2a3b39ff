import type { Measure, VerdictWord } from '../core/summary.ts';
import { type DurationMs, wallMs } from '../core/time.ts';
import { figureName, timedFigure } from './figures.ts';
import { fisher } from './fisher-test.ts';
import type { KeptRun } from './kept-run.ts';
import {
  byNight,
  type EndedShare,
  endedShares,
  type NightFigure,
  nightsOf,
  type RunFigure,
} from './nights.ts';
import { type Shift, shiftOf } from './rank-test.ts';
import { median } from './repeats.ts';

/** One side of a comparison: a run, a folder of runs, or a release. */
export interface Side {
  readonly name: string;
  readonly runs: readonly KeptRun[];
}

/**
 * Times of one side's runs of a scenario, ms. Infinity (null in JSON): the run stopped waiting before
 * the end.
 */
export interface Sampled {
  /** Runs that measured it, including those that stopped waiting before its end. */
  readonly count: number;
  /** Nights of these runs. The night is the unit of the comparison. */
  readonly nights: number;
  /** Runs without an observed end, and the shortest time that one of them waited; null if there are none. */
  readonly unended: { readonly count: number; readonly longerThanMs: DurationMs } | null;
  readonly minMs: DurationMs;
  readonly medianMs: DurationMs;
  readonly maxMs: DurationMs;
  /**
   * Lowest lower bound and highest upper bound of the runs; null if a run has no bounds (stages of older
   * versions).
   */
  readonly bounds: { readonly minMs: DurationMs; readonly maxMs: DurationMs } | null;
}

/**
 * `longer`, `shorter`: B than A, by more than noise. `no-difference`: no difference, with enough nights to show one.
 * `cannot-tell`: too few nights. `one-sided`: only one side measured it.
 */
export type ComparedOutcome = 'longer' | 'shorter' | 'no-difference' | 'cannot-tell' | 'one-sided';

/** A figure, or a stage, of the same scenario on both sides. */
export interface Compared {
  /**
   * `rto`, `first`, `downtime`, `redundancy`, `return`, or another figure of a failure table; `stage`,
   * `return-stage`.
   */
  readonly figure: string;
  readonly name: string;
  readonly a: Sampled | null;
  readonly b: Sampled | null;
  /** B minus A, night by night; null if one side measured no night. */
  readonly shift: Shift | null;
  /**
   * Nights with a run that timed out, and the two-sided p of Fisher's exact test; null if no run timed
   * out.
   */
  readonly missed: { readonly a: EndedShare; readonly b: EndedShare; readonly p: number } | null;
  readonly outcome: ComparedOutcome;
}

/** A scenario that both sides ran. */
export interface ComparedScenario {
  readonly scenario: string;
  readonly targets: { readonly a: readonly string[]; readonly b: readonly string[] };
  readonly runs: {
    readonly a: Readonly<Record<VerdictWord | 'total', number>>;
    readonly b: Readonly<Record<VerdictWord | 'total', number>>;
  };
  /** Differences between the two sides' conditions, one sentence each. */
  readonly notes: readonly string[];
  readonly figures: readonly Compared[];
}

/** What `firedrill compare --json` prints. */
export interface Comparison {
  readonly schemaVersion: 1;
  readonly a: { readonly name: string; readonly runs: number };
  readonly b: { readonly name: string; readonly runs: number };
  readonly scenarios: readonly ComparedScenario[];
  /** Scenarios that only one side ran. */
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
}

/**
 * Newest runs of a scenario that are compared. More runs add no power, and old ones say less about the
 * present.
 */
export const mostRuns = 100;

/** Compared figures, in addition to the stages. */
const wholes: readonly string[] = ['rto', 'first', 'downtime', 'redundancy', 'return', 'heal-outage'];

/** Compares all drills that both sides ran, B against A. */
export function compareSides(a: Side, b: Side): Comparison {
  const drills = [...drillsOf(a.runs, b.runs)];
  const names = (of: (drill: DrillRuns) => boolean) =>
    drills.filter(([, drill]) => of(drill)).map(([name]) => name);
  return {
    schemaVersion: 1,
    a: { name: a.name, runs: a.runs.length },
    b: { name: b.name, runs: b.runs.length },
    scenarios: drills.flatMap(([name, runs]) =>
      runs.a.length > 0 && runs.b.length > 0 ? [compareScenario(name, runs.a, runs.b)] : [],
    ),
    onlyA: names((drill) => drill.b.length === 0),
    onlyB: names((drill) => drill.a.length === 0),
  };
}

/** The runs of one drill on both sides. */
export interface DrillRuns {
  readonly a: readonly KeptRun[];
  readonly b: readonly KeptRun[];
}

/**
 * The newest runs of each drill, newest first; drills in alphabetical order. Runs of one drill have the same scenario and the
 * same values of its variables. If a side has more than one target, they also have the same target. The name contains what
 * distinguishes the drill from others of the scenario.
 */
export function drillsOf(a: readonly KeptRun[], b: readonly KeptRun[]): ReadonlyMap<string, DrillRuns> {
  const found = new Map<string, { a: KeptRun[]; b: KeptRun[] }>();
  for (const name of new Set([...a, ...b].map(({ scenario }) => scenario.name))) {
    const own = (runs: readonly KeptRun[]) =>
      runs
        .filter(({ scenario }) => scenario.name === name)
        .sort((x, y) => Date.parse(y.startedAt) - Date.parse(x.startedAt));
    const sides = { a: own(a), b: own(b) };
    const all = [...sides.a, ...sides.b];
    const varying = variableNames(all).filter(
      (variable) => new Set(all.flatMap((run) => run.scenario.variables?.[variable] ?? [])).size > 1,
    );
    const severalTargets = targetsOf(sides.a).length > 1 || targetsOf(sides.b).length > 1;
    const drill = ({ scenario, target }: KeptRun): string => {
      const values = varying.map(
        (variable) => `${variable}=${String(scenario.variables?.[variable] ?? '?')}`,
      );
      return `${name}${values.length === 0 ? '' : ` (${values.join(', ')})`}${severalTargets ? ` on ${target}` : ''}`;
    };
    for (const side of ['a', 'b'] as const)
      for (const run of sides[side]) {
        const key = drill(run);
        const runs = found.get(key) ?? { a: [], b: [] };
        found.set(key, runs);
        if (runs[side].length < mostRuns) runs[side].push(run);
      }
  }
  return new Map([...found].sort(([x], [y]) => (x < y ? -1 : 1)));
}

function variableNames(runs: readonly KeptRun[]): readonly string[] {
  return [...new Set(runs.flatMap(({ scenario }) => Object.keys(scenario.variables ?? {})))].sort();
}

function compareScenario(scenario: string, a: readonly KeptRun[], b: readonly KeptRun[]): ComparedScenario {
  const figures = wholes.flatMap((figure) => {
    const found = compareFigure(figure, a, b);
    // For example, a return without an outage on both sides.
    const isNothing = [found.a, found.b].every((side) => side === null || side.bounds?.maxMs === 0);
    return isNothing && figure !== 'rto' ? [] : [found];
  });
  return {
    scenario,
    targets: { a: targetsOf(a), b: targetsOf(b) },
    runs: { a: verdictsOf(a), b: verdictsOf(b) },
    notes: notesOf(a, b),
    figures: [
      ...figures.filter(({ figure }) => figure === 'rto'),
      ...compareStages('stage', a, b, (run) => run.stages),
      ...figures.filter(({ figure }) => figure !== 'rto'),
      ...compareStages('return-stage', a, b, (run) => run.heal?.stages ?? []),
    ],
  };
}

/** One figure of the runs of a scenario, by its name in a failure table. */
export function compareFigure(figure: string, a: readonly KeptRun[], b: readonly KeptRun[]): Compared {
  const of = (run: KeptRun) => timedFigure(figure, run);
  return compared(figure, figureName(figure), [runFigures(a, of), runFigures(b, of)], true);
}

/** A figure of each run, censored if its end was not observed. */
export function runFigures(
  runs: readonly KeptRun[],
  of: (run: KeptRun) => Measure | null,
): readonly RunFigure[] {
  return runs.map((run) => {
    const measure = of(run);
    const isCut = run.cutShort === true && measure?.maxMs === Infinity;
    return {
      startMs: wallMs(Date.parse(run.startedAt)),
      measure,
      ended: measure === null || isCut ? null : measure.maxMs !== Infinity,
    };
  });
}

/** A figure of a side's runs by night. */
export function nightFigures(figures: readonly RunFigure[]): readonly NightFigure[] {
  return byNight(figures, nightsOf(figures.map(({ startMs }) => startMs)));
}

function compared(
  figure: string,
  name: string,
  [a, b]: readonly [readonly RunFigure[], readonly RunFigure[]],
  bounded: boolean,
): Compared {
  const [nightsA, nightsB] = [nightFigures(a), nightFigures(b)];
  const shift = nightsA.length > 0 && nightsB.length > 0 ? shiftOf(nightsA, nightsB) : null;
  return {
    figure,
    name,
    a: sampled(a, bounded),
    b: sampled(b, bounded),
    shift,
    missed: missedOf(nightsA, nightsB),
    outcome: outcomeOf(shift),
  };
}

function missedOf(a: readonly NightFigure[], b: readonly NightFigure[]): Compared['missed'] {
  const shares = endedShares(a, b);
  if (shares === null || shares.a.missed + shares.b.missed === 0) return null;
  const count = ({ of, missed }: EndedShare) => ({ of, count: missed });
  return { ...shares, p: fisher(count(shares.a), count(shares.b)).either };
}

function outcomeOf(shift: Shift | null): ComparedOutcome {
  if (shift === null) return 'one-sided';
  if (shift.coverage === null) return 'cannot-tell';
  if (shift.minMs > 0) return 'longer';
  return shift.maxMs < 0 ? 'shorter' : 'no-difference';
}

/** Times of a side's runs; null if no run measured it. */
export function sampled(figures: readonly RunFigure[], bounded: boolean): Sampled | null {
  const measures = figures.flatMap(({ measure }) => measure ?? []);
  if (measures.length === 0) return null;
  const estimates = measures.map(({ ms }) => ms);
  const unended = measures.filter(({ maxMs }) => maxMs === Infinity).map(({ minMs }) => minMs);
  return {
    count: measures.length,
    nights: nightFigures(figures).length,
    unended: unended.length === 0 ? null : { count: unended.length, longerThanMs: Math.min(...unended) },
    minMs: Math.min(...estimates),
    medianMs: median(estimates),
    maxMs: Math.max(...estimates),
    bounds: bounded
      ? {
          minMs: Math.min(...measures.map(({ minMs }) => minMs)),
          maxMs: Math.max(...measures.map(({ maxMs }) => maxMs)),
        }
      : null,
  };
}

/** Whether a run has bounds for all of these stages. Runs of older versions have none. */
function haveBounds(stages: KeptRun['stages']): boolean {
  return stages.every(({ minMs, maxMs }) => minMs !== undefined && maxMs !== undefined);
}

/**
 * Stages in the order of the chain. A stage that includes the time of another stage is compared
 * separately.
 */
function compareStages(
  figure: string,
  a: readonly KeptRun[],
  b: readonly KeptRun[],
  of: (run: KeptRun) => KeptRun['stages'],
): readonly Compared[] {
  const key = ({ name, includes }: Pick<KeptRun['stages'][number], 'name' | 'includes'>) =>
    JSON.stringify([name, ...includes]);
  const chains = [...a, ...b].map(of).sort((x, y) => y.length - x.length);
  const names = new Map(
    chains.flat().map(({ name, includes }) => {
      const title = includes.length === 0 ? name : `${name} (${includes.join(', ')}: not seen)`;
      return [key({ name, includes }), title] as const;
    }),
  );
  const measures = (runs: readonly KeptRun[], requested: string) =>
    runFigures(runs, (run) => {
      const stage = of(run).find((one) => key(one) === requested);
      if (stage === undefined) return null;
      const { ms, minMs = ms, maxMs = ms } = stage;
      return { ms, minMs, maxMs };
    });
  const isBounded = chains.every(haveBounds);
  return [...names].map(([requested, title]) =>
    compared(figure, title, [measures(a, requested), measures(b, requested)], isBounded),
  );
}

function verdictsOf(runs: readonly KeptRun[]): ComparedScenario['runs']['a'] {
  const count = (verdict: VerdictWord) => runs.filter((run) => run.verdict === verdict).length;
  return {
    total: runs.length,
    pass: count('pass'),
    fail: count('fail'),
    inconclusive: count('inconclusive'),
  };
}

function targetsOf(runs: readonly KeptRun[]): readonly string[] {
  return [...new Set(runs.map(({ target }) => target))].sort();
}

function notesOf(a: readonly KeptRun[], b: readonly KeptRun[]): readonly string[] {
  const shas = new Set([...a, ...b].map(({ scenario }) => scenario.sha256).filter((sha) => sha !== ''));
  const [onA, onB] = [targetsOf(a).join(', '), targetsOf(b).join(', ')];
  return [
    ...(onA === onB ? [] : [`A ran on ${onA}, B on ${onB}`]),
    ...(shas.size > 1 ? ['the scenario file is not the same in all runs'] : []),
    ...unboundedNote(a, b),
  ];
}

/** Why the comparison shows stages without bounds; empty if it shows them. */
function unboundedNote(a: readonly KeptRun[], b: readonly KeptRun[]): readonly string[] {
  const count = (runs: readonly KeptRun[]): number =>
    runs.filter((run) => !haveBounds([...run.stages, ...(run.heal?.stages ?? [])])).length;
  const [ofA, ofB] = [count(a), count(b)];
  if (ofA + ofB === 0) return [];
  const sides = [
    [ofA, 'A'],
    [ofB, 'B'],
  ] as const;
  const who = sides.flatMap(([n, side]) => (n === 0 ? [] : [`${n} ${n === 1 ? 'run' : 'runs'} of ${side}`]));
  const are = ofA + ofB === 1 ? ['has', 'it counts'] : ['have', 'they count'];
  return [
    `stages are shown without bounds: ${who.join(' and ')} ${are[0]} none, because an older version wrote them, and ${are[1]} as exact; run \`firedrill report\` on their folders to add bounds`,
  ];
}
