import type { Sample } from './sample.ts';

/**
 * A statement about a probe's latest samples. Of the probe's instances (one per
 * host, or just one), those are counted whose latest sample is fresh, ok and,
 * if `is` is given, has one of these values. The statement holds when the count
 * lies in `count`; without `count`, when every instance counts.
 */
export interface Condition {
  readonly probe: string;
  /** Only this host's instance. */
  readonly host?: string;
  readonly is?: readonly string[];
  readonly count?: { readonly min: number; readonly max?: number };
}

/**
 * A condition of a gate. With `role`, only the instances on hosts that have this
 * role at that moment count: `{ probe: router, role: db-primary }` says that the
 * router runs where the database's primary is, wherever that is.
 */
export interface GateCondition extends Condition {
  readonly role?: string;
}

/** A probe instance as far as conditions care. */
export interface InstanceRef {
  readonly id: string;
  readonly name: string;
  readonly host?: string;
}

/** Whether a sample (the latest of its instance) satisfies the condition's value part. */
export function sampleMatches(condition: Condition, sample: Sample | undefined): boolean {
  if (sample?.status !== 'ok') return false;
  return condition.is === undefined || (sample.value !== undefined && condition.is.includes(sample.value));
}

/** The instances a condition speaks of. */
export function instancesOf(condition: Condition, instances: readonly InstanceRef[]): readonly InstanceRef[] {
  return instances.filter(
    (i) => i.name === condition.probe && (condition.host === undefined || i.host === condition.host),
  );
}

/** Whether `matching` of `total` instances satisfy the condition's count part. */
export function countHolds(condition: Condition, matching: number, total: number): boolean {
  if (condition.count === undefined) return total > 0 && matching === total;
  return matching >= condition.count.min && matching <= (condition.count.max ?? total);
}

/** The condition in words, for messages: `pg-role is primary on exactly 1`. */
export function describeCondition(condition: GateCondition): string {
  const place = condition.host ?? (condition.role === undefined ? undefined : `the ${condition.role}`);
  const who = place === undefined ? condition.probe : `${condition.probe}@${place}`;
  const what = condition.is === undefined ? 'is ok' : `is ${condition.is.join(' or ')}`;
  if (condition.count === undefined)
    return place === undefined ? `${who} ${what} everywhere` : `${who} ${what}`;
  const { min, max } = condition.count;
  if (min === max) return `${who} ${what} on exactly ${min}`;
  return max === undefined ? `${who} ${what} on at least ${min}` : `${who} ${what} on ${min} to ${max}`;
}
