import { describeCondition, type GateCondition } from '../core/condition.ts';
import { formatMs } from '../core/duration.ts';
import type {
  Check,
  Json,
  Plan,
  PlannedFault,
  PlannedHost,
  PlannedProbe,
  StageRule,
  Transport,
} from '../core/plan.ts';
import { fillPlaceholders, mapStrings } from '../core/placeholders.ts';
import { faultKind } from '../faults/catalog.ts';
import { probeKind } from '../probes/catalog.ts';
import { parseWith, suggest } from './problems.ts';
import { scenarioSchema, type Scenario } from './scenario-schema.ts';
import { InvalidInput, type NodePath, type Problem, type Source } from './source.ts';
import { targetSchema, type Target } from './target-schema.ts';

/** A file that was read and parsed, and the SHA-256 of its bytes. */
export interface Input {
  readonly source: Source;
  readonly sha256: string;
}

/** Defaults that a scenario or target need not spell out. */
export const defaults = {
  intervalMs: 1000,
  /** Below the one-second SYN retransmission (RFC 6298), so that a black hole is seen in its own slot. */
  timeoutMs: 900,
  steadyForMs: 5000,
  steadyWithinMs: 120_000,
  redundancyForMs: 3000,
  redundancyWithinMs: 300_000,
} as const;

/** What watching a target needs: hosts, probes and its name. */
export type WatchPlan = Pick<Plan, 'target' | 'hosts' | 'probes' | 'roles'>;

/**
 * Makes the plan of a drill. `resolveFile` turns a file named in the target
 * (relative to it) into the path that probes will open.
 * @throws InvalidInput for references that lead nowhere, in either file
 */
export function makePlan(scenario: Input, target: Input, resolveFile: (path: string) => string): Plan {
  const parsedScenario = parseWith(scenario.source, scenarioSchema);
  const parsedTarget = parseWith(target.source, targetSchema);
  const watch = planWatch(target, parsedTarget, resolveFile);
  const problems: Problem[] = [];
  const at = (path: NodePath, message: string): void => {
    problems.push(scenario.source.at(path, message));
  };
  const knownRoles = Object.keys(watch.roles);
  const knownHosts = watch.hosts.map((host) => host.name);

  const faults = parsedScenario.faults.map((fault, i): PlannedFault => {
    const { kind, on, at: atMs, ...params } = fault;
    return {
      id: `fault-${i + 1}`,
      kind,
      on: resolveOn(on, knownHosts, knownRoles, (message) => at(['faults', i, 'on'], message)),
      atMs: atMs ?? 0,
      params: mapStrings(params, (text) => text),
    };
  });

  const recoveryInstances = watch.probes.filter((probe) => probe.name === parsedScenario.recovery.probe);
  const [recoveryProbe] = recoveryInstances;
  if (recoveryProbe === undefined) {
    const hint = suggest(parsedScenario.recovery.probe, probeNames(watch));
    at(['recovery', 'probe'], `the target has no probe "${parsedScenario.recovery.probe}"${hint}`);
  } else if (recoveryInstances.length > 1) {
    at(
      ['recovery', 'probe'],
      `probe "${recoveryProbe.name}" has ${recoveryInstances.length} instances; the outage needs one`,
    );
  }

  if (parsedScenario.recovery.until !== undefined) {
    for (const fault of faults) {
      if (faultKind(fault.kind)?.healAfter !== 'recovery') continue;
      at(
        ['recovery', 'until'],
        `until: a fault of kind ${fault.kind} lasts until it is healed, which comes after the recovery`,
      );
    }
  }
  checkConditions(parsedScenario.steady?.require ?? [], watch, ['steady', 'require'], at);
  checkConditions(parsedScenario.redundancy?.require ?? [], watch, ['redundancy', 'require'], at);
  for (const [i, item] of parsedScenario.checks.entries()) {
    if ('role' in item && !knownRoles.includes(item.role)) {
      at(['checks', i, 'role'], `the target has no role "${item.role}"${suggest(item.role, knownRoles)}`);
    }
    if ('condition' in item) {
      checkCondition(item.condition, watch, (field, message) =>
        at(['checks', i, 'condition', field], message),
      );
    }
  }
  if (problems.length > 0) throw new InvalidInput(scenario.source.path, problems);

  const steady = parsedScenario.steady;
  const redundancy = parsedScenario.redundancy;
  return {
    ...watch,
    scenario: {
      name: parsedScenario.name,
      title: parsedScenario.title,
      path: scenario.source.path,
      sha256: scenario.sha256,
    },
    steady: {
      require: [...parsedTarget.steady.require, ...(steady?.require ?? [])],
      forMs: steady?.for ?? parsedTarget.steady.for ?? defaults.steadyForMs,
      withinMs: steady?.within ?? parsedTarget.steady.within ?? defaults.steadyWithinMs,
    },
    faults,
    recovery: {
      probe: parsedScenario.recovery.probe,
      withinMs: parsedScenario.recovery.within,
      ...(parsedScenario.recovery.until === undefined ? {} : { until: parsedScenario.recovery.until }),
      stableForMs:
        parsedScenario.recovery.stableFor ??
        Math.max(5 * (recoveryProbe?.intervalMs ?? defaults.intervalMs), 5000),
    },
    redundancy: {
      require: redundancy?.require ?? parsedTarget.steady.require,
      forMs: redundancy?.for ?? defaults.redundancyForMs,
      withinMs: redundancy?.within ?? defaults.redundancyWithinMs,
    },
    checks: parsedScenario.checks.map(planCheck),
    stages: parsedTarget.stages.map(planStage),
  };
}

