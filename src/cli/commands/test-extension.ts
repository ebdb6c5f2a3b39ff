import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { DrillError, ExitCode, messageOf } from '../../core/errors.ts';
import type { DrillEvent } from '../../core/event.ts';
import type { Summary } from '../../core/summary.ts';
import type { Check } from '../../extension/conformance/check.ts';
import type { StoredRun } from '../../extension/conformance/reporter-suite.ts';
import { tryExtension } from '../../extension/conformance/suite.ts';
import { testsProblem } from '../../extension/check-tests.ts';
import type { ExtensionTests } from '../../extension/define-tests.ts';
import { loadExtensions } from '../../extension/load.ts';
import { defaultExport, loadModule, resolveModule } from '../../extension/load-module.ts';
import { display } from '../display-path.ts';
import type { Output } from '../output.ts';
import { withTemporaryFolder } from '../../lab/temporary-folder.ts';

/** Options of `firedrill test-extension`. */
export interface TestExtensionOptions {
  readonly tests?: string;
  /** Folder of a run, for reporters. */
  readonly run?: string;
}

/** Below the name of a kind. */
const indent = ' '.repeat(12);
const words = { ok: 'ok       ', fail: 'FAIL     ', 'not-tried': 'not tried' } as const;

/**
 * Tries every kind of an extension, and prints one line for each promise. Exit code 1 if one is broken.
 * @throws DrillError `invalid-input` if the module or its tests cannot be loaded
 */
export async function testExtensionCommand(
  named: string,
  options: TestExtensionOptions,
  output: Output,
): Promise<number> {
  const path = existsSync(named) ? resolve(named) : resolveModule(named, process.cwd());
  const module = { entry: named, file: display(path) };
  // Also checks that the names and fields of its kinds fit those of firedrill.
  loadExtensions([module]);
  const extension = loadModule(module);
  const tests = testsOf(options.tests ?? testsNextTo(path), output);
  const run = options.run === undefined ? undefined : readStoredRun(options.run);
  const checks = await withTemporaryFolder((out) =>
    tryExtension({ extension, tests, run, out }, (made) => output.text(linesOf(made))),
  );
  const count = (status: Check['status']): number => checks.filter((made) => made.status === status).length;
  output.text(`${count('ok')} ok, ${count('fail')} failed, ${count('not-tried')} not tried\n`);
  return count('fail') === 0 ? ExitCode.pass : ExitCode.verdictFail;
}

/** A line for a promise; for one that is not kept or not tried, also what was seen, and what to do. */
function linesOf({ kind, promise, status, seen, hint }: Check): string {
  const more = [seen, hint === undefined ? undefined : `hint: ${hint}`].filter((line) => line !== undefined);
  return (
    [`${words[status]} ${kind}: ${promise}`, ...more.map((line) => `${indent}${line}`)].join('\n') + '\n'
  );
}

/** The file of tests next to a module; undefined if there is none. */
function testsNextTo(module: string): string | undefined {
  const extension = extname(module);
  const path = `${module.slice(0, -extension.length)}.tests${extension}`;
  return existsSync(path) ? path : undefined;
}

function testsOf(path: string | undefined, output: Output): ExtensionTests {
  if (path === undefined) {
    output.progress('there is no file of tests, so only the shape of the kinds is checked');
    return {};
  }
  const exported = defaultExport(display(resolve(path)), path);
  const problem = testsProblem(exported);
  if (problem !== undefined)
    throw new DrillError(
      'invalid-input',
      `the file of tests ${display(resolve(path))} is not usable: ${problem}`,
    );
  return exported as ExtensionTests;
}

function readStoredRun(folder: string): StoredRun {
  const read = (name: string): string => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch (error) {
      throw new DrillError('invalid-input', `--run ${folder}: cannot read ${name}: ${messageOf(error)}`, {
        cause: error,
        hint: 'Pass the folder of a finished run, such as one in reports/.',
      });
    }
  };
  const events = read('events.ndjson')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as DrillEvent);
  const [first] = events;
  if (first?.type !== 'run.started')
    throw new DrillError('invalid-input', `--run ${folder}: the first event is not run.started`);
  const summary = JSON.parse(read('summary.json')) as Summary;
  return {
    events,
    drill: { plan: first.plan, summary, folder, exitCode: ExitCode.pass },
    files: () => new Map(readdirSync(folder).map((name) => [name, read(name)])),
  };
}
