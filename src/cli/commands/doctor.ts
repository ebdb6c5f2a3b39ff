import { ExitCode } from '../../core/errors.ts';
import { labContext } from '../../lab/lab-context.ts';
import { inspectMachine, type Finding } from '../../lab/machine.ts';
import { loadLab } from '../../lab/manifest.ts';
import type { Output } from '../output.ts';
import { userLedger } from '../run-folder.ts';
import { labRoot, stackNames } from './lab.ts';

/** Says of this machine what `lab up` and `run` will need, with the mend for what is missing. Exit code 5 when something is. */
export async function doctorCommand(
  options: { stack?: string; json: boolean },
  signal: AbortSignal,
  output: Output,
): Promise<number> {
  const context = labContext(signal, () => undefined);
  const findings: Finding[] = [nodeFinding(), ledgerFinding()];
  const stacks = options.stack === undefined ? stackNames() : [options.stack];
  for (const stack of stacks) {
    const lab = await loadLab(labRoot, stack);
    for (const finding of await inspectMachine(context, lab.manifest)) {
      // What is the same for all stacks is said once.
      if (!findings.some((known) => known.name === finding.name && known.observed === finding.observed)) {
        findings.push(finding);
      }
    }
  }
  if (options.json) output.data(`${JSON.stringify({ findings }, null, 2)}\n`);
  else {
    for (const finding of findings) {
      output.data(`${marks[finding.status]} ${finding.name.padEnd(18)} ${finding.observed}\n`);
      if (finding.mend !== undefined && finding.status !== 'ok') output.data(`     ${finding.mend}\n`);
    }
  }
  return findings.some((finding) => finding.status === 'fail') ? ExitCode.refused : ExitCode.pass;
}

const marks = { ok: 'ok  ', info: 'info', warn: 'warn', fail: 'FAIL' } as const;

function nodeFinding(): Finding {
  return { name: 'Node.js', status: 'ok', observed: process.versions.node };
}

function ledgerFinding(): Finding {
  const open = userLedger().list();
  return open.length === 0
    ? { name: 'open faults', status: 'ok', observed: 'none' }
    : { name: 'open faults', status: 'fail', observed: String(open.length), mend: 'Run `firedrill heal`.' };
}
