import {
  allOf,
  companionOf,
  type Condition,
  countTruth,
  describeCondition,
  type GateCondition,
  type InstanceRef,
  instancesOf,
  type ReadSample,
  sampleTruth,
  type Truth,
} from './condition.ts';
import type { Plan } from './plan.ts';
import { printable } from './printable.ts';
import type { Sample } from './sample.ts';

/** The latest samples of a plan's target. */
export interface Seen extends Pick<Plan, 'probes' | 'roles'> {
  /** The latest sample of an instance, unless it is stale. */
  fresh(probeId: string): SeenSample | undefined;
}

/** A sample, and whether a fault of this drill had cut the power of its host. */
export type SeenSample = Sample & Pick<ReadSample, 'provenDown'>;

/**
 * Marks a sample of a host whose power a fault of this drill has cut: unless it is ok, it shows that nothing
 * runs there.
 */
export function withoutPower(sample: Sample): SeenSample {
  return sample.status === 'ok' ? sample : { ...sample, status: 'fail', provenDown: true };
}

/** The hosts whose fresh samples meet the condition. */
export function hostsWith(condition: Condition, seen: Seen): string[] {
  return instancesOf(condition, seen.probes)
    .filter((instance) => matchNow(condition, instance, seen) === 'yes')
    .flatMap((instance) => instance.host ?? []);
}

/** Whether the match of at least one instance is unknown. */
export function isOpen(condition: Condition, seen: Seen): boolean {
  return instancesOf(condition, seen.probes).some(
    (instance) => matchNow(condition, instance, seen) === 'maybe',
  );
}

/**
 * Conditions that do not certainly hold now, in words with the observed values. An unknown value may be any
 * value.
 */
export function unmetConditions(conditions: readonly GateCondition[], seen: Seen): string[] {
  return conditions.flatMap((condition) => {
    const matches = askedOf(condition, seen).map((instance) => matchNow(condition, instance, seen));
    return countTruth(condition, matches) === 'yes' ? [] : [describeUnmet(condition, seen)];
  });
}

/**
 * Conditions that do not hold, whatever the unknown values are. A failed sample counts as a mismatch here
 * even if its value is unknown, because no probe fails in a steady state.
 */
export function brokenConditions(conditions: readonly GateCondition[], seen: Seen): string[] {
  return conditions.flatMap((condition) => {
    const role = condition.role === undefined ? undefined : seen.roles[condition.role];
    if (role !== undefined && instancesOf(role, seen.probes).some(({ id }) => isUnknown(seen.fresh(id))))
      return [];
    const matches = askedOf(condition, seen).map((instance): Truth => {
      const match = matchNow(condition, instance, seen);
      return match === 'maybe' && readBy(condition, instance, seen).some(isFailed) ? 'no' : match;
    });
    return countTruth(condition, matches) === 'no' ? [describeUnmet(condition, seen)] : [];
  });
}

function isUnknown(sample: Sample | undefined): boolean {
  return sample === undefined || sample.status === 'unknown';
}

function isFailed(sample: Sample | undefined): boolean {
  return sample?.status === 'fail';
}

/**
 * The latest samples that decide whether one instance counts: its own, and those of the condition's `and`.
 */
function readBy(condition: Condition, instance: InstanceRef, seen: Seen): readonly (Sample | undefined)[] {
  const others = (condition.and ?? []).map((part) => companionOf(instance, part, seen.probes));
  return [instance, ...others].map((one) => (one === undefined ? undefined : seen.fresh(one.id)));
}

/** Whether one instance counts now. */
function matchNow(condition: Condition, instance: InstanceRef, seen: Seen): Truth {
  const others = (condition.and ?? []).map((part): Truth => {
    const companion = companionOf(instance, part, seen.probes);
    return companion === undefined ? 'maybe' : sampleTruth(part, companion, seen.fresh(companion.id));
  });
  return allOf([sampleTruth(condition, instance, seen.fresh(instance.id)), ...others]);
}

/** The instances to which a condition applies now. */
function askedOf(condition: GateCondition, seen: Seen): readonly InstanceRef[] {
  const role = condition.role === undefined ? undefined : seen.roles[condition.role];
  const there = role === undefined ? undefined : hostsWith(role, seen);
  return instancesOf(condition, seen.probes).filter(
    (instance) => there === undefined || (instance.host !== undefined && there.includes(instance.host)),
  );
}

function describeUnmet(condition: GateCondition, seen: Seen): string {
  const found = askedOf(condition, seen).flatMap((instance) => {
    const others = (condition.and ?? []).flatMap((part) => companionOf(instance, part, seen.probes) ?? []);
    return [instance, ...others].map(({ id }) => `${id}: ${describeSample(seen.fresh(id))}`);
  });
  return `${describeCondition(condition)} (${[...new Set(found)].join('; ') || (condition.role === undefined ? 'no instance' : `no host is ${condition.role}`)})`;
}

/** Longest message of an unknown sample, characters; its first words have the reason. */
const mostChars = 160;

function describeSample(sample: Sample | undefined): string {
  if (sample === undefined) return 'no fresh answer';
  if (sample.status === 'ok') return sample.value ?? 'ok';
  if (sample.cause === 'bad-state' && sample.value !== undefined) return sample.value;
  if (sample.status === 'unknown' && sample.message !== undefined)
    return `unknown, ${printable(sample.message, mostChars)}`;
  const cause = sample.cause === undefined ? '' : ` ${sample.cause}`;
  const value = sample.value === undefined ? '' : ` ${sample.value}`;
  return `${sample.status}${cause}${value}`;
}
