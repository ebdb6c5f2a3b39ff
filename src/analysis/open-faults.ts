import { middle, type Moment } from './moment.ts';
import type { FaultRecord, RunLog } from './read-log.ts';
import { type BadWindow, endOf } from './windows.ts';

/**
 * The time in which faults act, and what it means for a recovery: while a fault acts, no recovery is final. An outage that
 * begins then is part of the same recovery, however long the service was up before it. ms on the run clock.
 */
export interface FaultTime {
  /** The latest moment at which the last fault took effect: no recovery before it is final. */
  readonly lastEffectMs: number;
  /** The earliest moment at which it can have. */
  readonly lastEffectLoMs: number;
  /** When the heal of the last fault with a length of its own began; -Infinity without one, Infinity where it was not healed. */
  readonly timedUntilMs: number;
  /** The same, of the other faults that act until they are healed. */
  readonly untimedUntilMs: number;
  /** When the engine's wait for the recovery was over. */
  readonly waitOverMs: number;
  /** The latest of these moments: what begins later is no part of the recovery. */
  readonly beginByMs: number;
  /** A recovery after this moment is none: the drill's own steps brought it about, or the wait for it was over. */
  readonly endByMs: number;
}

/** Ids of faults that are healed some time after their effect, whatever the service does. */
export function timedFaults(log: RunLog): ReadonlySet<string> {
  return new Set(log.plan.faults.flatMap((f) => (f.forMs === undefined ? [] : [f.id])));
}

/** Whether the run was at healing after the recovery, at that moment. */
function isInHealPhase(log: RunLog, ms: number): boolean {
  return log.phases.findLast((p) => p.t <= ms)?.phase === 'heal';
}

/** Until when a fault acted: one that only started something (a kill, a restart) is over with its effect. */
function actedUntilMs(log: RunLog, fault: FaultRecord, timed: ReadonlySet<string>): number {
  if (fault.effect === null) return -Infinity;
  if (timed.has(fault.id)) return fault.healStartedMs ?? Infinity;
  const { healStartedMs } = fault;
  return healStartedMs !== null && isInHealPhase(log, healStartedMs) ? healStartedMs : -Infinity;
}

/** When the heals of faults without a length of their own began. */
function healStartsOf(log: RunLog, timed: ReadonlySet<string>): readonly number[] {
  return log.faults.flatMap((f) => (timed.has(f.id) || f.healStartedMs === null ? [] : [f.healStartedMs]));
}

/** When faults acted; `waitOverMs` is when the wait for the recovery was over as the engine saw it. */
export function faultTime(log: RunLog, waitOverMs: number): FaultTime {
  const timed = timedFaults(log);
  const gaveUp = log.gates.some((g) => g.gate === 'recovery' && g.state === 'timeout');
  const untilOf = (isTimed: boolean) => {
    const until = log.faults.flatMap((f) =>
      timed.has(f.id) === isTimed ? [actedUntilMs(log, f, timed)] : [],
    );
    return Math.min(Math.max(-Infinity, ...until), gaveUp ? waitOverMs : Infinity);
  };
  // The first heal after the recovery ends the drill: what breaks while the faults are healed one by one is the return's.
  const firstHealMs = Math.min(Infinity, ...healStartsOf(log, timed).filter((ms) => isInHealPhase(log, ms)));
  const [timedUntilMs, untimedUntilMs] = [untilOf(true), Math.min(firstHealMs, untilOf(false))];
  const beginByMs = Math.max(waitOverMs, timedUntilMs, untimedUntilMs);
  const ownSteps = [
    ...healStartsOf(log, timed),
    ...log.phases.flatMap(({ phase, t }) => (phase === 'undo-preparations' || phase === 'repair' ? [t] : [])),
  ];
  const effects = log.faults.flatMap((f) => f.effect ?? []);
  return {
    lastEffectMs: Math.max(-Infinity, ...effects.map((effect) => effect.notAfterMs)),
    lastEffectLoMs: Math.max(-Infinity, ...effects.map((effect) => effect.notBeforeMs)),
    timedUntilMs,
    untimedUntilMs,
    waitOverMs,
    beginByMs,
    endByMs: beginByMs === waitOverMs ? waitOverMs : Math.min(Infinity, ...ownSteps),
  };
}

