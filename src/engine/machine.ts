import { DrillError, isUnreachable } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import type { LedgerRecord } from './ledger.ts';

/** Which machine a host is. */
export type Machine = NonNullable<LedgerRecord['machine']>;

const lookWithinMs = 5000;
/** machine-id(5); random(4). */
const files = ['/etc/machine-id', '/proc/sys/kernel/random/boot_id'];

/** Which machine the host is, and since which boot; undefined where it does not say, as one without power. */
export async function machineOf({ host, signal }: FaultContext): Promise<Machine | undefined> {
  try {
    const said = await host.exec(['cat', ...files], { timeoutMs: lookWithinMs, signal, look: true });
    const [id = '', bootId = ''] = said.stdout.trim().split('\n');
    return said.exitCode === 0 && id !== '' && bootId !== '' ? { id, bootId } : undefined;
  } catch (error) {
    if (isUnreachable(error)) return undefined;
    throw error;
  }
}

/**
 * Throws `heal-failed` when the host is not the machine that the fault was made on: what is seen there says nothing of the
 * fault, and what would be undone there was never done.
 */
export async function requireSameMachine(ctx: FaultContext, recorded: Machine | undefined): Promise<void> {
  if (recorded === undefined) return;
  const now = await machineOf(ctx);
  if (now === undefined || now.id === recorded.id) return;
  throw new DrillError(
    'heal-failed',
    `${ctx.host.name} is another machine now (machine-id ${now.id}, the fault was made on ${recorded.id})`,
    { mend: 'Where the old one is gone for good, drop the record with `firedrill heal --forget RUN/FAULT`.' },
  );
}
