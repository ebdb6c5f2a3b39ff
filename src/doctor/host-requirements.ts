import type { HostName } from '../core/ids.ts';
import type { Kinds } from '../core/kinds.ts';
import type { PlannedFault, Plan } from '../core/plan.ts';
import type { TargetPlan } from '../scenario/target-planner.ts';
import type { HostRequirement } from './check-host.ts';

/** Requirements for each host, by its name: of the target's probes, and of the plans' faults. Without plans: of all fault kinds. */
export function requirementsOf(
  target: TargetPlan,
  plans: readonly Plan[],
  kinds: Kinds,
): ReadonlyMap<string, readonly HostRequirement[]> {
  return new Map(
    target.hosts.map(({ name }) => [
      name,
      [...probeRequirements(name, target, kinds), ...faultRequirements(name, target, plans, kinds)],
    ]),
  );
}

function probeRequirements(host: HostName, { probes }: TargetPlan, kinds: Kinds): HostRequirement[] {
  return probes
    .filter((probe) => (probe.from ?? probe.host) === host)
    .flatMap((probe) => {
      const uses = kinds.probe(probe.kind)?.uses?.(probe.params);
      return uses === undefined ? [] : [{ ...uses, by: `probe ${probe.name}`, sure: true }];
    });
}

function faultRequirements(
  host: HostName,
  target: TargetPlan,
  plans: readonly Plan[],
  kinds: Kinds,
): HostRequirement[] {
  if (plans.length === 0) {
    return kinds.faults.flatMap((kind) => {
      const uses = kind.uses?.(undefined);
      return uses === undefined ? [] : [{ ...uses, by: kind.kind, sure: false }];
    });
  }
  return plans
    .flatMap((plan) => stepsOn(host, target, plan, [...plan.prepare, ...plan.faults, ...plan.repair]))
    .flatMap((fault) => {
      const uses = kinds.fault(fault.kind)?.uses?.(fault.params);
      return uses === undefined ? [] : [{ ...uses, by: `fault ${fault.kind}`, sure: true }];
    });
}

/** The preparations and faults of plans that may hit a host, and so have to be undone on it. */
export function undoneOn(
  host: HostName,
  target: TargetPlan,
  plans: readonly Plan[],
): readonly PlannedFault[] {
  return plans.flatMap((plan) => stepsOn(host, target, plan, [...plan.prepare, ...plan.faults]));
}

function stepsOn(
  host: HostName,
  target: TargetPlan,
  plan: Plan,
  steps: readonly PlannedFault[],
): readonly PlannedFault[] {
  return steps.filter((step) => mayHit(step, plan, host, target));
}

/** Whether a fault may hit a host: by name, by a role that the host may have, or because it follows another fault. */
function mayHit({ on }: PlannedFault, plan: Plan, host: HostName, target: TargetPlan): boolean {
  if ('host' in on) return on.host === host;
  if ('fault' in on) {
    const first = plan.faults.find(({ id }) => id === on.fault);
    return first !== undefined && mayHit(first, plan, host, target);
  }
  const role = plan.roles[on.role];
  return (
    role !== undefined &&
    (role.host === undefined || role.host === host) &&
    target.probes.some((probe) => probe.name === role.probe && probe.host === host)
  );
}
