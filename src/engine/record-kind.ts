import { messageOf } from '../core/errors.ts';
import type { AnyFaultKind } from '../core/kinds.ts';
import { loadExtensions } from '../extension/load.ts';
import type { LedgerRecord } from './ledger.ts';

/**
 * The fault kind of an undo record. Loads the extension that it came from.
 * @throws `failure` with the reason if the kind is not there any more: its fault is not healed then
 */
export function kindOfRecord(record: LedgerRecord, failure: (why: string) => Error): AnyFaultKind {
  const { extension, kind } = record;
  if (extension === undefined) {
    const found = loadExtensions().kinds.fault(kind);
    if (found === undefined) throw failure(`because this version of firedrill has no fault kind ${kind}`);
    return found;
  }
  const { module } = extension;
  let found: AnyFaultKind | undefined;
  try {
    found = loadExtensions([module]).kinds.fault(kind);
  } catch (error) {
    throw failure(`because its extension is missing: ${messageOf(error)}`);
  }
  if (found === undefined)
    throw failure(
      `because the extension ${module.entry} (${module.file}) has no fault kind ${kind} any more`,
    );
  return found;
}

/** How to heal a fault whose kind is not there any more. */
export function healWithoutKind({ runId, faultId, host, extension, undo }: LedgerRecord): string {
  if (extension === undefined) return 'Run `heal` of the version of firedrill that injected the fault.';
  const command = undo === undefined ? '' : `, or run its undo command there: ${undo}`;
  return `Restore ${extension.module.file}, then run \`firedrill heal\` again. Or undo the fault by hand on ${host.name}: ${extension.heal}${command}; then remove the record with \`firedrill heal --forget ${runId}/${faultId}\`.`;
}

/** How to make a repair whose kind is not there any more. */
export function repairWithoutKind({ runId, faultId, host, extension }: LedgerRecord): string {
  return extension === undefined
    ? 'Run `heal` of the version of firedrill that began the run.'
    : `Restore ${extension.module.file}, then run \`firedrill heal\` again. Or make the repair by hand on ${host.name}; then remove the record with \`firedrill heal --forget ${runId}/${faultId}\`.`;
}
