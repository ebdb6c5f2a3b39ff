import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DrillError } from '../core/errors.ts';
import { packageRoot } from '../installation.ts';
import { nearest, suggest } from '../scenario/suggest.ts';
import { display } from './display-path.ts';

/** Folders whose files have names: the user's own, and the one of the lab's stacks, which is part of the package. */
const namedFolders = (): string[] =>
  ['scenarios', join(packageRoot, 'scenarios')].filter((folder) => existsSync(folder));

const extension = /\.ya?ml$/;
const suiteFile = 'suite.yaml';

/** Names of suites: the folders that have a suite.yaml. */
export function suiteNames(): string[] {
  return unique(
    namedFolders().flatMap((folder) =>
      readdirSync(folder).filter((name) => existsSync(join(folder, name, suiteFile))),
    ),
  );
}

/** Names of scenarios: `certlocker/postgres-crash` is `certlocker/postgres-crash.yaml` in a folder `scenarios`. */
export function scenarioNames(): string[] {
  return unique(
    namedFolders().flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((path) => extension.test(path) && !/(?:^|\/)suite\.ya?ml$/.test(path))
        .map((path) => path.replace(extension, '')),
    ),
  );
}

/** The file or folder of a name: a suite, a scenario, or a folder of scenarios. Undefined if there is none. */
export function pathOfName(name: string): string | undefined {
  if (!/^[\w-]+(?:\/[\w-]+)*$/.test(name)) return undefined;
  const path = namedFolders()
    .flatMap((folder) => ['/suite.yaml', '.yaml', '.yml', ''].map((end) => join(folder, `${name}${end}`)))
    .find((one) => existsSync(one));
  return path === undefined ? undefined : display(path);
}

/** The file or folder of an argument. An existing path comes before a name. @throws DrillError `invalid-input` */
export function pathOf(arg: string): string {
  const path = existsSync(arg) ? arg : pathOfName(arg);
  if (path !== undefined) return path;
  throw new DrillError(
    'invalid-input',
    `${arg}: no such file or folder, and no scenario or suite of this name${known(arg)}`,
    { hint: 'Correct the path, or use a name: the path of a file below `scenarios`, without .yaml.' },
  );
}

/** The suite file of an argument: the file itself, or that of a name. @throws DrillError `invalid-input` */
export function suiteFileOf(arg: string): string {
  const path = existsSync(arg) && statSync(arg).isFile() ? arg : pathOfName(arg);
  if (path !== undefined && statSync(path).isFile()) return path;
  throw new DrillError(
    'invalid-input',
    `${arg}: no such suite file, and no suite of this name${suggest(arg, suiteNames())}`,
    { hint: `Name a suite file, or a folder in \`scenarios\` that has a ${suiteFile}.` },
  );
}

/** The closest name, else the names of the same folder, else the suites. */
function known(arg: string): string {
  const scenarios = scenarioNames();
  const suites = suiteNames();
  const name = arg.replace(/^(?:\.\/)?scenarios\//, '').replace(extension, '');
  if (nearest(name, [...suites, ...scenarios]) !== undefined) return suggest(name, [...suites, ...scenarios]);
  const siblings = scenarios.filter((one) => one.startsWith(`${name.replace(/\/.*/s, '')}/`));
  if (siblings.length > 0) return suggest(name, siblings);
  return `${suggest(name, suites)}, and scenarios of these, such as ${scenarios[0] ?? ''}`;
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
