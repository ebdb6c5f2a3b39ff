import { messageOf, isUnreachable } from '../core/errors.ts';
import type { FaultId } from '../core/ids.ts';
import type { PlannedFault } from '../core/plan.ts';
import { type Healing, healOpen } from './heal.ts';
import { injectFault, type Injecting } from './inject.ts';
import type { SteadyState } from './steady-state.ts';
import { later, type RunMs } from '../core/time.ts';

/** The faults of a drill in progress. */
export interface Timeline {
  /**
   * Resolves when every fault has taken effect; false if one has not. Rejects if one could not be injected,
   * or the run was stopped.
   */
  readonly injected: Promise<boolean>;
  /**
   * Resolves when the faults with their own duration are healed, or will not be; nothing runs in the
   * background after it. Rejects as `injected` does.
   */
  readonly over: Promise<void>;
  /** Whether `over` has settled. Until then a fault acts or has not begun. */
  readonly isOver: boolean;
  /** Begins no further fault, and ends the wait for the duration of those that act. The caller heals them. */
  stop(reason: unknown): void;
}

/** One fault in progress; both promises resolve in any case. */
interface Track {
  readonly fault: PlannedFault;
  readonly injected: PromiseWithResolvers<boolean>;
  readonly healed: PromiseWithResolvers<boolean>;
}

/**
 * Starts the faults, each at its own time: `at` counts from now, or with `after` from the end of that fault's
 * heal. If a fault fails, or is not healed when its time is over, no further fault begins; the caller heals
 * what was injected.
 *
 * The steady state is checked again when the first fault is about to act. If it was lost, the timeline waits
 * for it, and times count from then. If it does not return, no fault begins.
 */
export function startTimeline(run: Injecting & Healing, steady: SteadyState): Timeline {
  const { clock } = run;
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  let zeroMs = clock.nowMs();
  const tracks = new Map(
    run.plan.faults.map((fault): [string, Track] => [
      fault.id,
      { fault, injected: Promise.withResolvers(), healed: Promise.withResolvers() },
    ]),
  );
  let failure: { readonly error: unknown } | undefined;

  /**
   * Injects a fault at its time, counted from `startMs`, by default from the steady state; false if it had no
   * effect.
   */
  const begin = async (fault: PlannedFault, startMs?: RunMs): Promise<boolean> => {
    for (;;) {
      const dueMs = (): RunMs => later(startMs ?? zeroMs, fault.atMs);
      // The steady state may be reached again during the sleep, which moves the due time.
      do await clock.sleep(Math.max(0, dueMs() - clock.nowMs()), signal);
      while (clock.nowMs() < dueMs());
      const outcome = await injectFault(run, fault, steady);
      if (outcome !== 'not-steady') return outcome === 'effect';
      if (!(await steady.regain())) return false;
      zeroMs = clock.nowMs();
    }
  };
  const play = async ({ fault, injected, healed }: Track): Promise<void> => {
    const before = fault.after === undefined ? undefined : tracks.get(fault.after);
    if (before !== undefined && !(await before.healed.promise)) return;
    if (!(await begin(fault, before === undefined ? undefined : clock.nowMs()))) {
      stop.abort(new Error(`${fault.id} failed`));
      return;
    }
    injected.resolve(true);
    if (fault.forMs === undefined) return;
    await clock.sleep(fault.forMs, signal);
    const mine = ({ record }: { record: { faultId: FaultId } }): boolean => record.faultId === fault.id;
    await healOpen(run, mine);
    if (run.activeFaults.some(mine)) stop.abort(new Error(`${fault.id} is not healed`));
    else healed.resolve(true);
  };

  /** Logs a further failure; the run ends with the first one. */
  const noteFailure = ({ id }: PlannedFault, error: unknown): void => {
    // A stop of the run cancels the commands of all faults.
    const isCut = isUnreachable(error);
    if (run.signal.aborted && isCut) return;
    run.log.append({ type: 'log', level: 'error', text: `${id}: ${messageOf(error)}` });
  };
  const plays = [...tracks.values()].map(async (track) => {
    try {
      await play(track);
    } catch (error) {
      // A fault that ended because another one failed did not fail itself.
      const isEnded = stop.signal.aborted && error === stop.signal.reason;
      if (!isEnded && failure !== undefined) noteFailure(track.fault, error);
      if (!isEnded) failure ??= { error };
      stop.abort(error);
    } finally {
      track.injected.resolve(false);
      track.healed.resolve(false);
    }
  });
  const settle = async <T>(waited: Promise<T>): Promise<T> => {
    const value = await waited;
    if (failure !== undefined) throw failure.error;
    return value;
  };
  const all = [...tracks.values()].map((track) => track.injected.promise);
  const injected = settle(Promise.all(all).then((took) => took.every(Boolean)));
  const over = settle(Promise.all(plays).then(() => undefined));
  // A caller that awaits something else now gets the rejection when it awaits these.
  for (const promise of [injected, over]) promise.catch(() => undefined);
  let isOver = false;
  const end = (): void => void (isOver = true);
  over.then(end, end);
  return {
    injected,
    over,
    get isOver() {
      return isOver;
    },
    stop: (reason) => stop.abort(reason),
  };
}
