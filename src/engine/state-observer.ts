import type { Clock } from '../core/clock.ts';
import { type Condition, describeCondition, type GateCondition, instancesRead } from '../core/condition.ts';
import { DrillError } from '../core/errors.ts';
import { durationText } from '../core/format-duration.ts';
import { isFresh } from '../core/freshness.ts';
import type { HostName, ProbeId, RoleName } from '../core/ids.ts';
import type { Gate, Plan } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import {
  brokenConditions,
  hostsWith,
  type ObservedState,
  type ObservedSample,
  unmetConditions,
  withoutPower,
} from '../core/observed-state.ts';
import { followAnswers } from './answered.ts';
import { followHold, type Hold, type HoldOptions } from './hold.ts';
import type { MachineHealth } from './machine-health.ts';
import { type DurationMs, earliest, later, type RunMs } from '../core/time.ts';

/** Outcome of a wait; `unmet` says in words what was missing at its end. */
export interface GateOutcome {
  readonly met: boolean;
  readonly unmet: readonly string[];
  /** The wait ended early, because a sample showed that a condition does not hold. */
  readonly lost?: true;
}

/** Options of a wait for a gate. */
export interface GateOptions {
  /** Also require that the prober's machine was fit for as long. */
  readonly machineHealthy?: boolean;
  /**
   * End at the first sample that shows that a condition does not hold. Unknown and missing samples do not
   * show that.
   */
  readonly endWhenLost?: boolean;
}

/** The observed state: the latest samples, and waits on them. */
export interface StateObserver {
  /** Records a sample and wakes the waits. */
  record(sample: Sample): void;
  /** Records that a slot was not sent, so it has no sample. */
  drop(probeId: ProbeId, slot: number): void;
  /**
   * Calls the listener with each sample from now on, in order of arrival. Returns a function that ends that.
   */
  follow(listener: (sample: Sample) => void): () => void;
  /**
   * Every sample of these instances sent before this moment is answered or timed out, ms on the run clock.
   */
  answeredUntilMs(probeIds: readonly ProbeId[]): RunMs;
  /**
   * Tracks whether the conditions continue to hold, including samples that are still in flight now. `onLost`
   * is called at the first sample that shows that a condition does not hold.
   */
  watch(conditions: readonly GateCondition[], onLost: () => void): Hold;
  /**
   * Why the prober's machine was not fit during the last `overMs`, in words; empty if it was fit, or if that
   * is unknown.
   */
  machineProblems(overMs: DurationMs): readonly string[];
  /** The latest sample of an instance, unless it is stale. */
  latest(probeId: ProbeId): Sample | undefined;
  /** The gate's conditions that do not hold now, in words with the observed values. */
  unmet(conditions: readonly GateCondition[]): string[];
  /** The one host for which the role's condition holds. @throws DrillError `role-unresolved` */
  resolveRole(role: RoleName, condition: Condition): string;
  /** The hosts whose fresh samples meet the condition. */
  hostsWith(condition: Condition): readonly string[];
  /**
   * Waits until all conditions have held without interruption for `forMs`. The hold ends at a moment before
   * which every sample is answered. So a failed sample sent within the hold breaks it, even if it arrives
   * late. Not met if `withinMs` is over; the answers may take one timeout more.
   */
  waitForGate(gate: Gate, signal: AbortSignal, options?: GateOptions): Promise<GateOutcome>;
  /** Resolves at the next sample or after `maxMs`. */
  nextSample(maxMs: DurationMs, signal: AbortSignal): Promise<void>;
}

/**
 * Creates the observed state of the plan's probe instances. `isOff` says whether a fault of this drill has
 * cut a host's power; then a failed sample there shows that nothing runs.
 */
