import { companionOf, type GateCondition, instancesOf, type ValuePart } from '../core/condition.ts';
import { limitText } from '../core/format-duration.ts';
import type { Kinds } from '../core/kinds.ts';
import type {
  Json,
  MarkSource,
  ModelUse,
  Plan,
  PlannedFault,
  PlannedProbe,
  PredictedBy,
} from '../core/plan.ts';
import { chainStart, predictionsOf } from '../model/chain.ts';
import { type Models, modelsWithin, stepsOfModel, termOf } from '../model/components.ts';
import type { CheckInput } from './check-schema.ts';
import { suggest } from './suggest.ts';
import type { NodePath } from './source.ts';
import { planPredicted, type Stage } from './stage-schema.ts';
import type { ProbeName } from '../core/ids.ts';

/** What names in a file may refer to. */
export type Known = Pick<Plan, 'hosts' | 'probes' | 'writers' | 'roles' | 'ownership' | 'models'> & {
  readonly kinds: Kinds;
};

/** Records a problem at a path in the file. */
export type Report = (path: NodePath, message: string) => void;

/** Looks up an entry by a name from a file. The name may be that of an inherited property, such as `constructor`. */
export function entryOf<T>(map: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

/** Names of the target's probes; each may have several instances. */
export function probeNames(known: Pick<Known, 'probes'>): string[] {
  return [...new Set(known.probes.map((probe) => probe.name))];
}

/** Checks a list of conditions at `path` in the file. */
export function checkConditions(
  conditions: readonly GateCondition[],
  known: Known,
  path: NodePath,
  report: Report,
): void {
  for (const [i, condition] of conditions.entries()) checkCondition(condition, known, [...path, i], report);
}

/** Checks that the names in a condition exist. */
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
  for (const [i, part] of (condition.and ?? []).entries())
    checkPart(condition, part, known, [...path, 'and', i, 'probe'], report);
  if (condition.role !== undefined && entryOf(known.roles, condition.role) === undefined) {
    const hint = suggest(condition.role, Object.keys(known.roles));
    report([...path, 'role'], `the target has no role "${condition.role}"${hint}`);
  }
  if (condition.count !== undefined && condition.count.min > hosts.length) {
    const has = `${hosts.length} instance${hosts.length === 1 ? '' : 's'}`;
    report(
      [...path, 'count'],
      `count: needs at least ${condition.count.min} instances, but probe "${condition.probe}" has ${has}`,
    );
  }
}

/** Checks that a probe under `and` has an instance for each host of the condition. */
function checkPart(
  condition: GateCondition,
  part: ValuePart,
  known: Known,
  at: NodePath,
  report: Report,
): void {
  const names = probeNames(known);
  if (!names.includes(part.probe)) {
    report(at, `the target has no probe "${part.probe}"${suggest(part.probe, names)}`);
    return;
  }
  for (const instance of instancesOf(condition, known.probes)) {
    if (companionOf(instance, part, known.probes) !== undefined) continue;
    report(
      at,
      instance.host === undefined
        ? `and: probe "${condition.probe}" belongs to no host, and probe "${part.probe}" has one instance per host; give both the same \`on\``
        : `and: probe "${part.probe}" has no instance on "${instance.host}", but probe "${condition.probe}" has one; add "${instance.host}" to the \`on\` of "${part.probe}" in the target`,
    );
  }
}

/** Checks a chain of stages at `path` in the file. */
export function checkStages(stages: readonly Stage[], known: Known, path: NodePath, report: Report): void {
  for (const [i, { until, predicted }] of stages.entries()) {
    if (predicted !== undefined) {
      const earlier = stages.slice(0, i).map(({ name }) => name);
      checkPredicted(planPredicted(predicted), earlier, known, [...path, i, 'predicted'], report);
    }
    if (until === 'recovered') continue;
    const at = [...path, i, 'until'];
    if ('condition' in until) checkCondition(until.condition, known, [...at, 'condition'], report);
    else checkMark(until, known, at, report);
  }
}

/** Checks that a probe exists and has the mark. */
function checkMark(
  { probe, mark }: { probe: ProbeName; mark: string },
  known: Known,
  at: NodePath,
  report: Report,
): void {
  const marks = marksOf(probe, known);
  if (marks === undefined) {
    report([...at, 'probe'], `the target has no probe "${probe}"${suggest(probe, probeNames(known))}`);
  } else if (!marks.includes(mark)) {
    report([...at, 'mark'], `probe "${probe}" has no mark "${mark}"${suggest(mark, marks)}`);
  }
}

