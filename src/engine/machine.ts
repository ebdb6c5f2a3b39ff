import { DrillError, isUnreachable } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import type { LedgerRecord } from './ledger.ts';

/** Identity and boot of a host's machine. */
export type Machine = NonNullable<LedgerRecord['machine']>;

const checkWithinMs = 5000;
/** machine-id(5); random(4). */
const files = ['/etc/machine-id', '/proc/sys/kernel/random/boot_id'];

/**
 * The host's machine and boot; undefined if it does not answer or has no machine-id, for example without
 * power.
 */
export async function machineOf({ host, signal }: FaultContext): Promise<Machine | undefined> {
  try {
    const said = await host.exec(['cat', ...files], { timeoutMs: checkWithinMs, signal, attempt: true });
    const [id = '', bootId = ''] = said.stdout.trim().split('\n');
    return said.exitCode === 0 && id !== '' && bootId !== '' ? { id, bootId } : undefined;
  } catch (error) {
    if (isUnreachable(error)) return undefined;
    throw error;
  }
}

/**
 * Throws `heal-failed` if the host is not the machine on which the fault was injected. Its state shows
 * nothing about the fault, and undoing the fault there would change the wrong machine.
 */
export async function requireSameMachine(
  ctx: FaultContext,
  { runId, faultId, machine: recorded }: Pick<LedgerRecord, 'runId' | 'faultId' | 'machine'>,
): Promise<void> {
  if (recorded === undefined) return;
  const now = await machineOf(ctx);
  if (now === undefined || now.id === recorded.id) return;
  throw new DrillError(
    'heal-failed',
    `${ctx.host.name} is another machine now: its machine-id is ${now.id}, and the fault was injected on ${recorded.id}`,
    {
      hint: `If the old machine is gone for good, drop the record: \`firedrill heal --forget ${runId}/${faultId}\`.`,
    },
  );
}
