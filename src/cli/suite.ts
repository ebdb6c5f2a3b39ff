import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { totalKinds } from '../analysis/figures.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import { drawJitter } from '../scenario/jitter.ts';
import { suggest } from '../scenario/suggest.ts';
import { InvalidInput, type Problem } from '../scenario/source.ts';
import { parseSuite, type Suite } from '../scenario/suite-schema.ts';
import { unknownOverride } from '../scenario/variables.ts';
import { display } from './display-path.ts';
import { type FileKind, inputFiles, kindOf, loadAllPlans, loadPlans, readInput } from './inputs.ts';
import { suiteFileOf } from './scenario-names.ts';
import type { TableJob } from './table-run.ts';

/** A suite with the plans of each row: one plan per combination of the scenario's matrix. */
export interface LoadedSuite {
  readonly suite: Suite;
  /** SHA-256 of the suite file. */
  readonly sha256: string;
  readonly rows: readonly (readonly Plan[])[];
}

/** Command-line options that affect the drills of a suite. */
export interface SuiteChoices {
  /** Target file for every row. */
  readonly target?: string | undefined;
  /** Values of variables, for the scenarios that have them. They override the values of a row. */
  readonly variables: Readonly<Record<string, string>>;
  /** Runs every probe of the target, even if the drill does not use it. */
  readonly allProbes?: boolean;
}

/** An input file, and its kind. */
export interface NamedFile {
  readonly path: string;
  readonly kind: FileKind;
}

/** The files of the arguments, in order: files, all files below folders, and those of names. */
export function filesNamed(args: readonly string[]): NamedFile[] {
  return args.flatMap(inputFiles).map((path) => ({ path, kind: kindOf(readInput(path)) }));
}

/**
 * The plans of scenarios and suites. Drills that rows of a suite share are planned once. Each variable must exist in at
 * least one file.
 * @throws InvalidInput, DrillError `invalid-input`
 */
export function loadPlansAndSuites(files: readonly NamedFile[], choices: SuiteChoices): Plan[] {
  const scenarios = files.filter(({ kind }) => kind !== 'suite').map(({ path }) => path);
  const suites = files.filter(({ kind }) => kind === 'suite').map(({ path }) => path);
  const strays = new Map(Object.entries(choices.variables));
  const known = new Set<string>();
  const plansWith = (load: (variables: Readonly<Record<string, string>>) => readonly Plan[]): Plan[] => {
    const plans = load({});
    const names = new Set(plans.flatMap((plan) => Object.keys(plan.scenario.variables)));
    for (const name of names) {
      known.add(name);
      strays.delete(name);
    }
    const own = Object.entries(choices.variables).filter(([name]) => names.has(name));
    return [...(own.length === 0 ? plans : load(Object.fromEntries(own)))];
  };
  const planned = [
    ...(scenarios.length === 0
      ? []
      : plansWith((variables) => loadAllPlans(scenarios, { ...choices, variables }))),
    ...suites.flatMap((path) => plansWith((variables) => drillsOf(path, { ...choices, variables }))),
  ];
  const [stray] = strays.keys();
  if (stray === undefined) return planned;
  throw unknownOverride(stray, files.map(({ path }) => path).join(', '), [...known]);
}

function drillsOf(path: string, choices: SuiteChoices): Plan[] {
  const plans = loadSuite(path, choices).rows.flat();
  return [...new Map(plans.map((plan) => [JSON.stringify(plan), plan])).values()];
}

/**
 * Reads a suite and plans every drill of every row, so that all files are checked before the first drill.
 * @throws InvalidInput, DrillError `invalid-input`
 */
