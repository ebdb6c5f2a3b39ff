import { durationText } from '../core/format-duration.ts';
import type { Plan } from '../core/plan.ts';
import { type DurationMs, later, type RunMs, runMs } from '../core/time.ts';
import { probingLoad } from '../scenario/probing-load.ts';
import type { EventLog } from './event-log.ts';
import { logGate } from './gate-log.ts';
import type { Hold, Lost } from './hold.ts';
import type { RunState } from './run-state.ts';

/**
 * The steady state must hold this long under burst and writers before the fault, ms. Then both edges of the
 * outage have burst precision.
 */
const loadLeadMs = 2000;
/** Number of attempts to put the load on the stack. */
const mostLoads = 2;

/** The steady state of a drill, from the wait for it until the first fault acts. */
export interface SteadyState {
  /**
   * Waits until it holds, first at the base rate, then with writers and burst. False if it does not; the log
   * has the reason.
   */
  accessTo(): Promise<boolean>;
  /**
   * Whether it holds now, and no sample since it was reached contradicts it. True after `end`. A fault must
   * not be issued while this is false.
   */
  isHeld(): boolean;
  /**
   * Waits until it holds again; concurrent calls share the wait. False if it does not; the log has the
   * reason.
   */
  regain(): Promise<boolean>;
  /**
   * The first fault acts: from now on `isHeld` is true, because the fault ends the steady state
   * intentionally.
   */
  end(): void;
}

/** The part of a run that the steady state needs. */
export interface SteadyRun extends Pick<
  RunState,
  'plan' | 'kinds' | 'clock' | 'signal' | 'observer' | 'setBurst' | 'startWriting' | 'writing'
> {
  readonly log: Pick<EventLog, 'append'>;
}

/** Whether any probe samples more often around the fault. */
export function hasBurst(plan: Pick<Plan, 'probes'>): boolean {
  return plan.probes.some((probe) => probe.burstIntervalMs !== undefined);
}

/** Why the state does not hold, in words. */
type Reasons = readonly string[];

/**
 * Tracks the steady state. The burst is on only while no sample contradicts the state. At the first
 * contradiction the probes return to their base interval, and the burst is tried once more from the steady
 * state. A second loss ends the drill.
 */