/**
 * Makes the part of a plan that `watch` and the lab's steady-state wait need.
 * @throws InvalidInput
 */
export function makeWatchPlan(
  target: Input,
  resolveFile: (path: string) => string,
): WatchPlan & { steady: Plan['steady'] } {
  return planWatch(target, parseWith(target.source, targetSchema), resolveFile);
}

function planWatch(
  target: Input,
  parsed: Target,
  resolveFile: (path: string) => string,
): WatchPlan & { steady: Plan['steady'] } {
  const problems: Problem[] = [];
  const at = (path: NodePath, message: string): void => {
    problems.push(target.source.at(path, message));
  };
  const hosts = Object.entries(parsed.hosts).map(([name, host]): PlannedHost => ({
    name,
    ...(host.address === undefined ? {} : { address: host.address }),
    transport: planTransport(host),
  }));
  const probes = parsed.probes.flatMap((probe, i) =>
    planProbe(probe, hosts, resolveFile, (field, message) => at(['probes', i, field], message)),
  );
  const seen = new Set<string>();
  for (const [i, probe] of parsed.probes.entries()) {
    if (seen.has(probe.id)) at(['probes', i, 'id'], `probe id "${probe.id}" is used twice`);
    seen.add(probe.id);
  }
  const watch = {
    target: {
      name: parsed.name,
      environment: parsed.environment,
      path: target.source.path,
      sha256: target.sha256,
    },
    hosts,
    probes,
    roles: parsed.roles,
    steady: {
      require: parsed.steady.require,
      forMs: parsed.steady.for ?? defaults.steadyForMs,
      withinMs: parsed.steady.within ?? defaults.steadyWithinMs,
    },
  };
  for (const [role, condition] of Object.entries(parsed.roles)) {
    checkCondition(condition, watch, (field, message) => at(['roles', role, field], message));
    if (!probes.some((probe) => probe.name === condition.probe && probe.host !== undefined)) {
      at(['roles', role], `role "${role}" needs a probe with \`on:\`, so that its value belongs to a host`);
    }
  }
  checkConditions(parsed.steady.require, watch, ['steady', 'require'], at);
  for (const [i, stage] of parsed.stages.entries()) {
    const { until } = stage;
    if (until === 'recovered') continue;
    if ('condition' in until) {
      checkCondition(until.condition, watch, (field, message) =>
        at(['stages', i, 'until', 'condition', field], message),
      );
    } else if (!probeNames(watch).includes(until.probe)) {
      at(
        ['stages', i, 'until', 'probe'],
        `no probe "${until.probe}"${suggest(until.probe, probeNames(watch))}`,
      );
    } else {
      const marks = probes
        .filter((probe) => probe.name === until.probe)
        .flatMap((probe) => markNames(probe.params));
      if (!marks.includes(until.mark)) {
        at(
          ['stages', i, 'until', 'mark'],
          `probe "${until.probe}" has no mark "${until.mark}"${suggest(until.mark, marks)}`,
        );
      }
    }
  }
  if (problems.length > 0) throw new InvalidInput(target.source.path, problems);
  return watch;
}

