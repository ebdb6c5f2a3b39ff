import { resolve } from 'node:path';
import { DrillError, messageOf } from '../core/errors.ts';
import type { ExtensionModule } from '../core/extension-module.ts';
import type { Kinds } from '../core/kinds.ts';
import type { Plan, PlannedExtension } from '../core/plan.ts';
import type { ReporterKind } from '../reporters/reporter.ts';
import { scenarioSchemaOf } from '../scenario/scenario-schema.ts';
import { InvalidInput, type Problem, type Source } from '../scenario/source.ts';
import { extensionsSchema, targetSchemaOf } from '../scenario/target-schema.ts';
import { plannedExtension } from './facts.ts';
import { builtInKinds, type KindsOfModule, kindsWith } from './kinds.ts';
import { folderOf, loadModule, resolveModule } from './load-module.ts';

/** Loaded extensions. */
export interface Loaded {
  /** The built-in kinds, and theirs. */
  readonly kinds: Kinds;
  readonly reporters: readonly ReporterKind[];
  /** The extensions as a plan stores them. */
  readonly extensions: readonly PlannedExtension[];
}

const none: Loaded = { kinds: builtInKinds, reporters: [], extensions: [] };

/** By entries and files: the same modules have the same kinds, so that schemas are made once. */
const loadedBefore = new Map<string, Loaded>();

/**
 * Loads the modules of a plan or an undo record.
 * @throws DrillError `invalid-input` if one cannot be loaded, or if two have a kind of the same name
 */
export function loadExtensions(modules: readonly ExtensionModule[] = []): Loaded {
  if (modules.length === 0) return none;
  const key = keyOf(modules);
  const before = loadedBefore.get(key);
  if (before !== undefined) return before;
  let all: readonly Named[] = [];
  for (const module of modules) all = withModule(all, module);
  const loaded = loadedOf(all);
  loadedBefore.set(key, loaded);
  return loaded;
}

/** The kinds of a plan, or of an undo record. @throws DrillError as `loadExtensions` does */
export function kindsFor({ extensions }: { readonly extensions?: Plan['extensions'] }): Kinds {
  return loadExtensions(extensions).kinds;
}

/**
 * Loads the extensions that a target file names. Its other fields are not read.
 * @param show the path of a module as the plan stores it
 * @throws InvalidInput at the entry of each module that cannot be used
 */
export function extensionsOf(source: Source, show: (file: string) => string): Loaded {
  const given = extensionsSchema.safeParse(Reflect.get(Object(source.value), 'extensions'));
  // The schema of the target reports other values.
  if (!given.success) return none;
  const problems: Problem[] = [];
  /** Makes a problem at an entry if `work` fails. */
  const at = <T>(i: number, work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      problems.push(source.at(['extensions', i], `extensions: ${messageOf(error)}`));
      return undefined;
    }
  };
  const modules = given.data.map((entry, i) =>
    at(i, () => ({ entry, file: show(resolveModule(entry, folderOf(source.path))) })),
  );
  const found = modules.filter((module) => module !== undefined);
  // A scenario with a matrix reads its target for each combination.
  const before = problems.length === 0 ? loadedBefore.get(keyOf(found)) : undefined;
  if (before !== undefined) return before;
  let all: readonly Named[] = [];
  for (const [i, module] of modules.entries()) {
    if (module === undefined) continue;
    at(i, () => {
      if (modules.findIndex((other) => other?.file === module.file) < i)
        throw new DrillError('invalid-input', `${module.entry} is named twice; remove this entry`);
      all = withModule(all, module);
    });
  }
  if (problems.length > 0) throw new InvalidInput(source.path, problems);
  return loadExtensions(found);
}

function keyOf(modules: readonly ExtensionModule[]): string {
  return JSON.stringify(modules.map(({ entry, file }) => [entry, resolve(file)]));
}

/** The kinds of one module, with its reporters. */
type Named = KindsOfModule & { readonly reporters: readonly ReporterKind[] };

/** Adds a module to those loaded so far. @throws DrillError `invalid-input` if its kinds do not fit */
function withModule(all: readonly Named[], module: ExtensionModule): readonly Named[] {
  const added: Named = { module, ...loadModule(module) };
  const twice = namesOf(added).find((name, i, own) => own.indexOf(name) < i);
  const taken = namesOf(added).flatMap((name) => {
    const other = all.find((one) => namesOf(one).includes(name));
    return other === undefined ? [] : [{ name, by: other.module.entry }];
  })[0];
  if (twice !== undefined)
    throw unusable(module, `it has two kinds with the name "${twice.split(' ')[1]}"; rename one`);
  if (taken !== undefined)
    throw unusable(
      module,
      `${taken.name} exists already, in ${taken.by}; rename it, or remove one of the two entries`,
    );
  const next = [...all, added];
  try {
    const { kinds } = loadedOf(next);
    scenarioSchemaOf(kinds);
    targetSchemaOf(kinds);
  } catch (error) {
    throw unusable(module, `${messageOf(error)}; rename the field`);
  }
  return next;
}

function unusable({ entry }: ExtensionModule, why: string): DrillError {
  return new DrillError('invalid-input', `the extension ${entry} is not usable: ${why}`);
}

/** Names with the type of their kind: a fault and a probe may have the same name. */
function namesOf({ faults, probes, writers, transports, reporters }: Named): string[] {
  return [
    ...faults.map(({ kind }) => `fault ${kind}`),
    ...probes.map(({ kind }) => `probe ${kind}`),
    ...writers.map(({ kind }) => `writer ${kind}`),
    ...transports.map(({ kind }) => `transport ${kind}`),
    ...reporters.map(({ name }) => `reporter ${name}`),
  ];
}

function loadedOf(all: readonly Named[]): Loaded {
  return {
    kinds: kindsWith(all),
    reporters: all.flatMap(({ reporters }) => reporters),
    extensions: all.map(plannedExtension),
  };
}
