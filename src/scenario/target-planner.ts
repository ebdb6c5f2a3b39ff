import { formatMs } from '../core/duration.ts';
import { fillPlaceholders, mapStrings } from '../core/placeholders.ts';
import type { Plan, PlannedHost, PlannedProbe, Transport } from '../core/plan.ts';
import { probeKind } from '../probes/catalog.ts';
import { defaults } from './defaults.ts';
import { parseWith, suggest } from './problems.ts';
import { checkModels, planModel } from './model-schema.ts';
import { checkOwnership } from './ownership-schema.ts';
import { checkCondition, checkConditions, checkStages } from './references.ts';
import { InvalidInput, type Problem, type Source } from './source.ts';
import { planStage } from './stage-schema.ts';
import { targetSchema, type Target } from './target-schema.ts';

/** A file that was read and parsed, and the SHA-256 of its bytes. */
export interface Input {
  readonly source: Source;
  readonly sha256: string;
}

/** A target file; `resolveFile` turns a file named in it (relative to it) into the path that will be opened. */
export interface TargetInput extends Input {
  readonly resolveFile: (path: string) => string;
}

/** What watching a target needs: hosts, probes and its name. */
export type WatchPlan = Pick<Plan, 'target' | 'hosts' | 'probes' | 'roles' | 'ownership'>;

/** All that a target says of a plan. */
export type TargetPlan = WatchPlan & Pick<Plan, 'models' | 'steady' | 'stages' | 'returnStages'>;

/**
 * Makes the part of a plan that the target gives.
 * @throws InvalidInput for references that lead nowhere
 */
export function planTarget(target: TargetInput): TargetPlan {
  const parsed = parseWith(target.source, targetSchema);
  const problems: Problem[] = [];
  const report = (path: readonly (string | number)[], message: string): void => {
    problems.push(target.source.at(path, message));
  };
  const hosts = Object.entries(parsed.hosts).map(([name, host]) => planHost(name, host, target.resolveFile));
  const probes = parsed.probes.flatMap((probe, i) =>
    planProbe(probe, hosts, target.resolveFile, (field, message) => report(['probes', i, field], message)),
  );
  const seen = new Set<string>();
  for (const [i, probe] of parsed.probes.entries()) {
    if (seen.has(probe.id)) report(['probes', i, 'id'], `probe id "${probe.id}" is used twice`);
    seen.add(probe.id);
  }
  const models = Object.fromEntries(
    Object.entries(parsed.models).map(([name, model]) => [name, planModel(model)]),
  );
  const known = { hosts, probes, roles: parsed.roles, ownership: parsed.ownership, models };
  for (const [role, condition] of Object.entries(parsed.roles)) {
    checkCondition(condition, known, ['roles', role], report);
    if (!probes.some((probe) => probe.name === condition.probe && probe.host !== undefined)) {
      report(
        ['roles', role],
        `role "${role}" needs a probe with \`on:\`, so that its value belongs to a host`,
      );
    }
  }
  checkOwnership(parsed.ownership, known, report);
  checkModels(parsed.models, Object.keys(parsed.hosts), report);
  checkConditions(parsed.steady.require, known, ['steady', 'require'], report);
  checkStages(parsed.stages, known, ['stages'], report);
  checkStages(parsed.returnStages, known, ['returnStages'], report);
  if (problems.length > 0) throw new InvalidInput(target.source.path, problems);
  return {
    ...known,
    target: {
      name: parsed.name,
      environment: parsed.environment,
      path: target.source.path,
      sha256: target.sha256,
    },
    steady: {
      require: parsed.steady.require,
      forMs: parsed.steady.for ?? defaults.steadyForMs,
      withinMs: parsed.steady.within ?? defaults.steadyWithinMs,
    },
    stages: parsed.stages.map(planStage),
    returnStages: parsed.returnStages.map(planStage),
  };
}

function planHost(
  name: string,
  host: Target['hosts'][string],
  resolveFile: (path: string) => string,
): PlannedHost {
  const { address, server } = host;
  return {
    name,
    ...(address === undefined ? {} : { address }),
    transport: planTransport(host),
    ...(server === undefined
      ? {}
      : {
          server: {
            cloud: server.cloud,
            ...(server.cloudsFile === undefined ? {} : { cloudsFile: resolveFile(server.cloudsFile) }),
            id: server.id,
          },
        }),
  };
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
  const { id, kind, on, from, interval, timeout, burst, ...params } = probe;
  const common = {
    name: id,
    ...(from === undefined ? {} : { from }),
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
  const hostNamed = (name: string, field: string): PlannedHost | undefined => {
    const host = hosts.find((candidate) => candidate.name === name);
    const names = hosts.map((candidate) => candidate.name);
    if (host === undefined) problem(field, `no host "${name}"${suggest(name, names)}`);
    return host;
  };
  if (from !== undefined && hostNamed(from, 'from') !== undefined && probeKind(kind)?.lane === 'network') {
    problem('from', `from: a probe of kind "${kind}" runs no commands; it looks from where firedrill runs`);
  }
  const resolveText = (text: string, key: string): string => (fileKeys.has(key) ? resolveFile(text) : text);
  if (on === undefined) {
    if (probeKind(kind)?.needsHost === true && from === undefined)
      problem('kind', `a probe of kind "${kind}" needs \`on:\`: the host where it runs`);
    return [{ ...common, id, params: mapStrings(params, resolveText) }];
  }
  return (Array.isArray(on) ? on : [on]).flatMap((name) => {
    const host = hostNamed(name, 'on');
    if (host === undefined) return [];
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
