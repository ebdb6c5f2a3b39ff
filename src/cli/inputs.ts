import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { DrillError, messageOf } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import { makePlan, makeWatchPlan, targetOf, type Input, type WatchPlan } from '../scenario/planner.ts';
import { parseSource } from '../scenario/source.ts';

/** Reads and parses a scenario or target file. @throws InvalidInput, DrillError `invalid-input` */
function readInput(path: string): Input {
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

/** The scenario files that arguments name: files as they are, folders as all *.yaml below them in alphabetical order. */
export function scenarioFiles(args: readonly string[]): string[] {
  return args.flatMap((arg) => {
    if (!existsSync(arg)) {
      throw new DrillError('invalid-input', `${arg}: no such file or folder`, {
        mend: 'Name a scenario file, or a folder of them such as scenarios.',
      });
    }
    if (!statSync(arg).isDirectory()) return [arg];
    const files = readdirSync(arg, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(arg, name));
    if (files.length === 0) throw new DrillError('invalid-input', `${arg}: no *.yaml below this folder`);
    return files;
  });
}

/** The plan of a scenario file against its own target or `--target`. @throws InvalidInput */
export function loadPlan(scenarioPath: string, targetPath: string | undefined): Plan {
  const scenario = readInput(scenarioPath);
  const named = targetOf(scenario.source);
  const path = targetPath ?? (named === undefined ? undefined : display(join(dirname(scenarioPath), named)));
  if (path === undefined) {
    throw new DrillError('invalid-input', `${scenarioPath}: names no target`, {
      mend: 'Add `target: path/to/target.yaml` to the scenario or give --target.',
    });
  }
  const target = readInput(path);
  return makePlan(scenario, target, fileResolver(path));
}

/** What `watch` and the lab need of a target file. @throws InvalidInput */
export function loadWatchPlan(targetPath: string): WatchPlan & Pick<Plan, 'steady'> {
  return makeWatchPlan(readInput(targetPath), fileResolver(targetPath));
}

/** Files named in a target are relative to it; the plan holds them relative to the working folder. */
function fileResolver(targetPath: string): (path: string) => string {
  return (path) => display(resolve(dirname(targetPath), path));
}

/** A path as people would type it from the working folder. */
function display(path: string): string {
  const short = relative(process.cwd(), resolve(path));
  return short.startsWith('../../..') ? resolve(path) : short;
}