/** The file that a scenario names as its target, if it names one. */
export function targetOf(source: Source): string | undefined {
  return parseWith(source, scenarioSchema).target;
}

function probeNames(watch: Pick<Plan, 'probes'>): string[] {
  return [...new Set(watch.probes.map((probe) => probe.name))];
}

/** Checks a gate's list of conditions, which stands at `path` in its file. */
function checkConditions(
  conditions: readonly GateCondition[],
  watch: Pick<Plan, 'probes' | 'roles'>,
  path: NodePath,
  at: (path: NodePath, message: string) => void,
): void {
  for (const [i, condition] of conditions.entries()) {
    checkCondition(condition, watch, (field, message) => at([...path, i, field], message));
  }
}

function checkCondition(
  condition: GateCondition,
  watch: Pick<Plan, 'probes' | 'roles'>,
  problem: (field: string, message: string) => void,
): void {
  const names = probeNames(watch);
  if (!names.includes(condition.probe)) {
    problem('probe', `the target has no probe "${condition.probe}"${suggest(condition.probe, names)}`);
    return;
  }
  const hosts = watch.probes
    .filter((probe) => probe.name === condition.probe)
    .map((probe) => probe.host ?? '');
  if (condition.host !== undefined && !hosts.includes(condition.host)) {
    problem(
      'host',
      `probe "${condition.probe}" has no instance on "${condition.host}"${suggest(condition.host, hosts.filter(Boolean))}`,
    );
  }
  if (condition.role !== undefined && watch.roles[condition.role] === undefined) {
    problem(
      'role',
      `the target has no role "${condition.role}"${suggest(condition.role, Object.keys(watch.roles))}`,
    );
  }
  if (condition.count !== undefined && condition.count.min > hosts.length) {
    problem('count', `probe "${condition.probe}" has only ${hosts.length} instance(s)`);
  }
}

function resolveOn(
  on: string | { role: string } | { host: string },
  hosts: readonly string[],
  roles: readonly string[],
  problem: (message: string) => void,
): PlannedFault['on'] {
  if (typeof on === 'string') {
    if (hosts.includes(on)) return { host: on };
    if (!roles.includes(on))
      problem(`the target has no host or role "${on}"${suggest(on, [...roles, ...hosts])}`);
    return { role: on };
  }
  if ('host' in on) {
    if (!hosts.includes(on.host)) problem(`the target has no host "${on.host}"${suggest(on.host, hosts)}`);
    return { host: on.host };
  }
  if (!roles.includes(on.role)) problem(`the target has no role "${on.role}"${suggest(on.role, roles)}`);
  return { role: on.role };
}

function planTransport(host: Target['hosts'][string]): Transport {
  switch (host.transport) {
    case 'local':
      return { kind: 'local' };
    case 'docker':
      return {
        kind: 'docker',
        container: host.container,
        ...(host.context === undefined ? {} : { context: host.context }),
      };
  }
}

