import { createSystemClock } from '../../engine/system-clock.ts';
import { formatMs } from '../../core/duration.ts';
import type { LedgerRecord } from '../../engine/ledger.ts';
import { healFault } from '../../engine/heal.ts';
import { makeRepair, withIssued } from '../../engine/repair.ts';
import type { FailedAttempt } from '../../engine/persist.ts';
import { DrillError, ExitCode, messageOf } from '../../core/errors.ts';
import { createServer } from '../../cloud/catalog.ts';
import { createHost } from '../../hosts/catalog.ts';
import { learnCloudSecrets } from '../secrets.ts';
import { type Output, tell } from '../output.ts';
import type { Stop } from '../stop.ts';
import { locksFolder, userLedger } from '../run-folder.ts';
import { holderOf } from '../target-lock.ts';

/**
 * Undoes every open fault of the ledger, newest first, and then makes the repairs that are owed, those of runs all of whose
 * faults are healed. Exit code 4 while any is left, 3 when only records are.
 */
export async function healCommand(output: Output, stop: Pick<Stop, 'abandonHeals'>): Promise<number> {
  const ledger = userLedger();
  const all = ledger.list();
  const open = [...all.filter(isFault).toReversed(), ...all.filter((record) => !isFault(record))];
  if (open.length === 0) {
    output.data('no open faults\n');
    return ExitCode.pass;
  }
  for (const target of new Set(open.map((record) => record.target))) {
    const holder = holderOf(locksFolder(), target);
    if (holder === undefined) continue;
    output.progress(`target ${target} is being drilled: ${holder}`);
    output.progress(
      '  What is healed now ends under that drill. Interrupt it instead, and it heals by itself.',
    );
  }
  /** A disk that takes no record keeps no repair from being made. */
  const markRecord = (record: LedgerRecord, issued: LedgerRecord['issued']): void => {
    try {
      ledger.replace(withIssued(record, issued));
    } catch (error) {
      tell(error as DrillError, output);
    }
  };
  /** Runs with something left. */
  const left = new Set<string>();
  let unclosed = 0;
  for (const record of open) {
    const what = `${record.runId} ${record.faultId}: ${record.kind} on ${record.host.name}`;
    const [doing, done, not] = wordsOf(record);
    if (!isFault(record) && left.has(record.runId)) {
      output.data(`${not}: ${what}: it waits for what is left of its run\n`);
      continue;
    }
    output.progress(`${doing} ${what}`);
    learnCloudSecrets(record.host);
    try {
      const host = createHost(record.host, ({ message }) => output.progress(`warning: ${message}`));
      const reach = { host, server: createServer(record.host) };
      const options = {
        abandon: stop.abandonHeals,
        onFailed: ({ attempt, observed, why }: FailedAttempt) =>
          output.progress(`  attempt ${attempt}: ${observed ? '' : 'could not check: '}${why}; trying again`),
      };
      const clock = createSystemClock();
      if (isFault(record)) await healFault(record, reach, clock, options);
      else
        await makeRepair(record, reach, clock, { ...options, mark: (issued) => markRecord(record, issued) });
      output.data(`${done}: ${what}\n`);
    } catch (error) {
      left.add(record.runId);
      output.data(`${not}: ${what}: ${messageOf(error)}\n`);
      if (error instanceof DrillError && error.mend !== undefined) output.progress(`  ${error.mend}`);
      continue;
    }
    try {
      ledger.close(record);
    } catch (error) {
      unclosed += 1;
      tell(error as DrillError, output);
    }
  }
  if (left.size > 0) return ExitCode.notHealed;
  return unclosed === 0 ? ExitCode.pass : ExitCode.inconclusive;
}

function isFault({ repair }: LedgerRecord): boolean {
  return repair !== true;
}

/** What is being done about a record, that it is done, that it is not. */
function wordsOf(record: LedgerRecord): readonly [string, string, string] {
  return isFault(record)
    ? ['healing', 'healed, proven', 'NOT healed']
    : ['repairing', 'repaired', 'NOT repaired'];
}

/** Drops an undo record whose machine is gone for good; touches no host. Exit code 2 when there is none of that name. */
export function forgetCommand(name: string, output: Output): number {
  const ledger = userLedger();
  const record = ledger.list().find(({ runId, faultId }) => `${runId}/${faultId}` === name);
  if (record === undefined)
    throw new DrillError('invalid-input', `there is no open fault ${name}`, {
      mend: 'See them with `firedrill status`; the name is RUN/FAULT.',
    });
  ledger.close(record);
  output.data(`forgotten, NOT healed: ${name}: ${record.kind} on ${record.host.name}\n`);
  return ExitCode.pass;
}

/** Lists the open faults. Exit code 4 while there are any. */
export function statusCommand(output: Output, json: boolean): number {
  const open = userLedger().list();
  if (json) output.data(`${JSON.stringify({ openFaults: open }, null, 2)}\n`);
  else if (open.length === 0) output.data('no open faults\n');
  else {
    for (const record of open) {
      output.data(
        `${record.openedAt}  ${record.runId}/${record.faultId}: ${record.kind} on ${record.host.name} (${record.host.transport.kind}), target ${record.target}${record.repair === true ? repairWords(record) : leaseWords(record)}${drillWords(record)}\n`,
      );
    }
    output.data('Heal them with `firedrill heal`.\n');
  }
  return open.length === 0 ? ExitCode.pass : ExitCode.notHealed;
}

function drillWords({ target }: LedgerRecord): string {
  const holder = holderOf(locksFolder(), target);
  return holder === undefined ? '' : `; its target is being drilled: ${holder}`;
}

function repairWords({ issued }: LedgerRecord): string {
  return issued === undefined ? ', a pending repair' : ', a repair that may have been made';
}

function leaseWords({ lease }: LedgerRecord): string {
  return lease === undefined ? '' : `, undone by its host after ${formatMs(lease.ms)} of silence`;
}
