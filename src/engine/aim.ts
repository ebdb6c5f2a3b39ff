import { DrillError } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import type { Json, PlannedFault, PlannedHost } from '../core/plan.ts';
import { addressNames, fillAddresses, fillPlaceholders, mapStrings } from '../core/placeholders.ts';
import { faultKind, type AnyFaultKind } from '../faults/catalog.ts';
import { plannedHost } from './reach.ts';
import type { RunState } from './run-state.ts';

/** How long a role may take to fit one host: probes have just begun when preparations are made, and a heal moves roles. */
const roleWithinMs = 30_000;

/** What resolving a step needs of a run. */
export type Aiming = Pick<RunState, 'plan' | 'clock' | 'log' | 'signal' | 'world' | 'hit' | 'reach'>;

/** A fault with everything about it resolved that the plan leaves open. */
export interface Aim {
  readonly kind: AnyFaultKind;
  readonly planned: PlannedHost;
  readonly params: Json;
  readonly ctx: FaultContext;
}

/** Resolves where a step acts, and on what. @throws DrillError `role-unresolved` where no one host fits */
export async function takeAim(run: Aiming, fault: PlannedFault): Promise<Aim> {
  const kind = faultKind(fault.kind);
  if (kind === undefined) throw new DrillError('harness', `no fault kind ${fault.kind}`);
  const { hosts } = run.plan;
  const planned = plannedHost(hosts, await hostOf(run, fault.on));
  const addresses = new Map<string, string>();
  for (const name of addressNames(JSON.stringify(fault.params))) {
    if (addresses.has(name)) continue;
    const named = hosts.some((host) => host.name === name) ? name : await resolveRole(run, name);
    const { address } = plannedHost(hosts, named);
    if (address === undefined)
      throw new DrillError('invalid-input', `host ${named} has no address in the target`);
    addresses.set(name, address);
  }
  const params = mapStrings(fault.params, (text) =>
    fillAddresses(fillPlaceholders(text, planned), addresses),
  );
  const ctx = { ...run.reach(planned.name), clock: run.clock, signal: run.signal };
  return { kind, planned, params, ctx };
}

async function hostOf(run: Aiming, on: PlannedFault['on']): Promise<string> {
  if ('host' in on) return on.host;
  if ('role' in on) return resolveRole(run, on.role);
  const host = run.hit.get(on.fault);
  if (host === undefined) throw new DrillError('harness', `fault ${on.fault} has not hit any host yet`);
  return host;
}

async function resolveRole({ plan, clock, log, signal, world }: Aiming, role: string): Promise<string> {
  const condition = plan.roles[role];
  if (condition === undefined) throw new DrillError('harness', `the plan has no role ${role}`);
  const deadline = clock.nowMs() + roleWithinMs;
  for (;;) {
    try {
      const host = world.resolveRole(role, condition);
      log.append({ type: 'role.resolved', role, host });
      return host;
    } catch (error) {
      const unclear = error instanceof DrillError && error.code === 'role-unresolved';
      if (!unclear || clock.nowMs() >= deadline) throw error;
    }
    await world.nextSample(100, signal);
  }
}
