import { createSystemClock } from '../../engine/system-clock.ts';
import { limitText } from '../../core/format-duration.ts';
import { isOfRun, type Ledger, type LedgerRecord, type UnreadableRecord } from '../../engine/ledger.ts';
import { healFault } from '../../engine/heal.ts';
import { makeRepair, withIssued } from '../../engine/repair.ts';
import type { FailedAttempt } from '../../engine/persist.ts';
import { DrillError, ExitCode, messageOf } from '../../core/errors.ts';
import { createServer } from '../../cloud/catalog.ts';
import { createHost } from '../../hosts/catalog.ts';
import { learnHostSecrets } from '../secrets.ts';
import { type Output, printError, printNote } from '../output.ts';
import type { Stop } from '../stop.ts';
import { locksFolder, userLedger } from '../run-folder.ts';
import { type Holder, holderOf, lockTargets } from '../target-lock.ts';

/** Options of `firedrill heal`. */
export interface HealCommandOptions {
  /** Also heals faults of targets that a running drill or another heal has locked. */
  readonly force: boolean;
}

/**
 * Undoes every open fault of the ledger, newest first. It then does the pending repairs of runs whose faults are all
 * healed. Without `force`, faults of a running drill or of another heal are skipped. Unreadable undo records are reported,
 * and do not prevent other heals. Exit code 4 while a fault is open, 5 if all open faults are of locked targets, 3 if only
 * records could not be removed.
 */
export async function healCommand(
  output: Output,
  stop: Pick<Stop, 'abandonHeals'>,
  { force }: HealCommandOptions = { force: false },
): Promise<number> {
  const ledger = userLedger();
  const { held, unlock } = lockAll(ledger.list(), output);
  try {
    return await healRecords(ledger, { held, force, output, stop });
  } finally {
    unlock();
  }
}

/** Heals the open faults, except those of targets that other processes hold. */
async function healRecords(
  ledger: Ledger,
  {
    held,
    force,
    output,
    stop,
  }: HealCommandOptions & {
    readonly held: ReadonlyMap<string, Holder>;
    readonly output: Output;
    readonly stop: Pick<Stop, 'abandonHeals'>;
  },
): Promise<number> {
  // The ledger is read again, because another heal may have ended before the locks were taken.
  const all = ledger.list();
  const unreadable = ledger.unreadable();
  printUnreadable(unreadable, output);
  printHeld(held, force, output);
  const ours = all.filter(({ target }) => force || !held.has(target));
  const open = [...ours.filter(isFault).toReversed(), ...ours.filter((record) => !isFault(record))];
  if (all.length === 0 && unreadable.length === 0) {
    output.text('no open faults\n');
    return ExitCode.pass;
  }
  /** A failed write of the record is reported, and does not prevent the repair. */
  const markRecord = (record: LedgerRecord, issued: LedgerRecord['issued']): void => {
    try {
      ledger.replace(withIssued(record, issued));
    } catch (error) {
      printError(error as DrillError, output);
    }
  };
  /** Runs with an open fault or a pending repair. */
  const left = new Set<string>();
  let unclosed = 0;
  for (const record of open) {
    const what = `${record.runId} ${record.faultId}: ${record.kind} on ${record.host.name}`;
    const [doing, done, not] = wordsOf(record);
    const isWaiting = left.has(record.runId) || unreadable.some((one) => isOfRun(one, record.runId));
    if (!isFault(record) && isWaiting) {
      output.text(`${not}: ${what}: other faults of its run are not healed yet\n`);
      continue;
    }
    if (record.awaitsFault === true) {
      output.text(`not needed: ${what}: its fault was not injected\n`);
      unclosed += closeRecord(ledger, record, output);
      continue;
    }
    output.progress(`${doing} ${what}`);
    learnHostSecrets(record.host);
    try {
      const host = createHost(record.host, (note) => printNote(note, output));
      const access = { host, server: createServer(record.host) };
      const options = {
        abandon: stop.abandonHeals,
        onFailed: ({ attempt, observed, why }: FailedAttempt) =>
          output.progress(`  attempt ${attempt}: ${observed ? '' : 'could not check: '}${why}; trying again`),
      };
      const clock = createSystemClock();
      if (isFault(record)) await healFault(record, access, clock, options);
      else
        await makeRepair(record, access, clock, { ...options, mark: (issued) => markRecord(record, issued) });
      output.text(`${done}: ${what}\n`);
    } catch (error) {
      left.add(record.runId);
      output.text(`${not}: ${what}: ${messageOf(error)}\n`);
      if (error instanceof DrillError && error.hint !== undefined) output.progress(`  hint: ${error.hint}`);
      continue;
    }
    unclosed += closeRecord(ledger, record, output);
  }
  if (left.size > 0 || unreadable.length > 0) return ExitCode.notHealed;
  if (ours.length < all.length) return ExitCode.refused;
  return unclosed === 0 ? ExitCode.pass : ExitCode.inconclusive;
}

/**
 * Locks the targets of these records, so that no drill begins and no other heal repeats a repair. Returns the targets that
 * other processes hold. A failed write of a lock is reported, and does not prevent the heal.
 */
