import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, join, sep } from 'node:path';
import { shellQuote } from '../core/shell-quote.ts';
import { packageRoot } from '../installation.ts';

/** The variable by which a wrapper, such as the container image, says how its user calls firedrill. */
const nameVariable = 'FIREDRILL_COMMAND_NAME';

/** Where firedrill is installed and used. */
interface Installation {
  /** The folder of its package.json: of the checkout, or of the installed package. */
  readonly packageFolder: string;
  /** The working folder. */
  readonly folder: string;
  /** The variable PATH. */
  readonly path: string;
  /** Whether a file exists, and may be run. */
  readonly isProgram: (file: string) => boolean;
}

/** How a user in this folder calls this installation of firedrill: what a shell runs. */
export function commandName(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const given = env[nameVariable] ?? '';
  if (given !== '') return given;
  return installedCommandName({
    packageFolder: packageRoot,
    folder: workingFolder(),
    path: env['PATH'] ?? '',
    isProgram,
  });
}

/**
 * - `npx firedrill` in a checkout, in a project that depends on the package, in a folder below one, and if npx keeps the package in
 *   its own cache.
 * - `firedrill` if a folder of PATH has it. npx puts node_modules/.bin folders in front of PATH, which the user's shell does not have.
 * - Otherwise the path of the program.
 */
export function installedCommandName({ packageFolder, folder, path, isProgram }: Installation): string {
  const projects = foldersAround(folder);
  const isOwn = (project: string): boolean =>
    packageFolder === project || packageFolder.startsWith(join(project, 'node_modules') + sep);
  if (packageFolder.includes(`${sep}_npx${sep}`) || projects.some(isOwn)) return 'npx firedrill';
  const onPath = path.split(delimiter).filter((entry) => !entry.endsWith(join('node_modules', '.bin')));
  if (onPath.some((entry) => entry !== '' && isProgram(join(entry, 'firedrill')))) return 'firedrill';
  // The package itself may be elsewhere: as a link, or in the store of a package manager.
  if (projects.some((project) => isProgram(join(project, 'node_modules', '.bin', 'firedrill'))))
    return 'npx firedrill';
  return shellQuote(join(packageFolder, 'bin', 'firedrill.mjs'));
}

/**
 * A text for a person, in which the commands in backticks are what a shell runs: `firedrill heal` becomes `npx firedrill heal` in a
 * project that depends on the package. Files and data for programs have no such names, because they outlive the shell.
 */
export function withCommandName(text: string, name: () => string = commandName): string {
  return text.replaceAll(/`firedrill(?=\s)/g, () => `\`${name()}`);
}

function foldersAround(folder: string): readonly string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...foldersAround(parent)];
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The root if the working folder is gone: a hint is printed then, too. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return sep;
  }
}