function planProbe(
  probe: Target['probes'][number],
  hosts: readonly PlannedHost[],
  resolveFile: (path: string) => string,
  problem: (field: string, message: string) => void,
): PlannedProbe[] {
  const { id, kind, on, interval, timeout, burst, ...params } = probe;
  const common = {
    name: id,
    kind,
    intervalMs: interval ?? defaults.intervalMs,
    timeoutMs: timeout ?? Math.min(defaults.timeoutMs, interval ?? defaults.timeoutMs),
    ...(burst === undefined ? {} : { burstIntervalMs: burst }),
  };
  if (common.intervalMs <= 0) problem('interval', 'interval: must be more than 0');
  if (common.timeoutMs <= 0) problem('timeout', 'timeout: must be more than 0');
  if (burst !== undefined && (burst <= 0 || burst > common.intervalMs)) {
    problem('burst', `burst: must lie between 0 and the interval (${formatMs(common.intervalMs)})`);
  }
  const resolveText = (text: string, key: string): string => (fileKeys.has(key) ? resolveFile(text) : text);
  if (on === undefined) {
    if (probeKind(kind)?.needsHost === true)
      problem('kind', `a probe of kind "${kind}" needs \`on:\`: the host where it runs`);
    return [{ ...common, id, params: mapStrings(params, resolveText) }];
  }
  return (Array.isArray(on) ? on : [on]).flatMap((name) => {
    const host = hosts.find((candidate) => candidate.name === name);
    if (host === undefined) {
      problem(
        'on',
        `no host "${name}"${suggest(
          name,
          hosts.map((h) => h.name),
        )}`,
      );
      return [];
    }
    return [
      {
        ...common,
        id: `${id}@${name}`,
        host: name,
        params: mapStrings(params, (text, key) => resolveText(fillPlaceholders(text, host), key)),
      },
    ];
  });
}

/** Keys under which a string names a file, in every probe kind. */
const fileKeys: ReadonlySet<string> = new Set(['caFile', 'file']);

function markNames(params: Json): string[] {
  if (typeof params !== 'object' || params === null || !('marks' in params) || !Array.isArray(params.marks))
    return [];
  return params.marks.flatMap((mark: Json) =>
    typeof mark === 'object' && mark !== null && 'name' in mark && typeof mark.name === 'string'
      ? [mark.name]
      : [],
  );
}

function planCheck(item: Scenario['checks'][number]): Check {
  switch (item.kind) {
    case 'rto':
    case 'downtime':
    case 'redundancy':
      return {
        kind: item.kind,
        name: item.name ?? `${checkNames[item.kind]} at most ${formatMs(item.max)}`,
        maxMs: item.max,
      };
    case 'role-moved':
      return { kind: item.kind, name: item.name ?? `${item.role} moves to another host`, role: item.role };
    case 'role-stays':
      return { kind: item.kind, name: item.name ?? `${item.role} stays where it is`, role: item.role };
    case 'finally':
      return {
        kind: item.kind,
        name: item.name ?? `finally ${describeCondition(item.condition)}`,
        condition: item.condition,
      };
    case 'never':
      return {
        kind: item.kind,
        name: item.name ?? `never ${describeCondition(item.condition)}`,
        condition: item.condition,
        toleranceMs: item.tolerance ?? 0,
      };
  }
}

const checkNames = { rto: 'RTO', downtime: 'downtime', redundancy: 'redundancy restored in' } as const;

function planStage(stage: Target['stages'][number]): StageRule {
  const { name, until } = stage;
  if (until === 'recovered') return { name, until: { kind: 'recovered' } };
  if ('condition' in until) {
    return {
      name,
      until: { kind: 'condition', condition: until.condition, excludeFaultHost: until.excludeFaultHost },
    };
  }
  return {
    name,
    until: { kind: 'mark', probe: until.probe, mark: until.mark, excludeFaultHost: until.excludeFaultHost },
  };
}
