import type { GateCondition } from '../core/condition.ts';
import { formatMs } from '../core/duration.ts';
import type { Json, Plan } from '../core/plan.ts';
import type { CheckInput } from './check-schema.ts';
import { suggest } from './problems.ts';
import type { NodePath } from './source.ts';
import type { Stage } from './stage-schema.ts';

/** What names in a file may refer to. */
export type Known = Pick<Plan, 'hosts' | 'probes' | 'roles'>;

/** Takes a problem down: where it stands in the file, and what it is. */
export type Report = (path: NodePath, message: string) => void;

/** Names of the target's probes; each may have several instances. */
export function probeNames(known: Pick<Known, 'probes'>): string[] {
  return [...new Set(known.probes.map((probe) => probe.name))];
}

/** Checks a list of conditions, which stands at `path` in its file. */
export function checkConditions(
  conditions: readonly GateCondition[],
  known: Known,
  path: NodePath,
  report: Report,
): void {
  for (const [i, condition] of conditions.entries()) checkCondition(condition, known, [...path, i], report);
}

/** Checks that a condition speaks of what is there. */
export function checkCondition(condition: GateCondition, known: Known, path: NodePath, report: Report): void {
  const names = probeNames(known);
  if (!names.includes(condition.probe)) {
    const hint = suggest(condition.probe, names);
    report([...path, 'probe'], `the target has no probe "${condition.probe}"${hint}`);
    return;
  }
  const hosts = known.probes
    .filter((probe) => probe.name === condition.probe)
    .map((probe) => probe.host ?? '');
  if (condition.host !== undefined && !hosts.includes(condition.host)) {
    const hint = suggest(condition.host, hosts.filter(Boolean));
    report([...path, 'host'], `probe "${condition.probe}" has no instance on "${condition.host}"${hint}`);
  }
  if (condition.role !== undefined && known.roles[condition.role] === undefined) {
    const hint = suggest(condition.role, Object.keys(known.roles));
    report([...path, 'role'], `the target has no role "${condition.role}"${hint}`);
  }
  if (condition.count !== undefined && condition.count.min > hosts.length) {
    report([...path, 'count'], `probe "${condition.probe}" has only ${hosts.length} instance(s)`);
  }
}

/** Checks a chain of stages, which stands at `path` in its file. */
export function checkStages(stages: readonly Stage[], known: Known, path: NodePath, report: Report): void {
  for (const [i, { until }] of stages.entries()) {
    if (until === 'recovered') continue;
    const at = [...path, i, 'until'];
    if ('condition' in until) {
      checkCondition(until.condition, known, [...at, 'condition'], report);
      continue;
    }
    const { probe: name, mark } = until;
    const instances = known.probes.filter((probe) => probe.name === name);
    const marks = instances.flatMap((probe) => markNames(probe.params));
    if (instances.length === 0) {
      report([...at, 'probe'], `no probe "${name}"${suggest(name, probeNames(known))}`);
    } else if (!marks.includes(mark)) {
      report([...at, 'mark'], `probe "${name}" has no mark "${mark}"${suggest(mark, marks)}`);
    }
  }
}

/** Checks what the checks of a scenario speak of, and their limits. */
export function checkChecks(checks: readonly CheckInput[], known: Known, report: Report): void {
  const roles = Object.keys(known.roles);
  const instances = known.probes.map((probe) => probe.id);
  for (const [i, check] of checks.entries()) {
    const path = ['checks', i];
    if ('role' in check && !roles.includes(check.role)) {
      report([...path, 'role'], `the target has no role "${check.role}"${suggest(check.role, roles)}`);
    }
    if ('condition' in check) checkCondition(check.condition, known, [...path, 'condition'], report);
    if (check.kind !== 'downtime' && check.kind !== 'happens') continue;
    if (check.min !== undefined && check.max !== undefined && check.min > check.max) {
      report([...path, 'min'], `min: lies above max (${formatMs(check.max)})`);
    }
    if (check.kind === 'happens') continue;
    if (check.min === undefined && check.max === undefined) report(path, 'downtime: needs `min` or `max`');
    if (check.probe !== undefined && !instances.includes(check.probe)) {
      const hint = suggest(check.probe, instances);
      report([...path, 'probe'], `the target has no probe instance "${check.probe}"${hint}`);
    }
  }
}

function markNames(params: Json): string[] {
  if (typeof params !== 'object' || params === null || !('marks' in params) || !Array.isArray(params.marks))
    return [];
  return params.marks.flatMap((mark: Json) =>
    typeof mark === 'object' && mark !== null && 'name' in mark && typeof mark.name === 'string'
      ? [mark.name]
      : [],
  );
}
