import { middle, type Moment } from './moment.ts';
import type { FaultRecord, RunLog } from './run-log.ts';
import { type BadWindow, endOf } from './windows.ts';
import type { FaultId } from '../core/ids.ts';
import { distantFuture, distantPast, earliest, latest, type RunMs } from '../core/time.ts';

/**
 * The time in which faults act, ms on the run clock. No recovery is final while a fault acts. An outage that begins in that
 * time belongs to the same recovery, however long the service was up before it.
 */
export interface FaultTime {
  /** Latest moment at which the last fault took effect. A recovery before it is not final. */
  readonly lastEffectMs: RunMs;
  /** Earliest moment at which the last fault took effect. */
  readonly lastEffectLoMs: RunMs;
  /**
   * When the heal of the last fault with a duration (`forMs`) began; -Infinity without such a fault,
   * Infinity if it was not healed.
   */
  readonly timedUntilMs: RunMs;
  /** The same for the faults without a duration, which act until they are healed. */
  readonly untimedUntilMs: RunMs;
  /** When the engine stopped waiting for the recovery. */
  readonly waitOverMs: RunMs;
  /** The latest of these moments. An outage that begins later is not part of the recovery. */
  readonly beginByMs: RunMs;
  /** A recovery after this moment does not count: a step of the drill caused it, or the wait was over. */
  readonly endByMs: RunMs;
}

/**
 * Ids of faults with a duration: they are healed a fixed time after their effect, whatever the service
 * does.
 */
export function timedFaults(log: RunLog): ReadonlySet<FaultId> {
  return new Set(log.plan.faults.flatMap((f) => (f.forMs === undefined ? [] : [f.id])));
}

/** Whether the run was in the phase that heals faults after the recovery, at that moment. */
function isInHealPhase(log: RunLog, atMs: RunMs): boolean {
  return log.phases.findLast((p) => p.t <= atMs)?.phase === 'heal';
}

/**
 * When a fault stopped acting. A fault that only triggers something (a kill, a restart) stops with its
 * effect.
 */
function actedUntilMs(log: RunLog, fault: FaultRecord, timed: ReadonlySet<FaultId>): RunMs {
  if (fault.effect === null) return distantPast;
  if (timed.has(fault.id)) return fault.healStartedMs ?? distantFuture;
  const { healStartedMs } = fault;
  return healStartedMs !== null && isInHealPhase(log, healStartedMs) ? healStartedMs : distantPast;
}

/** When the heals of faults without a duration began. */
function healStartsOf(log: RunLog, timed: ReadonlySet<FaultId>): readonly RunMs[] {
  return log.faults.flatMap((f) => (timed.has(f.id) || f.healStartedMs === null ? [] : [f.healStartedMs]));
}

/** Computes when faults acted. `waitOverMs`: when the engine stopped waiting for the recovery. */
export function faultTime(log: RunLog, waitOverMs: RunMs): FaultTime {
  const timed = timedFaults(log);
  const gaveUp = log.gates.some((g) => g.gate === 'recovery' && g.state === 'timeout');
  const untilOf = (isTimed: boolean) => {
    const until = log.faults.flatMap((f) =>
      timed.has(f.id) === isTimed ? [actedUntilMs(log, f, timed)] : [],
    );
    return earliest(latest(...until), gaveUp ? waitOverMs : distantFuture);
  };
  // The first heal after the recovery ends the drill. Outages during the heals belong to the return.
  const firstHealMs = earliest(...healStartsOf(log, timed).filter((ms) => isInHealPhase(log, ms)));
  const [timedUntilMs, untimedUntilMs] = [untilOf(true), earliest(firstHealMs, untilOf(false))];
  const beginByMs = latest(waitOverMs, timedUntilMs, untimedUntilMs);
  const ownSteps = [
    ...healStartsOf(log, timed),
    ...log.phases.flatMap(({ phase, t }) => (phase === 'undo-preparations' || phase === 'repair' ? [t] : [])),
  ];
  const effects = log.faults.flatMap((f) => f.effect ?? []);
  return {
    lastEffectMs: latest(...effects.map((effect) => effect.notAfterMs)),
    lastEffectLoMs: latest(...effects.map((effect) => effect.notBeforeMs)),
    timedUntilMs,
    untimedUntilMs,
    waitOverMs,
    beginByMs,
    endByMs: beginByMs === waitOverMs ? waitOverMs : earliest(...ownSteps),
  };
}

/**
 * Whether an outage may be part of the recovery. If it may have begun with the heal that ends the drill, it counts as the
 * heal's outage, because that heal follows directly on the recovery.
 */
export function mayCount(
  { firstBadMs, startLoMs, startHiMs }: BadWindow,
  { timedUntilMs, untimedUntilMs, waitOverMs }: FaultTime,
): boolean {
  return firstBadMs < waitOverMs || startLoMs < timedUntilMs || startHiMs < untimedUntilMs;
}

