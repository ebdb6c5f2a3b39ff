import { fileKeys } from '../core/file-keys.ts';
import { limitText } from '../core/format-duration.ts';
import { fillPlaceholders, mapStrings } from '../core/placeholders.ts';
import type {
  Json,
  Plan,
  PlannedExtension,
  PlannedHost,
  PlannedProbe,
  PlannedWriter,
  Transport,
} from '../core/plan.ts';
import { pathFailureCauses } from '../core/sample.ts';
import type { TransportKind } from '../core/transport-kind.ts';
import type { Kinds } from '../core/kinds.ts';
import { builtInKinds } from '../extension/kinds.ts';
import { defaults } from './defaults.ts';
import { checkFilled } from './filled-params.ts';
import { parseWith, valueAt } from './problems.ts';
import { suggest } from './suggest.ts';
import { checkModels, planModel } from './model-schema.ts';
import { checkOwnership } from './ownership-schema.ts';
import { checkCondition, checkConditions, checkStages } from './references.ts';
import { InvalidInput, type Problem, type Source } from './source.ts';
import { planStage } from './stage-schema.ts';
import { targetSchemaOf, type Target } from './target-schema.ts';

/** A parsed file, and the SHA-256 of its bytes. */
export interface Input {
  readonly source: Source;
  readonly sha256: string;
}

/** A target file. `resolveFile` resolves a path in it, which is relative to the target file. */
export interface TargetInput extends Input {
  readonly resolveFile: (path: string) => string;
  /** The kinds that the file may use, and its extensions as the plan stores them; default: no extensions. */
  readonly extended?: { readonly kinds: Kinds; readonly extensions: readonly PlannedExtension[] };
}

/** The kinds that a target file may use. */
export function kindsOf({ extended }: Pick<TargetInput, 'extended'>): Kinds {
  return extended?.kinds ?? builtInKinds;
}

/** The part of a plan that `firedrill watch` needs. */
export type WatchPlan = Pick<Plan, 'target' | 'extensions' | 'hosts' | 'probes' | 'roles' | 'ownership'>;

/** The part of a plan that a target defines. */
export type TargetPlan = WatchPlan &
  Pick<Plan, 'writers' | 'models' | 'steady' | 'limits' | 'healthy' | 'stages' | 'returnStages'>;

/**
 * Makes the part of a plan that the target defines.
 * @throws InvalidInput for an invalid file, and for references to undefined names
 */
export function planTarget(target: TargetInput): TargetPlan {
  const kinds = kindsOf(target);
  const parsed = parseWith(target.source, targetSchemaOf(kinds));
  const problems: Problem[] = [];
  const report = (path: readonly (string | number)[], message: string): void => {
    problems.push(target.source.at(path, message));
  };
  const hosts = Object.entries(parsed.hosts).map(([name, host]) =>
    planHost(name, host, target.resolveFile, kinds),
  );
  const probes = parsed.probes.flatMap((probe, i) =>
    planProbe(probe, hosts, target.resolveFile, kinds, (field, message) =>
      report(['probes', i, field], message),
    ),
  );
  const writers = parsed.writers.map((writer, i) =>
    planWriter(writer, hosts, target.resolveFile, (field, message) => report(['writers', i, field], message)),
  );
  for (const [list, items, kindOf] of [
    ['probes', parsed.probes, kinds.probe],
    ['writers', parsed.writers, kinds.writer],
  ] as const) {
    const seen = new Set<string>();
    for (const [i, { id, kind, on = [] }] of items.entries()) {
      if (seen.has(id)) report([list, i, 'id'], `${list.slice(0, -1)} id "${id}" is used twice`);
      seen.add(id);
      const params = kindOf(kind)?.params;
      for (const host of hosts.filter(({ name }) => [on].flat().includes(name))) {
        if (params !== undefined)
          checkFilled(params, valueAt(target.source.value, [list, i]), host, (path, message) =>
            report([list, i, ...path], message),
          );
      }
    }
  }
  const models = Object.fromEntries(
    Object.entries(parsed.models).map(([name, model]) => [name, planModel(model)]),
  );
  const names = { hosts, probes, writers, roles: parsed.roles, ownership: parsed.ownership, models };
  const known = { ...names, kinds };
  for (const [role, condition] of Object.entries(parsed.roles)) {
    checkCondition(condition, known, ['roles', role], report);
    if (!probes.some((probe) => probe.name === condition.probe && probe.host !== undefined)) {
      report(
        ['roles', role],
        `role "${role}" needs a probe with \`on:\`, so that its value belongs to a host`,
      );
    }
  }
  if (parsed.healthy !== undefined) {
    checkCondition(parsed.healthy, known, ['healthy'], report);
    if (!probes.some((probe) => probe.name === parsed.healthy?.probe && probe.host !== undefined))
      report(['healthy'], 'healthy: needs a probe with `on:`, so that its value belongs to a host');
  }
  checkOwnership(parsed.ownership, known, report);
  checkModels(parsed.models, Object.keys(parsed.hosts), report);
  checkConditions(parsed.steady.require, known, ['steady', 'require'], report);
  checkStages(parsed.stages, known, ['stages'], report);
  checkStages(parsed.returnStages, known, ['returnStages'], report);
  if (problems.length > 0) throw new InvalidInput(target.source.path, problems);
  const extensions = target.extended?.extensions ?? [];
  return {
    ...names,
    ...(extensions.length === 0 ? {} : { extensions }),
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
    limits: {
      faultMs: parsed.limits?.fault ?? defaults.faultLimitMs,
      ...(parsed.limits?.outage === undefined ? {} : { outageMs: parsed.limits.outage }),
    },
    ...(parsed.healthy === undefined ? {} : { healthy: parsed.healthy }),
    stages: parsed.stages.map(planStage),
    returnStages: parsed.returnStages.map(planStage),
  };
}