export function loadSuite(arg: string, choices: SuiteChoices): LoadedSuite {
  const path = suiteFileOf(arg);
  const { source, sha256 } = readInput(path);
  const suite = parseSuite(source);
  const { allProbes = false } = choices;
  const parallel = (file: string) => display(resolve(dirname(path), file));
  const target = choices.target ?? (suite.target === undefined ? undefined : parallel(suite.target));
  const problems: Problem[] = [];
  if (target !== undefined && choices.target === undefined && !existsSync(target))
    problems.push(source.at(['target'], `no such target file: ${target}`));
  for (const [i, row] of suite.rows.entries()) {
    const file = parallel(row.scenario);
    if (!existsSync(file))
      problems.push(source.at(['rows', i, 'scenario'], `no such scenario file: ${file}`));
  }
  if (problems.length > 0) throw new InvalidInput(path, problems);

  const stray = new Set(Object.keys(choices.variables));
  const known = new Set<string>();
  const planRow = (row: Suite['rows'][number], i: number): Plan[] => {
    const own = Object.entries(row.variables).map(([name, value]): [string, string] => [name, String(value)]);
    const plansWith = (values: readonly (readonly [string, string])[]) =>
      loadPlans(parallel(row.scenario), { target, allProbes, variables: Object.fromEntries(values) });
    let plans: Plan[];
    try {
      plans = plansWith(own);
    } catch (error) {
      // The value is from the row, so the position in the suite file is reported.
      if (own.length === 0 || !(error instanceof DrillError) || error instanceof InvalidInput) throw error;
      problems.push(source.at(['rows', i, 'variables'], error.message.replace(/^--var /, '')));
      return [];
    }
    const [missing] = plans.flatMap((plan) => missingCheck(row.figure, plan) ?? []);
    if (missing !== undefined) problems.push(source.at(['rows', i, 'figure'], missing));
    const names = Object.keys(plans[0]?.scenario.variables ?? {});
    for (const name of names) {
      known.add(name);
      stray.delete(name);
    }
    const given = Object.entries(choices.variables).filter(([name]) => names.includes(name));
    return given.length === 0 ? plans : plansWith([...own, ...given]);
  };
  const rows = suite.rows.map(planRow);
  if (problems.length > 0) throw new InvalidInput(path, problems);
  for (const name of stray) throw unknownOverride(name, path, [...known]);
  return { suite, sha256, rows };
}

/** The drills of the rows, round by round. Rows with the same drill share it. */
export function jobsOf(
  { suite, rows }: LoadedSuite,
  { grep, repeat, seed }: { grep?: string | undefined; repeat: number; seed: number },
): readonly TableJob[] {
  const requested = matcher(grep);
  const rowsOf = new Map<string, { readonly plan: Plan; readonly rowIndices: number[] }>();
  for (const [index, plans] of rows.entries()) {
    const { row = '', failure = '' } = suite.rows[index] ?? {};
    for (const plan of plans) {
      if (![row, failure, plan.scenario.name].some(requested)) continue;
      const key = JSON.stringify(plan);
      const same = rowsOf.get(key);
      if (same === undefined) rowsOf.set(key, { plan, rowIndices: [index] });
      else same.rowIndices.push(index);
    }
  }
  if (rowsOf.size === 0)
    throw new DrillError('invalid-input', `--grep ${grep ?? ''}: matches no row number, failure, or drill`, {
      hint: `Drills of this suite: ${[...new Set(rows.flat().map((plan) => plan.scenario.name))].join(', ')}.`,
    });
  return Array.from({ length: repeat }, (_, round) =>
    [...rowsOf.values()].map(({ plan, rowIndices }, place) => ({
      number: round * rowsOf.size + place + 1,
      rowIndices,
      label: [...new Set(rowIndices.map((i) => suite.rows[i]?.row ?? ''))].join(' and '),
      plan: drawJitter(plan, seed, round),
      round,
    })),
  ).flat();
}

function matcher(pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined) return () => true;
  try {
    const regex = new RegExp(pattern, 'i');
    return (text) => regex.test(text);
  } catch (error) {
    throw new DrillError('invalid-input', `--grep: ${messageOf(error)}`);
  }
}

/** The problem of a figure that names an unknown check; undefined if there is no problem. */
function missingCheck(figure: string, plan: Plan): string | undefined {
  if (!figure.startsWith('happens:')) return undefined;
  const name = figure.slice('happens:'.length);
  const known = plan.checks.flatMap((c) => (totalKinds.includes(c.kind) ? [c.name] : []));
  return known.includes(name)
    ? undefined
    : `${plan.scenario.path} has no check of kind ${totalKinds.join(' or ')} with the name "${name}"${suggest(name, known)}`;
}