function lockAll(
  records: readonly LedgerRecord[],
  output: Output,
): { readonly held: ReadonlyMap<string, Holder>; readonly unlock: () => void } {
  const held = new Map<string, Holder>();
  const unlocks: (() => void)[] = [];
  for (const target of new Set(records.map((record) => record.target))) {
    try {
      unlocks.push(lockTargets(locksFolder(), [target], 'heal'));
    } catch (error) {
      if (!(error instanceof DrillError)) throw error;
      const holder = holderOf(locksFolder(), target);
      if (holder !== undefined) held.set(target, holder);
      else printError(error, output);
    }
  }
  return { held, unlock: () => unlocks.forEach((unlock) => unlock()) };
}

/** Reports the targets that other processes hold, and whether their faults are healed now. */
function printHeld(held: ReadonlyMap<string, Holder>, force: boolean, output: Output): void {
  for (const [target, { words, hint }] of held) {
    output.progress(`target ${target} is locked: ${words}`);
    if (force) {
      output.progress('  --force: healing its faults anyway');
      continue;
    }
    output.text(`not healed: target ${target} is locked; its holder heals the faults\n`);
    output.progress(`  hint: ${hint} To heal anyway, pass --force.`);
  }
}

function printUnreadable(records: readonly UnreadableRecord[], output: Output): void {
  for (const { message, hint } of records) {
    output.text(`NOT healed: ${message}\n`);
    output.progress(`  hint: ${hint}`);
  }
}

/** Removes a record. Returns the number of records that could not be removed: 1 or 0. */
function closeRecord(ledger: Ledger, record: LedgerRecord, output: Output): number {
  try {
    ledger.close(record);
    return 0;
  } catch (error) {
    printError(error as DrillError, output);
    return 1;
  }
}

function isFault({ repair }: LedgerRecord): boolean {
  return repair !== true;
}

/** Words for a record: in progress, done, and failed. */
function wordsOf(record: LedgerRecord): readonly [string, string, string] {
  return isFault(record)
    ? ['healing', 'healed, proven', 'NOT healed']
    : ['repairing', 'repaired', 'NOT repaired'];
}

/**
 * Removes an undo record whose machine no longer exists; changes no host. Exit code 2 if there is no such record.
 * @throws DrillError `refused` if its target is locked, without `force`
 */
export function forgetCommand(
  name: string,
  output: Output,
  { force }: HealCommandOptions = { force: false },
): number {
  const ledger = userLedger();
  const record = ledger.list().find(({ runId, faultId }) => `${runId}/${faultId}` === name);
  if (record === undefined)
    throw new DrillError('invalid-input', `there is no open fault ${name}`, {
      hint: 'List open faults with `firedrill status`, and pass the name as RUN/FAULT.',
    });
  const holder = holderOf(locksFolder(), record.target);
  if (holder !== undefined && !force)
    throw new DrillError('refused', `target ${record.target} is locked: ${holder.words}`, {
      hint: `${holder.hint} To remove the record anyway, pass --force.`,
    });
  ledger.close(record);
  output.text(`forgotten, NOT healed: ${name}: ${record.kind} on ${record.host.name}\n`);
  return ExitCode.pass;
}

/** The open faults by the names that `--forget` takes. */
export function openFaultNames(): string[] {
  return userLedger()
    .list()
    .map(({ runId, faultId }) => `${runId}/${faultId}`);
}

/** Lists the open faults. Exit code 4 while there are any. */
export function statusCommand(output: Output, json: boolean): number {
  const ledger = userLedger();
  const open = ledger.list();
  const unreadable = ledger.unreadable();
  if (json) output.data(`${JSON.stringify({ openFaults: open, unreadable }, null, 2)}\n`);
  else if (open.length + unreadable.length === 0) output.text('no open faults\n');
  else {
    for (const { message, hint, target } of unreadable) {
      output.text(`${message}${target === undefined ? '' : `, target ${target}`}\n`);
      output.progress(`  hint: ${hint}`);
    }
    for (const record of open) {
      output.text(
        `${record.openedAt}  ${record.runId}/${record.faultId}: ${record.kind} on ${record.host.name} (${record.host.transport.kind}), target ${record.target}${record.repair === true ? repairText(record) : leaseText(record)}${drillText(record)}\n`,
      );
    }
    if (open.length > 0) output.text('Heal them with `firedrill heal`.\n');
  }
  return open.length + unreadable.length === 0 ? ExitCode.pass : ExitCode.notHealed;
}

function drillText({ target }: LedgerRecord): string {
  const holder = holderOf(locksFolder(), target);
  return holder === undefined ? '' : `; its target is locked: ${holder.words}`;
}

function repairText({ issued, awaitsFault }: LedgerRecord): string {
  if (awaitsFault === true) return ', a repair that is not needed: its fault was not injected';
  return issued === undefined ? ', a pending repair' : ', a repair whose outcome is unknown';
}

function leaseText({ lease }: LedgerRecord): string {
  return lease === undefined
    ? ''
    : `, undone by its host ${limitText(lease.ms)} after the last lease renewal`;
}