/**
 * Whether an outage may be part of the recovery. One that may as well have begun with the heal that ends the drill is taken
 * for the heal's: that heal comes right after the recovery.
 */
export function mayCount(
  { firstBadMs, startLoMs, startHiMs }: BadWindow,
  { timedUntilMs, untimedUntilMs, waitOverMs }: FaultTime,
): boolean {
  return firstBadMs < waitOverMs || startLoMs < timedUntilMs || startHiMs < untimedUntilMs;
}

/** Outages that count for a recovery. */
export interface Outages {
  /** Those that flap into each other are one, in order. */
  readonly joined: readonly BadWindow[];
  /** All `down` windows after t0, in order. */
  readonly raw: readonly BadWindow[];
  /** Whether the service stayed up long enough after one of them. `nextBadMs`: when the next bad sample was sent. */
  readonly held: (outage: BadWindow, nextBadMs: number) => boolean;
}

/** Which outage ended in the recovery that is final. */
export interface FinalRecovery {
  readonly end: Moment;
  /** When that outage began, where an earlier recovery had held until then; null: none had. */
  readonly again: Moment | null;
}

/** Whether an outage may have begun before a moment: by the earliest possible, the most likely, or the latest possible beginning. */
type Beginning = (outage: BadWindow) => number;
const earliest: Beginning = ({ startLoMs }) => startLoMs;
const likeliest: Beginning = ({ startLoMs, startHiMs }) => middle(startLoMs, startHiMs);
const latest: Beginning = ({ startHiMs }) => startHiMs;

/**
 * The recovery that is final: the end of the first outage that held and after which none began while a fault acted.
 * Where it is not known whether a later outage began before the heal, the bounds hold for both answers. So do they where
 * a fault without a length was about to be healed, and the outage came before the engine had seen enough to begin with it:
 * whether the recovery before it lasted long enough is then a matter of one sample.
 */
export function finalRecovery(
  { joined, raw, held }: Outages,
  effect: Moment,
  { lastEffectMs, lastEffectLoMs, timedUntilMs, untimedUntilMs, waitOverMs, beginByMs }: FaultTime,
): FinalRecovery | undefined {
  const nextOf = (outage: BadWindow) => raw.find((w) => w.firstBadMs > outage.lastBadMs);
  const isHeld = joined.map((outage) => held(outage, nextOf(outage)?.firstBadMs ?? Infinity));
  /** Whether a recovery came before the last fault took effect: surely, most likely, or perhaps. */
  const isBeforeLast = ({ loMs, hiMs }: Moment, beginning: Beginning) =>
    beginning === latest ? hiMs < lastEffectLoMs : (beginning === earliest ? loMs : hiMs) < lastEffectMs;
  const counts = (outage: BadWindow, beginning: Beginning, up: Moment) =>
    beginning(outage) < timedUntilMs ||
    (outage.startHiMs < untimedUntilMs && !(beginning === latest && outage.firstBadMs < waitOverMs)) ||
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
  const index = finalBy(likeliest) ?? finalBy(latest);
  if (index === undefined) return undefined;
  const end = recoveryOf(index);
  const loMs = Math.min(end.loMs, recoveryOf(finalBy(latest) ?? index).loMs);
  // Where the later outage was not recovered from, all that is known is that it was as long.
  const hiMs = Math.max(end.hiMs, recoveryOf(finalBy(earliest) ?? joined.length - 1).hiMs);
  const again = joined[isHeld.lastIndexOf(true, index - 1) + 1];
  return {
    end: { ...end, loMs, hiMs },
    again:
      index > 0 && again !== undefined && isHeld.lastIndexOf(true, index - 1) >= 0
        ? { loMs: again.startLoMs, hiMs: again.startHiMs, ms: likeliest(again) }
        : null,
  };
}

/**
 * The moment by which a failover must have come about: before a heal may move roles back. Where the service had recovered
 * and stayed up while a timed fault still acted, that is when its heal began; otherwise the end of the wait.
 */
export function failoverByMs(log: RunLog, recovered: Moment | null, waitOverMs: number): number {
  const { timedUntilMs } = faultTime(log, waitOverMs);
  const heldByMs = recovered === null ? Infinity : recovered.hiMs + log.plan.recovery.stableForMs;
  return heldByMs <= timedUntilMs ? Math.min(waitOverMs, timedUntilMs) : waitOverMs;
}
