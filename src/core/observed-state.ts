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
  type Tristate,
} from './condition.ts';
import type { HostName, ProbeId } from './ids.ts';
import type { Plan } from './plan.ts';
import { messageText } from './message-text.ts';
import type { Sample } from './sample.ts';

/** The latest samples of a plan's target. */
export interface ObservedState extends Pick<Plan, 'probes' | 'roles'> {
  /** The latest sample of an instance, unless it is stale. */
  latest(probeId: ProbeId): ObservedSample | undefined;
}

/** A sample, and whether a fault of this drill had cut the power of its host. */
export type ObservedSample = Sample & Pick<ReadSample, 'provenDown'>;

/**
 * Marks a sample of a host whose power a fault of this drill has cut: unless it is ok, it shows that nothing
 * runs there.
 */
export function withoutPower(sample: Sample): ObservedSample {
  return sample.status === 'ok' ? sample : { ...sample, status: 'fail', provenDown: true };
}

/** The hosts whose fresh samples meet the condition. */
export function hostsWith(condition: Condition, observed: ObservedState): HostName[] {
  return instancesOf(condition, observed.probes)
    .filter((instance) => matchNow(condition, instance, observed) === 'yes')
    .flatMap((instance) => instance.host ?? []);
}

/** Whether the match of at least one instance is unknown. */
export function isOpen(condition: Condition, observed: ObservedState): boolean {
  return instancesOf(condition, observed.probes).some(
    (instance) => matchNow(condition, instance, observed) === 'maybe',
  );
}

/**
 * Conditions that do not certainly hold now, in words with the observed values. An unknown value may be any
 * value.
 */
export function unmetConditions(conditions: readonly GateCondition[], observed: ObservedState): string[] {
  return conditions.flatMap((condition) => {
    const matches = askedOf(condition, observed).map((instance) => matchNow(condition, instance, observed));
    return countTruth(condition, matches) === 'yes' ? [] : [describeUnmet(condition, observed)];
  });
}

/**
 * Conditions that do not hold, whatever the unknown values are. A failed sample counts as a mismatch here
 * even if its value is unknown, because no probe fails in a steady state.
 */
export function brokenConditions(conditions: readonly GateCondition[], observed: ObservedState): string[] {
  return conditions.flatMap((condition) => {
    const role = condition.role === undefined ? undefined : observed.roles[condition.role];
    if (
      role !== undefined &&
      instancesOf(role, observed.probes).some(({ id }) => isUnknown(observed.latest(id)))
    )
      return [];
    const matches = askedOf(condition, observed).map((instance): Tristate => {
      const match = matchNow(condition, instance, observed);
      return match === 'maybe' && readBy(condition, instance, observed).some(isFailed) ? 'no' : match;
    });
    return countTruth(condition, matches) === 'no' ? [describeUnmet(condition, observed)] : [];
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
function readBy(
  condition: Condition,
  instance: InstanceRef,
  observed: ObservedState,
): readonly (Sample | undefined)[] {
  const others = (condition.and ?? []).map((part) => companionOf(instance, part, observed.probes));
  return [instance, ...others].map((one) => (one === undefined ? undefined : observed.latest(one.id)));
}

/** Whether one instance counts now. */
function matchNow(condition: Condition, instance: InstanceRef, observed: ObservedState): Tristate {
  const others = (condition.and ?? []).map((part): Tristate => {
    const companion = companionOf(instance, part, observed.probes);
    return companion === undefined ? 'maybe' : sampleTruth(part, companion, observed.latest(companion.id));
  });
  return allOf([sampleTruth(condition, instance, observed.latest(instance.id)), ...others]);
}

/** The instances to which a condition applies now. */
function askedOf(condition: GateCondition, observed: ObservedState): readonly InstanceRef[] {
  const role = condition.role === undefined ? undefined : observed.roles[condition.role];
  const there = role === undefined ? undefined : hostsWith(role, observed);
  return instancesOf(condition, observed.probes).filter(
    (instance) => there === undefined || (instance.host !== undefined && there.includes(instance.host)),
  );
}

function describeUnmet(condition: GateCondition, observed: ObservedState): string {
  const found = askedOf(condition, observed).flatMap((instance) => {
    const others = (condition.and ?? []).flatMap(
      (part) => companionOf(instance, part, observed.probes) ?? [],
    );
    return [instance, ...others].map(({ id }) => `${id}: ${describeSample(observed.latest(id))}`);
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
    return `unknown, ${messageText(sample.message, mostChars)}`;
  const cause = sample.cause === undefined ? '' : ` ${sample.cause}`;
  const value = sample.value === undefined ? '' : ` ${sample.value}`;
  return `${sample.status}${cause}${value}`;
}
