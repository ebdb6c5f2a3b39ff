import { limitText } from '../core/format-duration.ts';
import type { FaultId } from '../core/ids.ts';
import { addressNames, mapStrings } from '../core/placeholders.ts';
import type { Kinds } from '../core/kinds.ts';
import type { Plan, PlannedFault, PlannedHost } from '../core/plan.ts';
import { suggest } from './suggest.ts';
import type { Known, Report } from './references.ts';
import type { Scenario } from './scenario-schema.ts';
import type { NodePath, Source } from './source.ts';
import { textsIn } from './variables.ts';
import type { DurationMs } from '../core/time.ts';

/** All steps of a scenario. */
type Steps = Pick<Plan, 'prepare' | 'faults' | 'repair'>;

/** Prefixes of default ids: a step without an id gets this prefix and its number. */
const idPrefixes = { prepare: 'prepare', faults: 'fault', repair: 'repair' } as const;
const sections = ['prepare', 'faults', 'repair'] as const;

/** Names that steps may refer to. */
export interface StepContext extends Known {
  /** The longest period of the models that predict the recovery; undefined if none has a period. */
  readonly slowestPeriodMs: DurationMs | undefined;
}

/** Plans the steps of a scenario. Jitter is not applied yet: see `drawJitter`. */
export function planSteps(scenario: Scenario, source: Source, known: StepContext, report: Report): Steps {
  const planned = (section: keyof Steps): PlannedFault[] =>
    (scenario[section] ?? []).map((item, i) => planStep(item, [section, i], known, report));
  const steps = { prepare: planned('prepare'), faults: planned('faults'), repair: planned('repair') };
  const seen = new Set<string>();
  for (const section of sections) {
    const raw: unknown = Reflect.get(Object(source.value), section);
    for (const [i, step] of steps[section].entries()) {
      if (seen.has(step.id)) report([section, i, 'id'], `id "${step.id}" is used twice`);
      seen.add(step.id);
      if ('fault' in step.on)
        checkFaultNamed(step.on.fault, section, steps.faults, (message) =>
          report([section, i, 'on'], message),
        );
      for (const { path, text } of textsIn(Reflect.get(Object(raw), i), [section, i])) {
        checkAddresses(text, step, known, (message) => report(path, message));
      }
    }
  }
  checkOrder(steps.faults, report);
  return steps;
}

function planStep(
  item: Scenario['faults'][number],
  path: readonly [keyof Steps, number],
  known: StepContext,
  report: Report,
): PlannedFault {
  const { kind, id, on, at, after, for: forMs, jitter, lease, ...params } = item;
  const [section, i] = path;
  const jitterMs = jitter === 'slowest' ? known.slowestPeriodMs : jitter;
  if (jitter === 'slowest' && jitterMs === undefined) {
    report(
      [...path, 'jitter'],
      'jitter: `slowest` is the longest period of the models that predict the recovery, and none of them has a period; write a duration such as 10s, or add `predicted` to a stage',
    );
  }
  if (forMs === 0) report([...path, 'for'], 'for: must be more than 0');
  // Repair steps are never undone.
  const isUndone = section !== 'repair' && isUndoneByHost(known.kinds, kind, params);
  checkLease(lease, kind, isUndone, (message) => report([...path, 'lease'], message));
  const step = {
    id: id ?? `${idPrefixes[section]}-${i + 1}`,
    kind,
    on: resolveOn(on, known, (message) => report([...path, 'on'], message)),
    atMs: at ?? 0,
    ...(after === undefined ? {} : { after }),
    ...(forMs === undefined ? {} : { forMs }),
    ...(jitterMs === undefined ? {} : { jitterMs }),
    ...(isUndone ? { leaseMs: lease ?? defaultLeaseMs } : {}),
    params: mapStrings(params, (text) => text),
  };
  checkNeeds(step, known, (message) => report([...path, 'on'], message));
  return step;
}

function resolveOn(
  on: Scenario['faults'][number]['on'],
  known: Known,
  problem: (message: string) => void,
): PlannedFault['on'] {
  const hosts = known.hosts.map((host) => host.name);
  const roles = Object.keys(known.roles);
  if (typeof on === 'string') {
    if (hosts.includes(on)) return { host: on };
    if (!roles.includes(on))
      problem(`the target has no host or role "${on}"${suggest(on, [...roles, ...hosts])}`);
    return { role: on };
  }
  if ('fault' in on) return { fault: on.fault };
  if ('host' in on) {
    if (!hosts.includes(on.host)) problem(`the target has no host "${on.host}"${suggest(on.host, hosts)}`);
    return { host: on.host };
  }
  if (!roles.includes(on.role)) problem(`the target has no role "${on.role}"${suggest(on.role, roles)}`);
  return { role: on.role };
}

/** The hosts that `on` may resolve to. A role may resolve to any host that has an instance of its probe. */
function candidates(on: PlannedFault['on'], known: Known): PlannedHost[] {
  if ('host' in on) return known.hosts.filter((host) => host.name === on.host);
  // The other fault's own `on` is checked with that fault.
  if ('fault' in on) return [];
  const condition = known.roles[on.role];
  if (condition === undefined) return [];
  const names = known.probes
    .filter((probe) => probe.name === condition.probe)
    .flatMap((probe) => probe.host ?? [])
    .filter((name) => condition.host === undefined || condition.host === name);
  return known.hosts.filter((host) => names.includes(host.name));
}