/** Checks that a model exists and supports the given steps. Returns true if both hold. */
export function checkModelUse(
  { model: name, steps }: ModelUse,
  models: Models,
  at: NodePath,
  report: Report,
): boolean {
  const model = entryOf(models, name);
  if (model === undefined) {
    report([...at, 'model'], `the target has no model "${name}"${suggest(name, Object.keys(models))}`);
    return false;
  }
  const known = stepsOfModel(model);
  const stray = steps?.find((step) => !known.includes(step));
  if (known.length === 0 && steps !== undefined) {
    report([...at, 'steps'], `model "${name}" is of kind ${model.kind}, which has no steps`);
  } else if (known.length > 0 && steps === undefined) {
    report(at, `model "${name}" needs \`steps\`; choose from ${known.join(', ')}`);
  } else if (stray !== undefined) {
    report([...at, 'steps'], `model "${name}" has no step "${stray}"${suggest(stray, known)}`);
  } else return true;
  return false;
}

/** Checks predictions: the model, its steps with the present settings, and `from`. `earlier`: names of the stages before. */
export function checkPredicted(
  predicted: PredictedBy,
  earlier: readonly string[],
  known: Known,
  path: NodePath,
  report: Report,
): void {
  for (const [i, prediction] of predictionsOf(predicted).entries()) {
    const at = Array.isArray(predicted) ? [...path, i] : path;
    const { from } = prediction;
    if (checkModelUse(prediction, known.models, at, report)) {
      const answer = termOf(known.models, prediction, undefined);
      if ('why' in answer) report([...at, 'steps'], `model "${prediction.model}": ${answer.why}`);
    }
    const moments = [chainStart, ...earlier];
    if (from !== undefined && !moments.includes(from)) {
      report([...at, 'from'], `from: there is no earlier stage "${from}"${suggest(from, moments)}`);
    }
  }
}

/** Checks that the models of a scenario's own stages have a priority for a host that its first fault may hit. */
export function checkPredictedHosts(
  stages: readonly Stage[],
  fault: PlannedFault | undefined,
  known: Known,
  path: NodePath,
  report: Report,
): void {
  const hosts = fault === undefined ? [] : hostsOf(fault, known);
  if (hosts.length === 0) return;
  for (const [i, { predicted }] of stages.entries()) {
    for (const use of predictionsOf(predicted === undefined ? undefined : planPredicted(predicted))) {
      const strangers = modelsWithin(known.models, use).some(
        (model) =>
          model.kind === 'keepalived' && hosts.every((host) => entryOf(model.priorities, host) === undefined),
      );
      if (!strangers) continue;
      report(
        [...path, i, 'predicted'],
        `model "${use.model}" has no priority for ${hosts.map((host) => `"${host}"`).join(', ')}, which the first fault may hit; add it to \`priorities\` in the target`,
      );
    }
  }
}

/** Hosts that a fault may hit. Empty for `on: { fault: ID }`. */
function hostsOf({ on }: PlannedFault, known: Known): string[] {
  if ('host' in on) return [on.host];
  const role = 'role' in on ? known.roles[on.role] : undefined;
  return known.probes.flatMap(({ name, host }) => (name === role?.probe && host !== undefined ? [host] : []));
}

/** Checks the names in the checks of a scenario, and their limits. */
export function checkChecks(checks: readonly CheckInput[], known: Known, report: Report): void {
  const roles = Object.keys(known.roles);
  const instances = known.probes.map((probe) => probe.id);
  const writers = known.writers.map((writer) => writer.id);
  for (const [i, check] of checks.entries()) {
    const path = ['checks', i];
    if ('role' in check && !roles.includes(check.role)) {
      report([...path, 'role'], `the target has no role "${check.role}"${suggest(check.role, roles)}`);
    }
    if ('condition' in check) checkCondition(check.condition, known, [...path, 'condition'], report);
    if (check.kind === 'delivered') {
      checkMarks(check.changes, known, [...path, 'changes'], report);
      checkMarks(check.deliveries, known, [...path, 'deliveries'], report);
    }
    switch (check.kind) {
      case 'rpo':
      case 'stale-reads':
      case 'write-outage':
      case 'read-outage':
      case 'rows':
        checkLimits(check, path, report);
        if (!writers.includes(check.of))
          report([...path, 'of'], `the target has no writer "${check.of}"${suggest(check.of, writers)}`);
        break;
      case 'happens':
        checkOrder(check, path, report);
        break;
      case 'ownership':
        checkLimits(check, path, report);
        checkSides(check, known, path, report);
        break;
      case 'downtime':
        checkLimits(check, path, report);
        if (check.probe !== undefined && !instances.includes(check.probe)) {
          const hint = suggest(check.probe, instances);
          report([...path, 'probe'], `the target has no probe instance "${check.probe}"${hint}`);
        }
        checkShowsOutage(
          known.probes.find(({ id }) => id === check.probe),
          known,
          [...path, 'probe'],
          report,
        );
        break;
      default:
    }
  }
}

