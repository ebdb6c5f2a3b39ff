import type { Clock } from '../core/clock.ts';
import { formatMs } from '../core/duration.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import {
  armDeadMan,
  type DeadMan,
  disarmDeadMan,
  hasSystemd,
  isArmed,
  newTag,
  renewDeadMan,
} from '../faults/lib/dead-man.ts';
import type { EventLog } from './event-log.ts';
import type { LedgerRecord } from './ledger.ts';
import type { OpenFault, Run } from './run.ts';

/** A lease is renewed so often before it would run out: one renewal that is late or lost ends no fault. */
const renewalsPerLease = 3;
const lookEveryMs = 250;

/**
 * The lease of a fault that is about to be injected, not armed yet; undefined where nothing on the host could undo it.
 * Those that may cut their host off are refused there by their kind.
 */
export async function leaseFor(
  ctx: FaultContext,
  undo: string | undefined,
  leaseMs: number | undefined,
): Promise<LedgerRecord['lease']> {
  if (undo === undefined || leaseMs === undefined || !(await hasSystemd(ctx))) return undefined;
  return { tag: newTag(), ms: leaseMs };
}

/** Arms the timer of a record that has one; its undo record is on disk by then, and nothing is changed yet. */
export async function armLease(
  ctx: FaultContext,
  { lease, undo }: Pick<LedgerRecord, 'lease' | 'undo'>,
): Promise<void> {
  if (lease !== undefined && undo !== undefined)
    await armDeadMan(ctx, { tag: lease.tag, leaseMs: lease.ms, undo });
}

/** Stops the timer of a fault that is proven healed. @throws DrillError while it is still there */
export async function endLease(ctx: FaultContext, { lease }: Pick<LedgerRecord, 'lease'>): Promise<void> {
  if (lease === undefined) return;
  await disarmDeadMan(ctx, lease.tag);
  if (await isArmed(ctx, lease.tag))
    throw new DrillError('fault-failed', `${ctx.host.name}: the timer firedrill-${lease.tag} is still armed`);
}

/** Whose leases are kept. */
export interface LeaseHolder extends Pick<Run, 'reach'> {
  readonly clock: Clock;
  readonly log: Pick<EventLog, 'append'>;
  /** Faults come and go in here. */
  readonly open: readonly OpenFault[];
}

/** Keeps the leases of what is open. */
export interface LeaseKeeper {
  /** Renews the lease of that fault no more; resolves when no renewal of it is under way. */
  release(faultId: string): Promise<void>;
  /** Releases all. */
  stop(): Promise<void>;
}

/**
 * Renews the leases of a run's open faults, each on its own, until it is stopped. A renewal that fails ends nothing here:
 * the host undoes the fault when the lease is over, and the log says that this may have happened.
 */
export function keepLeases(run: LeaseHolder): LeaseKeeper {
  const { clock, log } = run;
  const stopped = new AbortController();
  const lapsing = new Set<string>();
  /** How often each was renewed. */
  const renewals = new Map<string, number>();
  const renew = async ({ record }: OpenFault, deadMan: DeadMan): Promise<void> => {
    const ctx = { ...run.reach(record.host.name), clock, signal: stopped.signal };
    const { leaseMs } = deadMan;
    const renewal = (renewals.get(record.faultId) ?? 0) + 1;
    try {
      await renewDeadMan(ctx, deadMan, { renewal, timeoutMs: leaseMs / renewalsPerLease });
      renewals.set(record.faultId, renewal);
      lapsing.delete(record.faultId);
    } catch (error) {
      if (stopped.signal.aborted) return;
      if (lapsing.has(record.faultId)) return;
      lapsing.add(record.faultId);
      const text = `${record.faultId}: its lease of ${formatMs(leaseMs)} is not renewed, its host may undo it: ${messageOf(error)}`;
      log.append({ type: 'log', level: 'warn', text });
    }
  };
  const renewing = new Map<string, Promise<void>>();
  const released = new Set<string>();
  const dueMs = new Map<string, number>();
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const now = clock.nowMs();
      for (const open of run.open) {
        const { faultId, lease, undo } = open.record;
        if (lease === undefined || undo === undefined || released.has(faultId) || renewing.has(faultId))
          continue;
        const due = dueMs.get(faultId) ?? now + lease.ms / renewalsPerLease;
        dueMs.set(faultId, due);
        if (now < due) continue;
        dueMs.set(faultId, now + lease.ms / renewalsPerLease);
        renewing.set(
          faultId,
          renew(open, { tag: lease.tag, leaseMs: lease.ms, undo }).finally(() => renewing.delete(faultId)),
        );
      }
      await clock.sleep(lookEveryMs, stopped.signal).catch(() => undefined);
    }
  };
  const looping = loop();
  return {
    async release(faultId) {
      released.add(faultId);
      await renewing.get(faultId);
    },
    async stop() {
      stopped.abort();
      await looping;
      await Promise.all(renewing.values());
    },
  };
}
