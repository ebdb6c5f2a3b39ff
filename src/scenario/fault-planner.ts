import { limitWords } from '../core/format-duration.ts';
import { addressNames, mapStrings } from '../core/placeholders.ts';
import type { Plan, PlannedFault, PlannedHost } from '../core/plan.ts';
import { faultKind } from '../faults/catalog.ts';
import { suggest } from './suggest.ts';
import type { Known, Report } from './references.ts';
import type { Scenario } from './scenario-schema.ts';
import type { NodePath, Source } from './source.ts';
import { textsIn } from './variables.ts';

/** All that a scenario does to hosts. */
type Steps = Pick<Plan, 'prepare' | 'faults' | 'repair'>;

/** Ids of steps that have none in the file: this, and their number. */
const idPrefixes = { prepare: 'prepare', faults: 'fault', repair: 'repair' } as const;
const sections = ['prepare', 'faults', 'repair'] as const;

/** What steps may speak of. */
export interface StepContext extends Known {
  /** The longest period of the models that predict the recovery; undefined where none has one. */
  readonly slowestPeriodMs: number | undefined;
}

/** Plans all that a scenario does to hosts. Moments with a jitter are not drawn yet. */
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
      'jitter: no model that predicts the recovery has a period; give `predicted` to a stage, or a duration here',
    );
  }
  if (forMs === 0) report([...path, 'for'], 'for: must be more than 0');
  // A repair is not undone by anybody.
  const isUndone = section !== 'repair' && isUndoneByHost(kind, params);
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

/** The hosts that `on` may come out as: for a role, all on which its probe looks. */
function candidates(on: PlannedFault['on'], known: Known): PlannedHost[] {
  if ('host' in on) return known.hosts.filter((host) => host.name === on.host);
  // Checked with the fault itself, whose host it is.
  if ('fault' in on) return [];
  const condition = known.roles[on.role];
  if (condition === undefined) return [];
  const names = known.probes
    .filter((probe) => probe.name === condition.probe)
    .flatMap((probe) => probe.host ?? [])
    .filter((name) => condition.host === undefined || condition.host === name);
  return known.hosts.filter((host) => names.includes(host.name));
}

/** The hosts that a fault may hit. A fault on the host of another fault hits one that this other fault may hit. */
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

/** Checks that every host which a step may hit has what its kind needs. */
function checkNeeds(step: PlannedFault, known: Known, problem: (message: string) => void): void {
  const { needs, changesNetwork } = faultKind(step.kind) ?? {};
  for (const host of candidates(step.on, known)) {
    if (changesNetwork === true && host.transport.kind === 'local') {
      problem(
        `a fault of kind ${step.kind} would change the network of firedrill's own machine: host "${host.name}" has transport local`,
      );
    }
    if (needs === 'server' && host.server === undefined) {
      problem(`a fault of kind ${step.kind} needs a \`server\` for host "${host.name}" in the target`);
    }
    // The one transport that reaches a machine from beneath.
    if (needs === 'power' && host.transport.kind !== 'docker') {
      problem(`a fault of kind ${step.kind} needs transport docker for host "${host.name}" in the target`);
    }
  }
}

/** Whether a script on the host could undo what a fault with these parameters does. */
function isUndoneByHost(name: string, params: object): boolean {
  const kind = faultKind(name);
  return kind?.undo !== undefined && kind.undoes?.(mapStrings(params, (text) => text)) !== false;
}

/** Long enough for a renewal that comes late, short enough for a stack that waits for it. */
const defaultLeaseMs = 30_000;
/** A lease is renewed three times before it ends, by a command each. */
const shortestLeaseMs = 3000;

/** Checks that a lease is asked for where there is one, and can be kept up. */
function checkLease(
  leaseMs: number | undefined,
  kind: string,
  isUndone: boolean,
  problem: (message: string) => void,
): void {
  if (leaseMs === undefined) return;
  if (!isUndone) problem(`lease: what kind ${kind} does here is not undone by its host; leave it out`);
  else if (leaseMs < shortestLeaseMs) problem(`lease: must be at least ${limitWords(shortestLeaseMs)}`);
}

/** Checks that every host whose address a text may want has one. */
function checkAddresses(
  text: string,
  step: PlannedFault,
  known: Known,
  problem: (message: string) => void,
): void {
  const names = [...known.hosts.map((host) => host.name), ...Object.keys(known.roles)];
  const wanted = addressNames(text).flatMap((name) => {
    if (names.includes(name)) return candidates(placeOf(name, known), known);
    problem(`the target has no host or role "${name}"${suggest(name, names)}`);
    return [];
  });
  if (text.includes('${address}')) wanted.push(...candidates(step.on, known));
  const lacking = wanted.find((host) => host.address === undefined);
  if (lacking !== undefined) problem(`host "${lacking.name}" has no address in the target`);
}

/** A name as `on` takes it: a host where there is one, else a role. */
function placeOf(name: string, known: Pick<Known, 'hosts'>): PlannedFault['on'] {
  return known.hosts.some((host) => host.name === name) ? { host: name } : { role: name };
}

/** Checks that the fault whose host a step goes to has hit one by then. */
function checkFaultNamed(
  id: string,
  section: keyof Steps,
  faults: readonly PlannedFault[],
  problem: (message: string) => void,
): void {
  const ids = faults.map((fault) => fault.id);
  if (!ids.includes(id)) problem(`no fault has the id "${id}"${suggest(id, ids)}`);
  else if (section === 'prepare') problem(`fault "${id}" has hit no host yet when preparations are made`);
}

/** Checks that what a fault comes after is over at some time. */
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
      report(path, `fault "${before.id}" has no \`for\`, so nothing can come after it`);
    } else if (waitsForItself(fault, byId)) {
      report(path, `fault "${fault.id}" would come after itself`);
    }
  }
}

function waitsForItself(fault: PlannedFault, byId: ReadonlyMap<string, PlannedFault>): boolean {
  const seen = new Set<string>();
  let next: PlannedFault | undefined = fault;
  while (next?.after !== undefined && !seen.has(next.id)) {
    seen.add(next.id);
    if (next.after === fault.id) return true;
    next = byId.get(next.after);
  }
  return false;
}
