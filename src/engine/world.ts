import type { Clock } from '../core/clock.ts';
import { type Condition, describeCondition, type GateCondition } from '../core/condition.ts';
import { DrillError } from '../core/errors.ts';
import { formatMs } from '../core/duration.ts';
import type { Gate, Plan } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import { hostsWith, isFresh, type Seen, unmetConditions } from '../core/seen.ts';
import type { MachineFitness } from './machine-fitness.ts';

/** How a wait came out; `unmet` says in words what was missing at its end. */
export interface GateOutcome {
  readonly met: boolean;
  readonly unmet: readonly string[];
}

/** What the probes last saw, and waits upon it. */
export interface World {
  /** Takes a sample in; wakes whoever waits. */
  see(sample: Sample): void;
  /** The latest sample of an instance, unless it is too old to speak for the present. */
  fresh(probeId: string): Sample | undefined;
  /** Conditions of a gate that do not hold now, in words with what is seen instead. */
  unmet(conditions: readonly GateCondition[]): string[];
  /** The one host for which the role's condition holds. @throws DrillError `role-unresolved` */
  resolveRole(role: string, condition: Condition): string;
  /** The hosts for which the condition holds, as far as is freshly seen. */
  hostsWith(condition: Condition): readonly string[];
  /**
   * Waits until all conditions held without a break for `forMs`; false when `withinMs` ran out. `fit`: the prober's
   * machine must have been fit over as long, too.
   */
  waitForGate(gate: Gate, signal: AbortSignal, options?: { readonly fit: boolean }): Promise<GateOutcome>;
  /** Resolves at the next sample or after `maxMs`. */
  nextSample(maxMs: number, signal: AbortSignal): Promise<void>;
}

/** A world of the plan's probe instances, seen from a machine of that fitness. */
export function createWorld(
  plan: Pick<Plan, 'probes' | 'roles'>,
  clock: Clock,
  machine?: Pick<MachineFitness, 'unmet'>,
): World {
  const { probes, roles } = plan;
  const latest = new Map<string, Sample>();
  const byId = new Map(probes.map((probe) => [probe.id, probe]));
  let wake: (() => void)[] = [];

  const fresh = (probeId: string): Sample | undefined => {
    const sample = latest.get(probeId);
    const probe = byId.get(probeId);
    if (sample === undefined || probe === undefined) return undefined;
    return isFresh(probe, sample, clock.nowMs()) ? sample : undefined;
  };

  const seen: Seen = { probes, roles, fresh };
  const unmet = (conditions: readonly GateCondition[]): string[] => unmetConditions(conditions, seen);

  const nextSample = async (maxMs: number, signal: AbortSignal): Promise<void> => {
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
    see(sample) {
      // Answers can overtake each other: the later request is the later word.
      const before = latest.get(sample.probe);
      if (before !== undefined && before.slot > sample.slot) return;
      latest.set(sample.probe, sample);
      const waiting = wake;
      wake = [];
      for (const resolve of waiting) resolve();
    },
    fresh,
    unmet,
    hostsWith: (condition) => hostsWith(condition, seen),
    nextSample,
    resolveRole(role, condition) {
      const hosts = hostsWith(condition, seen);
      const [host] = hosts;
      if (host === undefined || hosts.length > 1) {
        const what = hosts.length === 0 ? 'no host' : `${hosts.length} hosts (${hosts.join(', ')})`;
        throw new DrillError(
          'role-unresolved',
          `role ${role} (${describeCondition(condition)}) fits ${what}`,
          {
            mend: 'Look at the probe with `firedrill watch`; a drill needs exactly one host for a role.',
          },
        );
      }
      return host;
    },
    async waitForGate(gate, signal, { fit } = { fit: false }) {
      const deadline = clock.nowMs() + gate.withinMs;
      let since: number | undefined;
      for (;;) {
        const now = clock.nowMs();
        const missing = unmet(gate.require);
        const unfit = fit ? (machine?.unmet(now, gate.forMs) ?? []) : [];
        if (missing.length > 0) {
          since = undefined;
          if (now >= deadline) return { met: false, unmet: [...missing, ...unfit] };
        } else {
          since ??= now;
          if (now - since >= gate.forMs && unfit.length === 0) return { met: true, unmet: [] };
          if (now >= deadline)
            return {
              met: false,
              unmet: unfit.length > 0 ? unfit : [`held for ${formatMs(now - since)} only`],
            };
        }
        await nextSample(100, signal);
      }
    },
  };
}
