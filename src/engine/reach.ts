import type { CloudServer } from '../core/cloud.ts';
import { DrillError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { PlannedHost } from '../core/plan.ts';

/** Makes what reaches a host: its transport, and its cloud's control plane where the target names one. */
export interface Reach {
  readonly createHost: (host: PlannedHost) => Host;
  readonly createServer: (host: PlannedHost) => CloudServer | undefined;
}

/** A host of the plan by its name. */
export function plannedHost(planned: readonly PlannedHost[], name: string): PlannedHost {
  const host = planned.find((candidate) => candidate.name === name);
  if (host === undefined) throw new DrillError('harness', `the plan has no host ${name}`);
  return host;
}

/** What belongs to a host, by the host's name: each made once, when it is first wanted. */
export function madeOnce<T>(
  planned: readonly PlannedHost[],
  create: (host: PlannedHost) => T,
): (name: string) => T {
  const made = new Map<string, { readonly it: T }>();
  return (name) => {
    const known = made.get(name) ?? { it: create(plannedHost(planned, name)) };
    made.set(name, known);
    return known.it;
  };
}
