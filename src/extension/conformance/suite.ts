import type { Extension } from '../define.ts';
import type { ExtensionTests } from '../define-tests.ts';
import { type Check, NotTried, notTried, type Report } from './check.ts';
import { tryFault } from './fault-suite.ts';
import { tryProbe } from './probe-suite.ts';
import { type StoredRun, tryReporter } from './reporter-suite.ts';
import { tryTransport } from './transport-suite.ts';
import { tryWriter } from './writer-suite.ts';

/** What the suite may use. */
export interface SuiteInput {
  readonly extension: Extension;
  readonly tests: ExtensionTests;
  /** A stored run for the reporters; without it they are not tried. */
  readonly run: StoredRun | undefined;
  /** Folder for what reporters write. */
  readonly out: string;
}

/** Tries every kind of an extension. Returns all checks. */
export async function tryExtension(
  { extension, tests, run, out }: SuiteInput,
  onCheck: Report,
): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const report: Report = (made) => {
    checks.push(made);
    onCheck(made);
  };
  await tryAll(extension.faults, tests.faults, tryFault, report);
  await tryAll(extension.probes, tests.probes, tryProbe, report);
  await tryAll(extension.writers, tests.writers, tryWriter, report);
  await tryAll(extension.transports, tests.transports, tryTransport, report);
  for (const kind of extension.reporters) {
    if (run === undefined)
      notTried(
        report,
        kind.name,
        'all promises of a reporter',
        new NotTried('there is no run to give to it', 'Pass `--run FOLDER`, the folder of any finished run.'),
      );
    else await tryReporter(kind, run, out, report);
  }
  return checks;
}

/** Tries the kinds of one list, each with its tests. Tests of unknown kinds fail. */
async function tryAll<K extends { readonly kind: string }, T extends { readonly kind: string }>(
  kinds: readonly K[],
  tests: readonly T[] = [],
  attempt: (kind: K, test: T, report: Report) => Promise<void>,
  report: Report,
): Promise<void> {
  for (const kind of kinds) {
    const own = tests.filter((test) => test.kind === kind.kind);
    for (const test of own) await attempt(kind, test, report);
    if (own.length === 0)
      notTried(
        report,
        kind.kind,
        'all promises of its kind',
        new NotTried(
          'the file of tests has no test of it',
          `Add a test with \`kind: '${kind.kind}'\` to the file of tests.`,
        ),
      );
  }
  for (const { kind } of tests) {
    if (!kinds.some((known) => known.kind === kind))
      report({
        kind,
        promise: 'exists',
        status: 'fail',
        seen: 'the file of tests names a kind that the extension does not have',
        hint: `Correct the name; the extension has ${listOf(kinds)} in this list.`,
      });
  }
}

function listOf(kinds: readonly { readonly kind: string }[]): string {
  return kinds.length === 0 ? 'nothing' : kinds.map(({ kind }) => kind).join(', ');
}