export function followSteadyState(run: SteadyRun): SteadyState {
  const { plan, clock, log, observer } = run;
  const bursts = hasBurst(plan);
  let required = plan.steady.require;
  let deadlineMs = runMs(0);
  let loads = 0;
  let bursting = false;
  /** When the state was reached, or its load began, run clock. */
  let fromMs = runMs(0);
  let watching: Hold | undefined;
  let ended = false;
  let regaining: Promise<boolean> | undefined;
  let regainUntilMs: RunMs | undefined;
  /** What was missing at the last `isHeld`. */
  let missed: Reasons = [];

  /**
   * Adds the recovery probe once it is good: an outage that begins before the fault would otherwise count as
   * the fault's.
   */
  const withService = (conditions: Plan['steady']['require']): Plan['steady']['require'] => {
    const service = { probe: plan.recovery.probe };
    const isAsked = conditions.some(({ probe }) => probe === service.probe);
    return isAsked || observer.unmet([service]).length > 0 ? conditions : [...conditions, service];
  };
  const setBurst = (on: boolean): void => {
    if (!bursts || bursting === on) return;
    bursting = on;
    run.setBurst(on);
  };
  const watch = (): void => {
    watching?.end();
    required = withService(required);
    watching = observer.watch(required, () => setBurst(false));
    fromMs = clock.nowMs();
  };
  const leftMs = (): DurationMs => Math.max(0, deadlineMs - clock.nowMs());
  const note = (text: string): void => void log.append({ type: 'log', level: 'warn', text });
  const giveUp = (unmet: Reasons): false => {
    watching?.end();
    setBurst(false);
    logGate(run, 'steady', { met: false, unmet });
    return false;
  };
  /** What contradicts the state now, or has contradicted it since it was reached. */
  const missing = (): Reasons => {
    const lost = watching?.lost;
    if (lost !== undefined) return lostText(run, lost, { fromMs, underLoad: loads > 0 });
    return [...observer.unmet(required), ...observer.machineProblems(plan.steady.forMs)];
  };

  /**
   * Waits for the state at the base rate, within its remaining time; returns what was missing, or undefined.
   */
  const settle = async (): Promise<Reasons | undefined> => {
    const gate = { ...plan.steady, require: required, withinMs: leftMs() };
    const outcome = await observer.waitForGate(gate, run.signal, { machineHealthy: true });
    if (!outcome.met) return outcome.unmet;
    logGate(run, 'steady', outcome);
    watch();
    return undefined;
  };

  /** Adds the drill's own load (burst and writers); undefined if the state holds under it. */
  const load = async (): Promise<Reasons | undefined> => {
    if (!bursts && run.writing === undefined) return undefined;
    if (watching?.lost !== undefined) return missing();
    loads += 1;
    setBurst(true);
    watch();
    const gate = {
      ...plan.steady,
      require: required,
      forMs: loadLeadMs,
      withinMs: Math.max(leftMs(), loadLeadMs),
    };
    const outcome = await observer.waitForGate(gate, run.signal, { machineHealthy: true, endWhenLost: true });
    if (watching?.lost !== undefined) return missing();
    const when = bursts ? 'at the burst rate' : 'while rows are written';
    return outcome.met ? undefined : outcome.unmet.map((what) => `${when}: ${what}`);
  };

  /** Adds the load, again after a loss; gives up after `mostLoads` attempts. */
  const climb = async (): Promise<boolean> => {
    for (;;) {
      const why = await load();
      if (why === undefined) return true;
      if (watching?.lost === undefined || loads >= mostLoads) return giveUp(why);
      if (!(await settleAfter(why))) return false;
    }
  };
  const settleAfter = async (why: Reasons): Promise<boolean> => {
    setBurst(false);
    note(`steady state lost: ${why.join('; ')}`);
    const still = await settle();
    return still === undefined || giveUp([...why, ...still.map((what) => `since then: ${what}`)]);
  };
  const regain = async (): Promise<boolean> => {
    // The conditions may hold again by now.
    const still = missing();
    const why = still.length > 0 ? still : missed;
    if (watching?.lost !== undefined && loads >= mostLoads) return giveUp(why);
    regainUntilMs ??= later(clock.nowMs(), plan.steady.withinMs);
    deadlineMs = regainUntilMs;
    return (await settleAfter(why)) && climb();
  };

  return {
    async accessTo() {
      deadlineMs = later(clock.nowMs(), plan.steady.withinMs);
      const unmet = await settle();
      if (unmet !== undefined) return giveUp(unmet);
      await run.startWriting();
      return climb();
    },
    isHeld() {
      if (ended) return true;
      if (regaining !== undefined) return false;
      missed = missing();
      return missed.length === 0;
    },
    async regain() {
      regaining ??= regain().finally(() => {
        regaining = undefined;
      });
      return regaining;
    },
    end() {
      ended = true;
      watching?.end();
    },
  };
}

/** Which condition was lost, when, and under which load. */
function lostText(
  { plan, kinds, writing }: Pick<SteadyRun, 'plan' | 'kinds' | 'writing'>,
  lost: Lost,
  { fromMs, underLoad }: { readonly fromMs: RunMs; readonly underLoad: boolean },
): Reasons {
  const after = `${lost.unmet.join('; ')}: lost ${durationText(Math.max(0, lost.atMs - fromMs))} after`;
  if (!underLoad) return [`${after} the steady state was reached`];
  const { samplesPerSecond, newConnectionsPerSecond, rowsPerSecond } = probingLoad(plan, kinds).burst;
  const round = (perSecond: number): string => String(Math.round(perSecond));
  const rates = `${round(samplesPerSecond)} samples and ${round(newConnectionsPerSecond)} new connections a second`;
  const rows = writing === undefined ? '' : `, with ${round(rowsPerSecond)} rows written a second`;
  return hasBurst(plan)
    ? [
        `${after} the burst began, at ${rates}${rows}: probing itself may be the load`,
        'hint: set a longer `burst` or `interval` for the probes in the target file',
      ]
    : [
        `${after} the writers began, at ${rates}${rows}: the drill itself may be the load`,
        'hint: set a longer `interval` for the writers, or for the probes, in the target file',
      ];
}
