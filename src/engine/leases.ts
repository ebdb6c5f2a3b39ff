import { limitText } from '../core/format-duration.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import type { FaultId } from '../core/ids.ts';
import { isRoot } from '../faults/lib/commands.ts';
import {
  armAutoRevert,
  type AutoRevert,
  disarmAutoRevert,
  hasSystemd,
  isArmed,
  newTag,
  renewAutoRevert,
} from '../faults/lib/auto-revert.ts';
import type { EventLog } from './event-log.ts';
import type { LedgerRecord } from './ledger.ts';
import type { OpenFault, RunState } from './run-state.ts';
import { distantFuture, type DurationMs, later, type RunMs } from '../core/time.ts';

/** Renewals within one lease duration: a single late or lost renewal does not end a fault. */
const renewalsPerLease = 3;
const checkEveryMs = 250;

/**
 * The lease of a fault that is about to be injected; not armed yet. Undefined if the host cannot undo the
 * fault by itself: it has no systemd, or it is this machine and firedrill does not run as root. Fault kinds
 * that may cut off their host refuse such a host themselves.
 */
export async function leaseFor(
  ctx: FaultContext,
  undo: string | undefined,
  leaseMs: DurationMs | undefined,
): Promise<LedgerRecord['lease']> {
  if (undo === undefined || leaseMs === undefined || !(await hasSystemd(ctx))) return undefined;
  // A user of the group `docker` may kill a container and start it again, and may not create a systemd timer.
  if (ctx.host.isThisMachine === true && !(await isRoot(ctx))) return undefined;
  return { tag: newTag(), ms: leaseMs };
}

/**
 * Arms the auto-revert timer of a record that has a lease. Its undo record is already on disk, and nothing
 * has changed on the host. Returns until when the timer certainly does not fire, on the context's clock.
 */
export async function armLease(
  ctx: FaultContext,
  { lease, undo }: Pick<LedgerRecord, 'lease' | 'undo'>,
): Promise<RunMs | undefined> {
  if (lease === undefined || undo === undefined) return undefined;
  const askedMs = ctx.clock.nowMs();
  await armAutoRevert(ctx, { tag: lease.tag, leaseMs: lease.ms, undo });
  return later(askedMs, lease.ms);
}

/** Stops the timer of a healed fault. @throws DrillError if the timer is still armed */
export async function endLease(ctx: FaultContext, { lease }: Pick<LedgerRecord, 'lease'>): Promise<void> {
  if (lease === undefined) return;
  await disarmAutoRevert(ctx, lease.tag);
  if (await isArmed(ctx, lease.tag))
    throw new DrillError(
      'fault-failed',
      `${ctx.host.name}: cannot stop the auto-revert timer firedrill-${lease.tag}: it is still armed`,
    );
}

/** The run whose leases are renewed. */
export interface LeaseHolder extends Pick<RunState, 'clock' | 'accessTo'> {
  readonly log: Pick<EventLog, 'append'>;
  /** The open faults; the list changes during the run. */
  readonly open: readonly OpenFault[];
  /** Called if a defect of firedrill stops the renewals. */
  readonly onBroken?: (error: unknown) => void;
}

/** Renews the leases of open faults. */
export interface LeaseRenewer {
  /** Stops renewing the lease of that fault; resolves when no renewal of it is under way. */
  release(faultId: FaultId): Promise<void>;
  /** Stops all renewals. */
  stop(): Promise<void>;
}

/** State of one fault's lease. */
interface KeptLease {
  dueMs: RunMs;
  /** Number of renewal attempts. Each attempt creates a timer with its own name. */
  attempts: number;
  /** A renewal failed, and the log has the warning. */
  expiring: boolean;
  released: boolean;
  renewing: Promise<void> | undefined;
}

/**
 * Renews the leases of a run's open faults, each independently, until it is stopped. A failed renewal ends
 * nothing here. The host undoes the fault when the lease is over, and the log warns of that.
 */
export function renewLeases(run: LeaseHolder): LeaseRenewer {
  const { clock, log } = run;
  const stopped = new AbortController();
  /** By tag, because a fault that was withdrawn and prepared again has a new lease. */
  const leases = new Map<FaultId, KeptLease>();
  const keptOf = (tag: string): KeptLease => {
    const known = leases.get(tag);
    if (known !== undefined) return known;
    const created: KeptLease = {
      dueMs: distantFuture,
      attempts: 0,
      expiring: false,
      released: false,
      renewing: undefined,
    };
    leases.set(tag, created);
    return created;
  };
  const renew = async ({ record }: OpenFault, autoRevert: AutoRevert, kept: KeptLease): Promise<void> => {
    const { leaseMs } = autoRevert;
    // Counted before the attempt, because an attempt without an answer may have created its timer.
    kept.attempts += 1;
    const askedMs = clock.nowMs();
    try {
      const ctx = { ...run.accessTo(record.host.name), clock, signal: stopped.signal };
      await renewAutoRevert(ctx, autoRevert, {
        attempt: kept.attempts,
        timeoutMs: leaseMs / renewalsPerLease,
      });
      kept.expiring = false;
      log.append({ type: 'lease.renewed', fault: record.faultId, untilMs: later(askedMs, leaseMs) });
    } catch (error) {
      if (stopped.signal.aborted || kept.expiring) return;
      kept.expiring = true;
      const text = `${record.faultId}: its lease of ${limitText(leaseMs)} is not renewed, so ${record.host.name} may undo the fault: ${messageOf(error)}`;
      log.append({ type: 'log', level: 'warn', text });
    }
  };
  const checkLease = (open: OpenFault): void => {
    const { lease, undo } = open.record;
    if (lease === undefined || undo === undefined) return;
    const kept = keptOf(lease.tag);
    if (kept.released || kept.renewing !== undefined) return;
    const nextMs = later(clock.nowMs(), lease.ms / renewalsPerLease);
    if (kept.dueMs === distantFuture) kept.dueMs = nextMs;
    if (clock.nowMs() < kept.dueMs) return;
    kept.dueMs = nextMs;
    kept.renewing = renew(open, { tag: lease.tag, leaseMs: lease.ms, undo }, kept).finally(() => {
      kept.renewing = undefined;
    });
  };
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      for (const open of run.open) checkLease(open);
      await clock.sleep(checkEveryMs, stopped.signal).catch(() => undefined);
    }
  };
  const looping = loop().catch((error: unknown) => run.onBroken?.(error));
  return {
    async release(faultId) {
      const tag = run.open.find(({ record }) => record.faultId === faultId)?.record.lease?.tag;
      if (tag === undefined) return;
      const kept = keptOf(tag);
      kept.released = true;
      await kept.renewing;
    },
    async stop() {
      stopped.abort();
      await looping;
      for (const { renewing } of leases.values()) await renewing;
    },
  };
}