/** The hosts that a fault may hit. `on: { fault: ID }` follows the chain to a fault that names a host or a role. */
export function hostsHitBy(
  fault: PlannedFault,
  faults: readonly PlannedFault[],
  known: Known,
): readonly PlannedHost[] {
  const seen = new Set<string>();
  let at: PlannedFault | undefined = fault;
  while (at !== undefined && !seen.has(at.id)) {
    const { id, on }: PlannedFault = at;
    if (!('fault' in on)) return candidates(on, known);
    seen.add(id);
    at = faults.find((other) => other.id === on.fault);
  }
  return [];
}

/** Checks that every host that a step may hit meets the requirements of its kind. */
function checkNeeds(step: PlannedFault, known: Known, problem: (message: string) => void): void {
  const { needs, changesNetwork } = known.kinds.fault(step.kind) ?? {};
  for (const host of candidates(step.on, known)) {
    if (changesNetwork === true && host.transport.kind === 'local') {
      problem(
        `a fault of kind ${step.kind} would change the network of firedrill's own machine: host "${host.name}" has transport local; name a host with transport docker or ssh`,
      );
    }
    if (needs === 'server' && host.server === undefined) {
      problem(`a fault of kind ${step.kind} needs a \`server\` for host "${host.name}" in the target`);
    }
    // Of the built-in transports, only docker can cut a machine's power.
    if (needs === 'power' && host.transport.kind !== 'docker' && host.transport.kind !== 'extension') {
      problem(`a fault of kind ${step.kind} needs transport docker for host "${host.name}" in the target`);
    }
  }
}

/** Whether a script on the host can undo a fault with these parameters. */
function isUndoneByHost(kinds: Kinds, name: string, params: object): boolean {
  const kind = kinds.fault(name);
  return kind?.undo !== undefined && kind.undoes?.(mapStrings(params, (text) => text)) !== false;
}

/** Longer than a delayed renewal, and short enough for a stack that waits for the auto-revert. */
const defaultLeaseMs = 30_000;
/** A lease is renewed three times before it ends. Each renewal is a command on the host. */
const shortestLeaseMs = 3000;

/** Checks that a step with a `lease` supports one, and that the lease is long enough to renew. */
function checkLease(
  leaseMs: DurationMs | undefined,
  kind: string,
  isUndone: boolean,
  problem: (message: string) => void,
): void {
  if (leaseMs === undefined) return;
  if (!isUndone)
    problem(
      `lease: the host cannot undo this ${kind} step by itself, so a lease has no effect; remove this field`,
    );
  else if (leaseMs < shortestLeaseMs) problem(`lease: must be at least ${limitText(shortestLeaseMs)}`);
}

/** Checks that every host whose address a text may refer to has an address. */
function checkAddresses(
  text: string,
  step: PlannedFault,
  known: Known,
  problem: (message: string) => void,
): void {
  const names = [...known.hosts.map((host) => host.name), ...Object.keys(known.roles)];
  const requested = addressNames(text).flatMap((name) => {
    if (names.includes(name)) return candidates(placeOf(name, known), known);
    problem(`the target has no host or role "${name}"${suggest(name, names)}`);
    return [];
  });
  if (text.includes('${address}')) requested.push(...candidates(step.on, known));
  const lacking = requested.find((host) => host.address === undefined);
  if (lacking !== undefined)
    problem(`host "${lacking.name}" has no address in the target; add \`address\` to the host`);
}

/** Resolves a name as `on` does: a host if one has this name, else a role. */
function placeOf(name: string, known: Pick<Known, 'hosts'>): PlannedFault['on'] {
  return known.hosts.some((host) => host.name === name) ? { host: name } : { role: name };
}

/** Checks that the fault in `on: { fault: ID }` exists and is injected before the step runs. */
function checkFaultNamed(
  id: string,
  section: keyof Steps,
  faults: readonly PlannedFault[],
  problem: (message: string) => void,
): void {
  const ids = faults.map((fault) => fault.id);
  if (!ids.includes(id)) problem(`no fault has the id "${id}"${suggest(id, ids)}`);
  else if (section === 'prepare')
    problem(
      `fault "${id}" has no host yet, because \`prepare\` runs before the faults; name a role or a host`,
    );
}

/** Checks that every `after` names a fault that ends. */
function checkOrder(faults: readonly PlannedFault[], report: Report): void {
  const byId = new Map(faults.map((fault) => [fault.id, fault]));
  for (const [i, fault] of faults.entries()) {
    if (fault.after === undefined) continue;
    const path: NodePath = ['faults', i, 'after'];
    const before = byId.get(fault.after);
    if (before === undefined) {
      const others = faults.map((other) => other.id).filter((id) => id !== fault.id);
      report(path, `no fault has the id "${fault.after}"${suggest(fault.after, others)}`);
    } else if (before.forMs === undefined) {
      report(path, `fault "${before.id}" has no \`for\`, so \`after\` would wait forever; give it a \`for\``);
    } else if (waitsForItself(fault, byId)) {
      report(path, `after: fault "${fault.id}" would wait for itself; remove an \`after\` from the cycle`);
    }
  }
}

function waitsForItself(fault: PlannedFault, byId: ReadonlyMap<FaultId, PlannedFault>): boolean {
  const seen = new Set<string>();
  let next: PlannedFault | undefined = fault;
  while (next?.after !== undefined && !seen.has(next.id)) {
    seen.add(next.id);
    if (next.after === fault.id) return true;
    next = byId.get(next.after);
  }
  return false;
}
