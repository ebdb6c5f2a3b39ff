import type { HostName, ProbeId, ProbeName, RoleName } from './ids.ts';
import type { FailCause, Sample } from './sample.ts';

/** Whether something holds, as far as it is known. */
export type Tristate = 'yes' | 'no' | 'maybe';

/** What a condition requires of one probe: any good sample, or with `is` one of these values. */
export interface ValuePart {
  readonly probe: ProbeName;
  readonly is?: readonly string[];
}

/**
 * A statement about the latest samples of a probe's instances (one per host, or just one). An instance counts
 * if its latest sample is fresh, ok, and, with `is`, has one of these values. The statement holds if the
 * number of counted instances is in `count`; without `count`, if every instance counts.
 */
export interface Condition extends ValuePart {
  /** Only this host's instance. */
  readonly host?: HostName;
  /**
   * An instance counts only if these hold, too: on its host, or of a probe with a single instance without a
   * host.
   */
  readonly and?: readonly ValuePart[];
  readonly count?: { readonly min: number; readonly max?: number };
}

/**
 * A condition of a gate. With `role`, only the instances on hosts that have this role at that moment count.
 * `{ probe: router, role: db-primary }` requires that the router runs on the host of the database's primary.
 */
export interface GateCondition extends Condition {
  readonly role?: RoleName;
}

/** A probe instance as conditions need it. */
export interface InstanceRef {
  readonly id: ProbeId;
  readonly name: ProbeName;
  readonly host?: HostName;
  /** For each cause of a failed sample, the value that such a failure stands for. */
  readonly onFailure?: FailureValues;
}

/** For each cause of a failed sample, the value that such a failure stands for. */
export type FailureValues = { readonly [cause in Exclude<FailCause, 'bad-state'>]?: string };

/** A sample as conditions read it. */
export type ReadSample = Pick<Sample, 'status' | 'cause' | 'value'> & {
  /** A fault of this drill had cut the host's power, so the failure shows that nothing runs there. */
  readonly provenDown?: true;
};

/**
 * Whether a sample meets a condition's value part.
 *
 * A failed sample has no value. With `is` the result is "maybe", unless the probe's `onFailure` declares a
 * value for this cause. A bad state (`bad-state`) is a value. Without `is` a failed sample gives "no",
 * because the target was asked and was not ok.
 */
export function sampleTruth(
  { is }: Pick<ValuePart, 'is'>,
  { onFailure }: Pick<InstanceRef, 'onFailure'>,
  sample: ReadSample | undefined,
): Tristate {
  if (sample === undefined || sample.status === 'unknown') return 'maybe';
  if (is === undefined) return sample.status === 'ok' ? 'yes' : 'no';
  const value = valueOf(sample, onFailure);
  if (value !== undefined) return is.includes(value) ? 'yes' : 'no';
  if (sample.provenDown !== true) return 'maybe';
  // Without power the target reports no value, but a value that `onFailure` declares for a failure remains
  // possible.
  return Object.values(onFailure ?? {}).some((declared) => is.includes(declared)) ? 'maybe' : 'no';
}

function valueOf(
  { status, cause = 'error', value }: ReadSample,
  onFailure?: FailureValues,
): string | undefined {
  return status === 'ok' || cause === 'bad-state' ? value : onFailure?.[cause];
}

/** Logical AND of several truths. */
export function allOf(truths: readonly Tristate[]): Tristate {
  if (truths.includes('no')) return 'no';
  return truths.includes('maybe') ? 'maybe' : 'yes';
}

/** The instances that a condition names. */
export function instancesOf<I extends InstanceRef>(
  condition: Pick<Condition, 'probe' | 'host'>,
  instances: readonly I[],
): readonly I[] {
  return instances.filter(
    (i) => i.name === condition.probe && (condition.host === undefined || i.host === condition.host),
  );
}

/** The other probe's instance for the host of this one; undefined if there is none. */
export function companionOf<I extends InstanceRef>(
  { host }: InstanceRef,
  { probe }: ValuePart,
  instances: readonly I[],
): I | undefined {
  const named = instances.filter((i) => i.name === probe);
  return named.find((i) => i.host === host) ?? named.find((i) => i.host === undefined);
}

/** The instances that a condition reads: its own, and those of its `and` for their hosts. */
export function instancesRead<I extends InstanceRef>(
  condition: Condition,
  instances: readonly I[],
): readonly I[] {
  const own = instancesOf(condition, instances);
  const others = (condition.and ?? []).flatMap((part) =>
    own.flatMap((instance) => companionOf(instance, part, instances) ?? []),
  );
  return [...new Set([...own, ...others])];
}

/** Names of the probes that a condition reads. */
export function probesRead({ probe, and = [] }: Condition): readonly ProbeName[] {
  return [probe, ...and.map((part) => part.probe)];
}

/** Whether `matching` of `total` instances satisfy the condition's count part. */
export function countHolds(condition: Condition, matching: number, total: number): boolean {
  if (condition.count === undefined) return total > 0 && matching === total;
  return matching >= condition.count.min && matching <= (condition.count.max ?? total);
}

/** Whether the count part holds for these matches; "maybe" if it depends on an unknown one. */
export function countTruth(condition: Condition, matches: readonly Tristate[]): Tristate {
  const sure = matches.filter((truth) => truth === 'yes').length;
  const unknown = matches.filter((truth) => truth === 'maybe').length;
  const answers = Array.from({ length: unknown + 1 }, (_, more) =>
    countHolds(condition, sure + more, matches.length),
  );
  return answers.every(Boolean) ? 'yes' : answers.some(Boolean) ? 'maybe' : 'no';
}

/** The condition in words, for messages: `pg-role is primary on exactly 1`. */
export function describeCondition(condition: GateCondition): string {
  const place = condition.host ?? (condition.role === undefined ? undefined : `the ${condition.role}`);
  const who = place === undefined ? condition.probe : `${condition.probe}@${place}`;
  const more = (condition.and ?? []).map((part) => ` and ${part.probe} ${valueText(part)}`).join('');
  const what = `${valueText(condition)}${more}`;
  if (condition.count === undefined)
    return place === undefined ? `${who} ${what} everywhere` : `${who} ${what}`;
  const { min, max } = condition.count;
  if (min === max) return `${who} ${what} on exactly ${min}`;
  return max === undefined ? `${who} ${what} on at least ${min}` : `${who} ${what} on ${min} to ${max}`;
}

function valueText({ is }: ValuePart): string {
  return is === undefined ? 'is ok' : `is ${is.join(' or ')}`;
}