/** Outages that count for a recovery. */
export interface Outages {
  /** `down` windows; windows that flap into each other are one. In order. */
  readonly joined: readonly BadWindow[];
  /** All `down` windows after t0, in order. */
  readonly raw: readonly BadWindow[];
  /**
   * Whether the service stayed up for long enough after an outage. `nextBadMs`: when the next bad sample
   * was sent.
   */
  readonly held: (outage: BadWindow, nextBadMs: RunMs) => boolean;
}

/** The outage whose end is the final recovery. */
export interface FinalRecovery {
  readonly end: Moment;
  /** When that outage began, if an earlier recovery had held until then; null if none had. */
  readonly again: Moment | null;
}

/** A beginning of an outage: the earliest possible, the most likely, or the latest possible. */
type Beginning = (outage: BadWindow) => RunMs;
const earliestBeginning: Beginning = ({ startLoMs }) => startLoMs;
const likeliestBeginning: Beginning = ({ startLoMs, startHiMs }) => middle(startLoMs, startHiMs);
const latestBeginning: Beginning = ({ startHiMs }) => startHiMs;

/**
 * The final recovery: the end of the first outage that held and after which no outage began while a fault acted.
 *
 * If it is unknown whether a later outage began before the heal, the bounds include both answers. The same applies if an
 * outage came just before the heal of a fault without a duration, while the engine still waited. One sample then decides
 * whether the recovery before that outage had lasted for long enough.
 */
export function finalRecovery(
  { joined, raw, held }: Outages,
  effect: Moment,
  { lastEffectMs, lastEffectLoMs, timedUntilMs, untimedUntilMs, waitOverMs, beginByMs }: FaultTime,
): FinalRecovery | undefined {
  const nextOf = (outage: BadWindow) => raw.find((w) => w.firstBadMs > outage.lastBadMs);
  const isHeld = joined.map((outage) => held(outage, nextOf(outage)?.firstBadMs ?? distantFuture));
  /** Whether a recovery was before the last fault's effect: certainly, most likely, or possibly. */
  const isBeforeLast = ({ loMs, hiMs }: Moment, beginning: Beginning) =>
    beginning === latestBeginning
      ? hiMs < lastEffectLoMs
      : (beginning === earliestBeginning ? loMs : hiMs) < lastEffectMs;
  const counts = (outage: BadWindow, beginning: Beginning, up: Moment) =>
    beginning(outage) < timedUntilMs ||
    (outage.startHiMs < untimedUntilMs &&
      !(beginning === latestBeginning && outage.firstBadMs < waitOverMs)) ||
    (isBeforeLast(up, beginning) && Math.max(outage.firstBadMs, beginning(outage)) < beginByMs);
  const recoveryOf = (i: number): Moment => {
    const outage = joined[i];
    return outage === undefined ? effect : endOf(outage);
  };
  /** -1: no outage counts; undefined: no recovery is final. */
  const finalBy = (beginning: Beginning): number | undefined => {
    const [first] = joined;
    if (first !== undefined && first.firstBadMs >= beginByMs && !counts(first, beginning, effect)) return -1;
    const index = joined.findIndex((outage, i) => {
      const next = nextOf(outage);
      return isHeld[i] === true && (next === undefined || !counts(next, beginning, recoveryOf(i)));
    });
    return index === -1 ? undefined : index;
  };
  const index = finalBy(likeliestBeginning) ?? finalBy(latestBeginning);
  if (index === undefined) return undefined;
  const end = recoveryOf(index);
  const loMs = earliest(end.loMs, recoveryOf(finalBy(latestBeginning) ?? index).loMs);
  // If the later outage did not end, its end is unknown, and the last known outage gives the bound.
  const hiMs = latest(end.hiMs, recoveryOf(finalBy(earliestBeginning) ?? joined.length - 1).hiMs);
  const again = joined[isHeld.lastIndexOf(true, index - 1) + 1];
  return {
    end: { ...end, loMs, hiMs },
    again:
      index > 0 && again !== undefined && isHeld.lastIndexOf(true, index - 1) >= 0
        ? { loMs: again.startLoMs, hiMs: again.startHiMs, ms: likeliestBeginning(again) }
        : null,
  };
}

/**
 * The moment by which a failover must have happened, before a heal may move roles back. If the service recovered and stayed up
 * while a fault with a duration still acted, it is the begin of that fault's heal. Otherwise it is the end of the wait.
 */
export function failoverByMs(log: RunLog, recovered: Moment | null, waitOverMs: RunMs): RunMs {
  const { timedUntilMs } = faultTime(log, waitOverMs);
  const heldByMs = recovered === null ? Infinity : recovered.hiMs + log.plan.recovery.stableForMs;
  return heldByMs <= timedUntilMs ? earliest(waitOverMs, timedUntilMs) : waitOverMs;
}