/** Checks that a probe that measures an outage does not keep its session: a session may survive an outage for clients. */
function checkShowsOutage(
  probe: PlannedProbe | undefined,
  { kinds }: Pick<Known, 'kinds'>,
  path: NodePath,
  report: Report,
): void {
  if (probe === undefined || keptBy(probe, kinds) !== 'state') return;
  report(
    path,
    `probe "${probe.id}" keeps its sessions (\`connection: kept\`), which may survive while new clients are refused; use a probe with \`connection: new\``,
  );
}

/** Checks that the recovery probe opens a connection for each sample, unless the scenario sets `keptConnection`. */
export function checkRecoveryProbe(
  probe: PlannedProbe | undefined,
  keptConnection: true | undefined,
  { kinds }: Pick<Known, 'kinds'>,
  report: Report,
): void {
  if (probe === undefined) return;
  checkShowsOutage(probe, { kinds }, ['recovery', 'probe'], report);
  const kept = keptBy(probe, kinds);
  if (kept === 'client' && keptConnection === undefined)
    report(
      ['recovery', 'probe'],
      `probe "${probe.id}" keeps its connection, which may work while new clients are refused; use a probe that opens a connection for each sample, or set \`keptConnection: true\` to measure clients that keep their connection`,
    );
  if (kept === undefined && keptConnection === true)
    report(
      ['recovery', 'keptConnection'],
      `keptConnection: probe "${probe.id}" opens a connection for each sample; remove this field`,
    );
}

function keptBy({ kind, params }: PlannedProbe, kinds: Kinds): 'client' | 'state' | undefined {
  return kinds.probe(kind)?.keepsSession?.(params);
}

/** The limits of a check. */
interface Limited {
  readonly kind: string;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** Checks that there is a limit, and that `min` is not above `max`. */
function checkLimits(check: Limited, path: NodePath, report: Report): void {
  checkOrder(check, path, report);
  if (check.min === undefined && check.max === undefined)
    report(path, `${check.kind}: needs \`min\` or \`max\``);
}

function checkOrder({ kind, min, max }: Limited, path: NodePath, report: Report): void {
  if (min === undefined || max === undefined || min <= max) return;
  report([...path, 'min'], `min: must not be above max (${kind === 'rows' ? max : limitText(max)})`);
}

/** Checks the thing and the sides of an `ownership` check. */
function checkSides(
  check: Extract<CheckInput, { kind: 'ownership' }>,
  known: Known,
  path: NodePath,
  report: Report,
): void {
  const { of, side, state, differsFrom } = check;
  if ((state === undefined) === (differsFrom === undefined))
    report(path, 'ownership: needs exactly one of `state` and `differsFrom`');
  const sides = entryOf(known.ownership, of);
  if (sides === undefined) {
    report(
      [...path, 'of'],
      `the target has no ownership "${of}"${suggest(of, Object.keys(known.ownership))}`,
    );
    return;
  }
  for (const [field, name] of [
    ['side', side],
    ['differsFrom', differsFrom],
  ] as const) {
    if (name !== undefined && entryOf(sides, name) === undefined)
      report([...path, field], `"${of}" has no side "${name}"${suggest(name, Object.keys(sides))}`);
  }
  if (differsFrom === side)
    report([...path, 'differsFrom'], 'differsFrom: must name another side than `side`');
}

/** Checks that a probe exists and has all of the marks. */
function checkMarks({ probe, marks }: MarkSource, known: Known, path: NodePath, report: Report): void {
  const given = marksOf(probe, known);
  if (given === undefined) {
    report([...path, 'probe'], `the target has no probe "${probe}"${suggest(probe, probeNames(known))}`);
    return;
  }
  for (const [i, mark] of marks.entries()) {
    if (!given.includes(mark))
      report([...path, 'marks', i], `probe "${probe}" has no mark "${mark}"${suggest(mark, given)}`);
  }
}

/** Names of a probe's marks, from its kind and from its parameters. undefined: there is no such probe. */
function marksOf(name: string, known: Known): string[] | undefined {
  const probe = known.probes.find((candidate) => candidate.name === name);
  return probe === undefined
    ? undefined
    : [...(known.kinds.probe(probe.kind)?.marks ?? []), ...namedMarks(probe)];
}

function namedMarks({ params }: PlannedProbe): string[] {
  if (typeof params !== 'object' || params === null || !('marks' in params) || !Array.isArray(params.marks))
    return [];
  return params.marks.flatMap((mark: Json) =>
    typeof mark === 'object' && mark !== null && 'name' in mark && typeof mark.name === 'string'
      ? [mark.name]
      : [],
  );
}
