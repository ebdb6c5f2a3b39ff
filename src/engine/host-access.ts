import type { CloudServer } from '../core/cloud.ts';
import { DrillError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { HostName } from '../core/ids.ts';
import type { PlannedHost } from '../core/plan.ts';

/** Creates access to a host: its transport, and its cloud's control plane if the target names one. */
export interface HostAccess {
  readonly createHost: (host: PlannedHost) => Host;
  readonly createServer: (host: PlannedHost) => CloudServer | undefined;
}

/** The plan's host with that name. */
export function plannedHost(planned: readonly PlannedHost[], name: HostName): PlannedHost {
  const host = planned.find((candidate) => candidate.name === name);
  if (host === undefined) throw new DrillError('harness', `the plan has no host ${name}`);
  return host;
}

/** Memoizes `create` by host name: it runs once per host, at the first use. */
export function memoizeByHost<T>(
  planned: readonly PlannedHost[],
  create: (host: PlannedHost) => T,
): (name: HostName) => T {
  const made = new Map<HostName, { readonly it: T }>();
  return (name) => {
    const known = made.get(name) ?? { it: create(plannedHost(planned, name)) };
    made.set(name, known);
    return known.it;
  };
}
