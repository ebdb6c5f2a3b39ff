import {
  companionOf,
  type Condition,
  type GateCondition,
  instancesOf,
  type ValuePart,
} from '../core/condition.ts';
import { addressNames } from '../core/placeholders.ts';
import type { Plan, PlannedFault, PlannedProbe } from '../core/plan.ts';
import { entryOf, type Known, type Report } from './references.ts';

/**
 * Checks the roles that the first fault needs. The steady state holds until that fault acts. If it implies that a role
 * matches multiple hosts or none, the run would end before its fault.
 */
export function checkFirstRoles(
  faults: readonly PlannedFault[],
  required: readonly GateCondition[],
  known: Known,
  report: Report,
): void {
  const index = firstOf(faults);
  const fault = faults[index];
  if (fault === undefined) return;
  const needed = ['role' in fault.on ? fault.on.role : '', ...addressNames(JSON.stringify(fault.params))];
  for (const role of new Set(needed)) {
    const condition = entryOf(known.roles, role);
    const isHost = known.hosts.some(({ name }) => name === role);
    if (condition === undefined || (isHost && !('role' in fault.on && fault.on.role === role))) continue;
    const matches = matchingHosts(condition, required, known.probes);
    if (matches !== undefined)
      report(
        ['faults', index, 'on'],
        `role "${role}" matches ${matches} in the steady state, but a fault needs exactly one; give the role a condition that only one host meets`,
      );
  }
}

/** Index of the fault that acts first whatever the jitter; -1 if there is none. */
function firstOf(faults: readonly PlannedFault[]): number {
  return faults.findIndex(
    ({ after, atMs, jitterMs = 0 }, i) =>
      after === undefined &&
      faults.every((other, at) => {
        if (at === i || other.after !== undefined) return true;
        const latestMs = atMs + jitterMs;
        return at < i ? latestMs < other.atMs : latestMs <= other.atMs;
      }),
  );
}

/** The reason why a role cannot be resolved in the steady state; undefined if it may be resolvable. */
function matchingHosts(
  role: Condition,
  required: readonly GateCondition[],
  probes: Plan['probes'],
): string | undefined {
  const hosts = instancesOf(role, probes).filter(({ host }) => host !== undefined);
  const parts: readonly ValuePart[] = [role, ...(role.and ?? [])];
  const sure = hosts.filter((instance) =>
    parts.every((part) => required.some((gate) => implies(gate, part, instance, probes))),
  );
  if (sure.length > 1) return `multiple hosts (${sure.map(({ host }) => host).join(', ')})`;
  if (role.and === undefined && role.host === undefined) {
    const least = fewestMatching(role, required, probes);
    if (least > 1) return `at least ${least} hosts`;
  }
  const isExcluded = (instance: PlannedProbe): boolean =>
    required.some((gate) => covers(gate, instance, probes) && excludes(gate, role));
  return hosts.length > 0 && hosts.every(isExcluded) ? 'no host' : undefined;
}

/** Whether a met gate implies that a part of a role holds for this instance's host. */
function implies(
  gate: GateCondition,
  part: ValuePart,
  instance: PlannedProbe,
  probes: Plan['probes'],
): boolean {
  const spoken = part.probe === instance.name ? instance : companionOf(instance, part, probes);
  if (spoken === undefined) return false;
  if (covers(gate, spoken, probes)) return saysMore(gate, part, spoken);
  return (
    covers(gate, instance, probes) &&
    (gate.and ?? []).some((other) => other.probe === part.probe && saysMore(other, part, spoken))
  );
}

/** Whether a gate requires this instance: it requires all instances, and this is one of them. */
function covers(gate: GateCondition, instance: PlannedProbe, probes: Plan['probes']): boolean {
  const all = instancesOf(gate, probes);
  const needsAll = gate.count === undefined || gate.count.min >= all.length;
  return gate.role === undefined && needsAll && all.some(({ id }) => id === instance.id);
}

/** Whether `known` implies `asked` for the same instance. */
function saysMore(known: ValuePart, asked: ValuePart, { onFailure = {} }: PlannedProbe): boolean {
  if (known.probe !== asked.probe) return false;
  if (known.is === undefined) return asked.is === undefined;
  if (asked.is !== undefined) return known.is.every((value) => asked.is?.includes(value));
  // `onFailure` may give this value to a failed sample, which is not a good sample.
  return !known.is.some((value) => Object.values(onFailure).includes(value));
}

/** Whether an instance that meets the gate cannot have the role. */
function excludes(gate: ValuePart, role: ValuePart): boolean {
  return (
    gate.probe === role.probe &&
    gate.is !== undefined &&
    role.is !== undefined &&
    gate.is.every((value) => role.is?.includes(value) !== true)
  );
}

/** Lower bound on the hosts that match this role when the gates are met. Gates with disjoint values add up. */
function fewestMatching(role: Condition, required: readonly GateCondition[], probes: Plan['probes']): number {
  const [instance] = instancesOf(role, probes);
  if (instance?.host === undefined) return 0;
  const counted = required
    .filter((gate) => gate.role === undefined && gate.host === undefined && saysMore(gate, role, instance))
    .map((gate) => ({ is: gate.is ?? [], least: gate.count?.min ?? instancesOf(gate, probes).length }))
    .toSorted((a, b) => b.least - a.least);
  const taken: (typeof counted)[number][] = [];
  for (const gate of counted) {
    const isApart = taken.every(
      ({ is }) => is.length > 0 && gate.is.length > 0 && !is.some((v) => gate.is.includes(v)),
    );
    if (isApart) taken.push(gate);
  }
  return taken.reduce((sum, { least }) => sum + least, 0);
}
