import {
  type Condition,
  countHolds,
  describeCondition,
  type GateCondition,
  type InstanceRef,
  instancesOf,
  sampleMatches,
} from './condition.ts';
import type { Plan, PlannedProbe } from './plan.ts';
import { printable } from './printable.ts';
import type { Sample } from './sample.ts';

/** What the probes last saw of a plan's target. */
export interface Seen extends Pick<Plan, 'probes' | 'roles'> {
  /** The latest sample of an instance, unless it is too old to speak for the present. */
  fresh(probeId: string): Sample | undefined;
}

/** Whether a sample still speaks for the present, `nowMs` on the run clock. */
export function isFresh(
  { intervalMs, timeoutMs }: Pick<PlannedProbe, 'intervalMs' | 'timeoutMs'>,
  { finishMs }: Pick<Sample, 'finishMs'>,
  nowMs: number,
): boolean {
  // Three missed slots and a time-out: older than that, it says nothing about now.
  return nowMs - finishMs <= 3 * intervalMs + timeoutMs;
}

/** The hosts for which the condition holds, as far as is freshly seen. */
export function hostsWith(condition: Condition, seen: Seen): string[] {
  return instancesOf(condition, seen.probes)
    .filter((instance) => sampleMatches(condition, seen.fresh(instance.id)))
    .flatMap((instance) => instance.host ?? []);
}

/** Conditions that do not hold now, in words with what is seen instead. */
export function unmetConditions(conditions: readonly GateCondition[], seen: Seen): string[] {
  return conditions.flatMap((condition) => {
    const { instances, matching } = countOf(condition, seen);
    return countHolds(condition, matching, instances.length) ? [] : [describeUnmet(condition, seen)];
  });
}

/** Conditions that do not hold whatever the instances would say of which nothing is known now. */
export function brokenConditions(conditions: readonly GateCondition[], seen: Seen): string[] {
  return conditions.flatMap((condition) => {
    const role = condition.role === undefined ? undefined : seen.roles[condition.role];
    if (role !== undefined && instancesOf(role, seen.probes).some(({ id }) => isUnknown(seen.fresh(id))))
      return [];
    const { instances, matching } = countOf(condition, seen);
    const unknown = instances.filter(({ id }) => isUnknown(seen.fresh(id))).length;
    const mayHold = Array.from({ length: unknown + 1 }, (_, more) =>
      countHolds(condition, matching + more, instances.length),
    ).some(Boolean);
    return mayHold ? [] : [describeUnmet(condition, seen)];
  });
}

function isUnknown(sample: Sample | undefined): boolean {
  return sample === undefined || sample.status === 'unknown';
}

/** The instances that a condition speaks of now, and how many of them satisfy it. */
function countOf(
  condition: GateCondition,
  seen: Seen,
): { readonly instances: readonly InstanceRef[]; readonly matching: number } {
  const role = condition.role === undefined ? undefined : seen.roles[condition.role];
  const there = role === undefined ? undefined : hostsWith(role, seen);
  const instances = instancesOf(condition, seen.probes).filter(
    (instance) => there === undefined || (instance.host !== undefined && there.includes(instance.host)),
  );
  const matching = instances.filter((instance) => sampleMatches(condition, seen.fresh(instance.id)));
  return { instances, matching: matching.length };
}

function describeUnmet(condition: GateCondition, seen: Seen): string {
  const found = countOf(condition, seen).instances.map(
    (instance) => `${instance.id}: ${describeSample(seen.fresh(instance.id))}`,
  );
  return `${describeCondition(condition)} (${found.join('; ') || `no host is ${condition.role ?? 'there'}`})`;
}

/** Of why nothing is known; the first words say it. */
const mostChars = 160;

function describeSample(sample: Sample | undefined): string {
  if (sample === undefined) return 'no fresh answer';
  if (sample.status === 'ok') return sample.value ?? 'ok';
  if (sample.status === 'unknown' && sample.message !== undefined)
    return `unknown, ${printable(sample.message, mostChars)}`;
  const cause = sample.cause === undefined ? '' : ` ${sample.cause}`;
  const value = sample.value === undefined ? '' : ` ${sample.value}`;
  return `${sample.status}${cause}${value}`;
}