export function createStateObserver(
  plan: Pick<Plan, 'probes' | 'roles'>,
  clock: Clock,
  machine?: Pick<MachineHealth, 'unmet'>,
  isOff: (host: HostName) => boolean = () => false,
): StateObserver {
  const { probes, roles } = plan;
  const lastSamples = new Map<ProbeId, Sample>();
  const byId = new Map(probes.map((probe) => [probe.id, probe]));
  const answered = followAnswers(probes);
  const listeners = new Set<(sample: Sample) => void>();
  let wake: (() => void)[] = [];

  const latest = (probeId: ProbeId): Sample | undefined => {
    const sample = lastSamples.get(probeId);
    const probe = byId.get(probeId);
    if (sample === undefined || probe === undefined) return undefined;
    return isFresh(probe, sample, clock.nowMs()) ? sample : undefined;
  };

  /** A sample as conditions read it. */
  const read = (sample: Sample | undefined): ObservedSample | undefined => {
    const host = sample === undefined ? undefined : byId.get(sample.probe)?.host;
    return sample === undefined || host === undefined || !isOff(host) ? sample : withoutPower(sample);
  };
  const observed: ObservedState = { probes, roles, latest: (id) => read(latest(id)) };
  const unmet = (conditions: readonly GateCondition[]): string[] => unmetConditions(conditions, observed);
  /** The state if this sample were the latest of its instance. */
  const observedWith = (sample: Sample): ObservedState => ({
    probes,
    roles,
    latest: (id) => read(id === sample.probe ? sample : latest(id)),
  });
  const follow = (listener: (sample: Sample) => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const answeredUntilMs = (ids: readonly ProbeId[]): RunMs =>
    earliest(clock.nowMs(), ...ids.map((id) => answered.untilMs(id, clock.nowMs())));
  /** The instances that the conditions read, including those that decide their roles. */
  const spokenOf = (conditions: readonly GateCondition[]): string[] =>
    conditions.flatMap((condition) => {
      const role = condition.role === undefined ? undefined : roles[condition.role];
      return [condition, ...(role === undefined ? [] : [role])].flatMap((one) =>
        instancesRead(one, probes).map(({ id }) => id),
      );
    });
  const hold = (
    conditions: readonly GateCondition[],
    more: Pick<HoldOptions, 'fromMs' | 'onLost'> = {},
  ): Hold =>
    followHold({
      ...more,
      probeIds: new Set(spokenOf(conditions)),
      follow,
      unmet: () => unmet(conditions),
      unmetBy: (sample) => unmetConditions(conditions, observedWith(sample)),
      brokenBy: (sample) => brokenConditions(conditions, observedWith(sample)),
      nowMs: () => clock.nowMs(),
    });

  const nextSample = async (maxMs: DurationMs, signal: AbortSignal): Promise<void> => {
    const woken = new Promise<void>((resolve) => {
      wake.push(resolve);
    });
    const timer = new AbortController();
    try {
      await Promise.race([woken, clock.sleep(maxMs, AbortSignal.any([signal, timer.signal]))]);
    } finally {
      timer.abort();
    }
  };

  return {
    record(sample) {
      answered.note(sample.probe, sample.slot, sample.sendMs);
      // Answers can arrive out of order: the later slot counts.
      const before = lastSamples.get(sample.probe);
      if (before === undefined || before.slot <= sample.slot) lastSamples.set(sample.probe, sample);
      for (const listener of listeners) listener(sample);
      const waiting = wake;
      wake = [];
      for (const resolve of waiting) resolve();
    },
    drop: (probeId, slot) => answered.note(probeId, slot),
    follow,
    answeredUntilMs,
    watch: (conditions, onLost) =>
      hold(conditions, { fromMs: answeredUntilMs(spokenOf(conditions)), onLost }),
    machineProblems: (overMs) => machine?.unmet(clock.nowMs(), overMs) ?? [],
    latest,
    unmet,
    hostsWith: (condition) => hostsWith(condition, observed),
    nextSample,
    resolveRole(role, condition) {
      const hosts = hostsWith(condition, observed);
      const [host] = hosts;
      if (host === undefined || hosts.length > 1) {
        const what = hosts.length === 0 ? 'no host' : `${hosts.length} hosts (${hosts.join(', ')})`;
        throw new DrillError(
          'role-unresolved',
          `cannot resolve role ${role} (${describeCondition(condition)}): it matches ${what}`,
          {
            hint: 'Check the probe of the role with `firedrill watch`: a role must match exactly one host.',
          },
        );
      }
      return host;
    },
    async waitForGate(gate, signal, { machineHealthy = false, endWhenLost = false } = {}) {
      const deadline = later(clock.nowMs(), gate.withinMs);
      const ids = spokenOf(gate.require);
      const holding = hold(gate.require);
      try {
        for (;;) {
          const now = clock.nowMs();
          const { lost } = holding;
          const missing = holding.check();
          const machineProblems = machineHealthy ? (machine?.unmet(now, gate.forMs) ?? []) : [];
          if (endWhenLost && lost !== undefined) return { met: false, unmet: lost.unmet, lost: true };
          if (missing.length > 0) {
            holding.startAgain();
            if (now >= deadline) return { met: false, unmet: [...missing, ...machineProblems] };
          } else {
            const sinceMs = holding.sinceMs ?? now;
            const hasHeld = answeredUntilMs(ids) - sinceMs >= gate.forMs;
            if (hasHeld && machineProblems.length === 0) return { met: true, unmet: [] };
            const heldMs = now - sinceMs;
            if (now >= deadline && machineProblems.length > 0) return { met: false, unmet: machineProblems };
            if (now >= deadline && heldMs < gate.forMs)
              return { met: false, unmet: [`all conditions held, but only for ${durationText(heldMs)}`] };
          }
          await nextSample(100, signal);
        }
      } finally {
        holding.end();
      }
    },
  };
}