function planHost(
  name: string,
  host: Target['hosts'][string],
  resolveFile: (path: string) => string,
  kinds: Kinds,
): PlannedHost {
  const { address, server } = host;
  return {
    name,
    ...(address === undefined ? {} : { address }),
    transport: planTransport(host, resolveFile, kinds),
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

function planTransport(
  host: Target['hosts'][string],
  resolveFile: (path: string) => string,
  kinds: Kinds,
): Transport {
  const own = kinds.transport(host.transport);
  if (own !== undefined) return planOwnTransport(host, own, kinds, resolveFile);
  switch (host.transport) {
    case 'local':
      return { kind: 'local' };
    case 'docker':
      return {
        kind: 'docker',
        container: host.container,
        ...(host.context === undefined ? {} : { context: host.context }),
      };
    case 'ssh': {
      const { user, port, identityFile, knownHosts, config, jump, sudo } = host;
      return {
        kind: 'ssh',
        host: host.host,
        ...(user === undefined ? {} : { user }),
        ...(port === undefined ? {} : { port }),
        ...(identityFile === undefined ? {} : { identityFile: resolveFile(identityFile) }),
        ...(knownHosts === undefined ? {} : { knownHosts: resolveFile(knownHosts) }),
        ...(config === undefined ? {} : { config: config === 'none' ? config : resolveFile(config) }),
        ...(jump === undefined ? {} : { jump }),
        ...(sudo === undefined ? {} : { sudo }),
      };
    }
  }
}

/** The transport of an extension. */
function planOwnTransport(
  host: Target['hosts'][string],
  kind: TransportKind<unknown>,
  kinds: Kinds,
  resolveFile: (path: string) => string,
): Transport {
  const { transport: name, address: _address, server: _server, ...params } = host;
  const module = kinds.moduleOf(kind);
  if (module === undefined) throw new Error(`transport ${name}: no module`);
  return {
    kind: 'extension',
    name,
    params: planParams(params, resolveFile),
    text: kind.describe(params),
    module,
  };
}

function planProbe(
  probe: Target['probes'][number],
  hosts: readonly PlannedHost[],
  resolveFile: (path: string) => string,
  kinds: Kinds,
  problem: (field: string, message: string) => void,
): PlannedProbe[] {
  const { id, kind, on, from, interval, timeout, burst, onFailure, always, ...params } = probe;
  const common = {
    name: id,
    ...(from === undefined ? {} : { from }),
    kind,
    intervalMs: interval ?? defaults.intervalMs,
    timeoutMs: timeout ?? Math.min(defaults.timeoutMs, interval ?? defaults.timeoutMs),
    ...(burst === undefined ? {} : { burstIntervalMs: burst }),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...(always === true ? { always } : {}),
  };
  const conflict = kinds.probe(kind)?.conflict?.(params);
  if (conflict !== undefined) problem(conflict.field, conflict.message);
  if (common.intervalMs < 1) problem('interval', 'interval: must be at least 1ms');
  for (const cause of Object.keys(onFailure ?? {}).filter((name) => pathFailureCauses.has(name))) {
    problem(
      'onFailure',
      `onFailure: "${cause}" cannot have a value, because without an answer the state is unknown; remove it`,
    );
  }
  if (common.timeoutMs < 1) problem('timeout', 'timeout: must be at least 1ms');
  if (burst !== undefined && (burst < 1 || burst > common.intervalMs)) {
    problem('burst', `burst: must be between 1ms and the interval (${limitText(common.intervalMs)})`);
  }
  const hostNamed = (name: string, field: string): PlannedHost | undefined =>
    findHost(hosts, name, (message) => problem(field, message));
  if (from !== undefined && hostNamed(from, 'from') !== undefined && kinds.probe(kind)?.lane === 'network') {
    problem(
      'from',
      `from: a probe of kind "${kind}" runs on firedrill's machine and needs no host for commands; remove this field`,
    );
  }
  if (on === undefined) {
    if (kinds.probe(kind)?.needsHost === true && from === undefined)
      problem('kind', `a probe of kind "${kind}" needs \`on:\`, the host on which it runs`);
    return [{ ...common, id, params: planParams(params, resolveFile) }];
  }
  return hostsIn(on, problem).flatMap((name) => {
    const host = hostNamed(name, 'on');
    if (host === undefined) return [];
    return [{ ...common, id: `${id}@${name}`, host: name, params: planParams(params, resolveFile, host) }];
  });
}

function planWriter(
  writer: Target['writers'][number],
  hosts: readonly PlannedHost[],
  resolveFile: (path: string) => string,
  problem: (field: string, message: string) => void,
): PlannedWriter {
  const { id, kind, on, clients, interval, timeout, reads, keep, ...params } = writer;
  const times = {
    intervalMs: interval ?? defaults.writer.intervalMs,
    timeoutMs: timeout ?? defaults.writer.timeoutMs,
    readIntervalMs: reads ?? defaults.writer.readIntervalMs,
  };
  for (const [field, ms] of Object.entries({ interval, timeout, reads })) {
    if (ms !== undefined && ms < 1) problem(field, `${field}: must be at least 1ms`);
  }
  const paths =
    on === undefined
      ? [{ id, params: planParams(params, resolveFile) }]
      : hostsIn(on, problem).flatMap((name) => {
          const host = findHost(hosts, name, (message) => problem('on', message));
          if (host === undefined) return [];
          return [{ id: `${id}@${name}`, host: name, params: planParams(params, resolveFile, host) }];
        });
  return {
    id,
    kind,
    paths,
    clients: clients ?? defaults.writer.clients,
    ...times,
    ...(keep === undefined ? {} : { keep }),
  };
}

/** The hosts of `on`, without duplicates. */
function hostsIn(
  on: string | readonly string[],
  problem: (field: string, message: string) => void,
): readonly string[] {
  const names = typeof on === 'string' ? [on] : on;
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) problem('on', `on: names "${twice}" twice`);
  return [...new Set(names)];
}

function findHost(
  hosts: readonly PlannedHost[],
  name: string,
  problem: (message: string) => void,
): PlannedHost | undefined {
  const host = hosts.find((candidate) => candidate.name === name);
  const names = hosts.map((candidate) => candidate.name);
  if (host === undefined) problem(`no host "${name}"${suggest(name, names)}`);
  return host;
}

/** Parameters in the form of the plan: paths resolved, and the host's name and address filled in. */
function planParams(params: unknown, resolveFile: (path: string) => string, host?: PlannedHost): Json {
  return mapStrings(params, (text, key) => {
    const filled = host === undefined ? text : fillPlaceholders(text, host);
    return fileKeys.has(key) ? resolveFile(filled) : filled;
  });
}
