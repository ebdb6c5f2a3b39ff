import { durationWords } from '../core/format-duration.ts';
import type { Plan } from '../core/plan.ts';
import { probingLoad } from '../scenario/probing-load.ts';
import type { EventLog } from './event-log.ts';
import { logGate } from './gate-log.ts';
import type { Hold, Lost } from './hold.ts';
import type { RunState } from './run-state.ts';

/** The steady state bears burst and writers this long before the fault. Both edges of the outage are sharp then. */
const loadLeadMs = 2000;
/** A load that loses the steady state is tried once more. */
const mostLoads = 2;

/** The steady state of a drill, from the wait for it until the first fault acts. */
export interface SteadyState {
  /** Waits until it holds: at the base rate, then with the writers at work and at the burst rate. False when it does not; the log says why. */
  reach(): Promise<boolean>;
  /**
   * Whether it holds now, and no sample since it was reached says otherwise. True once `end` was called. A fault must not
   * be issued while this is false.
   */
  isHeld(): boolean;
  /** Waits until it holds again; concurrent calls share the wait. False when it does not; the log says why. */
  regain(): Promise<boolean>;
  /** A fault acts: from now on the state is lost by intent. */
  end(): void;
}

/** What following the steady state needs of a run. */
export interface SteadyRun extends Pick<
  RunState,
  'plan' | 'clock' | 'signal' | 'world' | 'setBurst' | 'startWriting' | 'writing'
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
 * Follows the steady state. The burst is on only while no sample contradicts the state: at the first that does, the probes
 * go back to their base interval, and the burst is tried once more from the steady state. A second loss ends the drill.
 */
export function followSteadyState(run: SteadyRun): SteadyState {
  const { plan, clock, log, world } = run;
  const bursts = hasBurst(plan);
  let required = plan.steady.require;
  let deadlineMs = 0;
  let loads = 0;
  let bursting = false;
  /** When the state was reached, or the load that it has to bear began. */
  let fromMs = 0;
  let watching: Hold | undefined;
  let ended = false;
  let regaining: Promise<boolean> | undefined;
  let regainUntilMs: number | undefined;
  /** What was missing when a fault asked last whether the state holds. */
  let missed: Reasons = [];

  /** Once the service is up, it has to stay so: an outage that began before the fault would count as the fault's. */
  const withService = (conditions: Plan['steady']['require']): Plan['steady']['require'] => {
    const service = { probe: plan.recovery.probe };
    const isAsked = conditions.some(({ probe }) => probe === service.probe);
    return isAsked || world.unmet([service]).length > 0 ? conditions : [...conditions, service];
  };
  const setBurst = (on: boolean): void => {
    if (!bursts || bursting === on) return;
    bursting = on;
    run.setBurst(on);
  };
  const watch = (): void => {
    watching?.end();
    required = withService(required);
    watching = world.watch(required, () => setBurst(false));
    fromMs = clock.nowMs();
  };
  const leftMs = (): number => Math.max(0, deadlineMs - clock.nowMs());
  const note = (text: string): void => void log.append({ type: 'log', level: 'warn', text });
  const giveUp = (unmet: Reasons): false => {
    watching?.end();
    setBurst(false);
    logGate(run, 'steady', { met: false, unmet });
    return false;
  };
  /** What speaks against the state now, or did since it was reached. */
  const missing = (): Reasons => {
    const lost = watching?.lost;
    if (lost !== undefined) return lostWords(run, lost, { fromMs, underLoad: loads > 0 });
    return [...world.unmet(required), ...world.unfit(plan.steady.forMs)];
  };

  /** Waits for the state at the base rate, within what is left of its time; what was missing, where it does not come. */
  const settle = async (): Promise<Reasons | undefined> => {
    const gate = { ...plan.steady, require: required, withinMs: leftMs() };
    const outcome = await world.waitForGate(gate, run.signal, { fit: true });
    if (!outcome.met) return outcome.unmet;
    logGate(run, 'steady', outcome);
    watch();
    return undefined;
  };

  /** Puts the drill's own load on the stack; undefined when the state bears it. */
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
    const outcome = await world.waitForGate(gate, run.signal, { fit: true, endWhenLost: true });
    if (watching?.lost !== undefined) return missing();
    const when = bursts ? 'at the burst rate' : 'while rows are written';
    return outcome.met ? undefined : outcome.unmet.map((what) => `${when}: ${what}`);
  };

  /** Loads the stack until it bears it. */
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
    // What was missing may be back by now.
    const still = missing();
    const why = still.length > 0 ? still : missed;
    if (watching?.lost !== undefined && loads >= mostLoads) return giveUp(why);
    regainUntilMs ??= clock.nowMs() + plan.steady.withinMs;
    deadlineMs = regainUntilMs;
    return (await settleAfter(why)) && climb();
  };

  return {
    async reach() {
      deadlineMs = clock.nowMs() + plan.steady.withinMs;
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

/** What was lost and when, and the load under which it was. */
function lostWords(
  { plan, writing }: Pick<SteadyRun, 'plan' | 'writing'>,
  lost: Lost,
  { fromMs, underLoad }: { readonly fromMs: number; readonly underLoad: boolean },
): Reasons {
  const after = `${lost.unmet.join('; ')}: lost ${durationWords(Math.max(0, lost.atMs - fromMs))} after`;
  if (!underLoad) return [`${after} the steady state was reached`];
  const { samplesPerSecond, newConnectionsPerSecond, rowsPerSecond } = probingLoad(plan).burst;
  const round = (perSecond: number): string => String(Math.round(perSecond));
  const rates = `${round(samplesPerSecond)} samples and ${round(newConnectionsPerSecond)} new connections a second`;
  const rows = writing === undefined ? '' : `, with ${round(rowsPerSecond)} rows written a second`;
  return hasBurst(plan)
    ? [
        `${after} the burst began, at ${rates}${rows}: probing itself may be the load`,
        'hint: raise `burst` or `interval` of the probes in the target file',
      ]
    : [
        `${after} the writers began, at ${rates}${rows}: the drill itself may be the load`,
        'hint: raise `interval` of the writers, or of the probes, in the target file',
      ];
}
