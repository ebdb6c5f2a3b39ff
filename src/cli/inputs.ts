import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DrillError, messageOf } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import { extensionsOf } from '../extension/load.ts';
import { makePlans, openScenario, type ScenarioInput } from '../scenario/planner.ts';
import { parseSource } from '../scenario/source.ts';
import { withSettings, type ChangedSetting } from '../scenario/settings.ts';
import { planTarget, type Input, type TargetInput, type TargetPlan } from '../scenario/target-planner.ts';
import { unknownOverride, variableNames } from '../scenario/variables.ts';
import { display } from './display-path.ts';
import { pathOf } from './scenario-names.ts';
import { whereItIs } from './state-folder.ts';

/** Reads and parses a scenario, target, or suite file. @throws InvalidInput, DrillError `invalid-input` */
export function readInput(path: string): Input {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new DrillError('invalid-input', `${path}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
  return {
    source: parseSource(path, bytes.toString('utf8')),
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

/** Kinds of input files. */
export const fileKinds = ['scenario', 'target', 'suite'] as const;
export type FileKind = (typeof fileKinds)[number];

/** The kind of a file, detected from fields that only this kind has; `scenario` by default. */
export function kindOf({ source }: Input): FileKind {
  const has = (field: string): boolean => Object.hasOwn(Object(source.value), field);
  if (has('faults') || has('recovery')) return 'scenario';
  if (has('rows')) return 'suite';
  return has('hosts') || has('environment') ? 'target' : 'scenario';
}

/**
 * The files of an argument: a path, or the name of a suite or of scenarios. A folder stands for all YAML files below it, in
 * alphabetical order.
 * @throws DrillError `invalid-input`
 */
export function inputFiles(arg: string): string[] {
  return filesAt(pathOf(arg));
}

function filesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(path, name));
  if (files.length === 0)
    throw new DrillError('invalid-input', `${path}: no *.yaml file in this folder or below it`);
  return files;
}

/** Hint for a file that is not a scenario. */
const otherUse = {
  suite: (path: string) => `Run it with \`firedrill table ${path}\`.`,
  target: (path: string) => `Name a scenario, and pass the target with \`--target ${path}\`.`,
} as const;

/** The scenarios of the arguments. Suites and targets in the same folder are skipped. @throws InvalidInput, DrillError `invalid-input` */
function scenariosNamed(args: readonly string[]): Input[] {
  return args.flatMap((arg) => {
    const path = pathOf(arg);
    const inputs = filesAt(path).map(readInput);
    const scenarios = inputs.filter((input) => kindOf(input) === 'scenario');
    const [first] = inputs;
    if (scenarios.length > 0 || first === undefined) return scenarios;
    const kind = kindOf(first);
    throw first.source.path === path && kind !== 'scenario'
      ? new DrillError('invalid-input', `${arg}: this is a ${kind}, not a scenario`, {
          hint: otherUse[kind](arg),
        })
      : new DrillError('invalid-input', `${arg}: no scenario in this folder`);
  });
}

/** Command-line options that affect the drills of a scenario. */
export interface PlanChoices {
  /** Target file; overrides the one that a scenario names. */
  readonly target?: string | undefined;
  /** Values of variables by name: `--var`. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Runs every probe of the target, even if the drill does not use it: `--all-probes`. */
  readonly allProbes?: boolean;
  /** Settings of the target's models by `model.name`: `--set`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called for each changed setting of each plan. */
  readonly onSetting?: (setting: ChangedSetting) => void;
}

/**
 * The plans of a scenario file: one per combination of its matrix, or one without a matrix.
 * @throws InvalidInput, DrillError `invalid-input`
 */
export function loadPlans(path: string, choices: PlanChoices = {}): Plan[] {
  return plansOf(openScenario(readInput(path)), choices);
}

/**
 * The plans of scenario files and folders. Each variable must exist in at least one scenario.
 * @throws InvalidInput, DrillError `invalid-input`
 */
export function loadAllPlans(args: readonly string[], choices: PlanChoices): Plan[] {
  const { variables = {} } = choices;
  const scenarios = scenariosNamed(args).map(openScenario);
  const namesOf = ({ composition }: ScenarioInput): string[] => variableNames(composition);
  const known = scenarios.flatMap(namesOf);
  const stray = Object.keys(variables).find((name) => !known.includes(name));
  if (stray !== undefined) throw unknownOverride(stray, args.join(', '), [...new Set(known)]);
  return scenarios.flatMap((scenario) => {
    const own = Object.entries(variables).filter(([name]) => namesOf(scenario).includes(name));
    return plansOf(scenario, { ...choices, variables: Object.fromEntries(own) });
  });
}

function plansOf(scenario: ScenarioInput, choices: PlanChoices): Plan[] {
  const { target, variables = {}, settings, onSetting, allProbes = false } = choices;
  const { path } = scenario.source;
  const targetFor = (named: string | undefined): TargetInput => {
    const file = target ?? (named === undefined ? undefined : display(resolve(dirname(path), named)));
    if (file === undefined) {
      throw new DrillError('invalid-input', `${path}: names no target`, {
        hint: 'Add `target: path/to/target.yaml` to the scenario, or pass --target FILE.',
      });
    }
    const input = readTarget(file);
    if (settings === undefined) return input;
    const made = withSettings(input, settings);
    for (const setting of made.changed) onSetting?.(setting);
    return made.target;
  };
  return makePlans(scenario, targetFor, { overrides: variables, allProbes });
}

/** The target plan for `watch` and for the lab. @throws InvalidInput */
export function loadWatchPlan(path: string): TargetPlan {
  return planTarget(readTarget(path));
}

/**
 * The parts of a drill that may refer to secrets: its plan, and the target's other probes and writers. Output of commands
 * and logs may contain their secrets, too.
 * @throws InvalidInput if the target can no longer be read
 */
export function withTargetsSecrets(plan: Plan): Pick<Plan, 'hosts' | 'probes' | 'writers'> {
  const { probesLeftOut = [], target, probes, writers } = plan;
  if (probesLeftOut.length === 0) return plan;
  const whole = loadWatchPlan(target.path);
  return {
    ...plan,
    probes: [...probes, ...whole.probes.filter(({ name }) => probesLeftOut.includes(name))],
    writers: [...writers, ...whole.writers.filter(({ id }) => !writers.some((own) => own.id === id))],
  };
}

/** Reads a target. Paths in the file are relative to it; paths in the plan are relative to the working folder. */
function readTarget(path: string): TargetInput {
  const input = readInput(path);
  return {
    ...input,
    resolveFile: (file) => display(whereItIs(resolve(dirname(path), file))),
    extended: extensionsOf(input.source, display),
  };
}
