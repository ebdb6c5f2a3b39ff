import { type Condition, type GateCondition, probesRead } from '../core/condition.ts';
import type { ProbeName } from '../core/ids.ts';
import type { Check, Plan, StageRule } from '../core/plan.ts';

/** Reasons for running a probe that nothing in the drill uses. */
const alwaysText = '`always` in the target';
const allProbesText = '--all-probes';

/**
 * Limits a plan to the probes that its drill uses, each with its uses, and lists the names of the other probes. A probe
 * without a use would only load the stack. References are checked earlier, against all probes.
 */
export function withUsedProbes(plan: Plan, allProbes: boolean): Plan {
  const uses = probeUses(plan);
  const probes = plan.probes.flatMap((probe) => {
    const used = uses.get(probe.name) ?? [];
    const usedBy = [
      ...used,
      ...(probe.always === true ? [alwaysText] : []),
      ...(allProbes && used.length === 0 && probe.always !== true ? [allProbesText] : []),
    ];
    return usedBy.length === 0 ? [] : [{ ...probe, usedBy }];
  });
  const running = new Set(probes.map(({ name }) => name));
  const names = [...new Set(plan.probes.map(({ name }) => name))];
  const probesLeftOut = names.filter((name) => !running.has(name));
  return { ...plan, probes, ...(probesLeftOut.length === 0 ? {} : { probesLeftOut }) };
}

/** For each probe name, its uses in the plan, in the order of a drill, without duplicates. */
function probeUses(plan: Plan): ReadonlyMap<ProbeName, readonly string[]> {
  const uses = new Map<ProbeName, string[]>();
  const use = (name: ProbeName, by: string): void => {
    const known = uses.get(name) ?? [];
    if (!known.includes(by)) uses.set(name, [...known, by]);
  };
  const useAll = (conditions: readonly GateCondition[], by: string): void => {
    for (const condition of conditions) for (const probe of probesRead(condition)) use(probe, by);
  };
  const useOne = (condition: Condition, by: string): void => useAll([condition], by);
  use(plan.recovery.probe, 'recovery');
  useAll(plan.steady.require, 'steady state');
  useAll(plan.redundancy.require, 'redundancy');
  // Every role is resolved and reported, even if no fault names it.
  for (const [role, condition] of Object.entries(plan.roles)) useOne(condition, `role ${role}`);
  for (const [thing, sides] of Object.entries(plan.ownership)) {
    useAll(Object.values(sides), `ownership ${thing}`);
  }
  if (plan.healthy !== undefined) useOne(plan.healthy, 'healthy');
  for (const check of plan.checks) for (const name of namesIn(check, plan)) use(name, `check ${check.name}`);
  for (const stage of plan.stages) useStage(stage, 'stage', use);
  for (const stage of plan.returnStages) useStage(stage, 'return stage', use);
  return uses;
}

/** Names of the probes that a check reads directly. */
function namesIn(check: Check, { probes }: Plan): readonly string[] {
  switch (check.kind) {
    case 'downtime':
      // `probe` names an instance, not a probe.
      return probes.flatMap(({ id, name }) => (id === check.probe ? [name] : []));
    case 'happens':
    case 'finally':
    case 'never':
      return probesRead(check.condition);
    case 'delivered':
      return [check.changes.probe, check.deliveries.probe];
    case 'rto':
    case 'redundancy':
    case 'no-recovery':
    case 'heal-outage':
    case 'return':
    case 'role-moved':
    case 'role-stays':
    case 'ownership':
    case 'rpo':
    case 'rows':
    case 'stale-reads':
    case 'write-outage':
    case 'read-outage':
      // These read the recovery probe, gates, roles, owners, or rows.
      return [];
  }
}

function useStage(
  { name, until }: StageRule,
  what: string,
  use: (name: ProbeName, by: string) => void,
): void {
  if (until.kind === 'condition') use(until.condition.probe, `${what} ${name}`);
  if (until.kind === 'mark') use(until.probe, `${what} ${name}`);
}
