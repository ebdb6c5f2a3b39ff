import { DrillError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { PlannedHost } from '../core/plan.ts';

/** Hosts by name, each made once. */
export function hostsOf(
  planned: readonly PlannedHost[],
  create: (host: PlannedHost) => Host,
): (name: string) => Host {
  const made = new Map<string, Host>();
  return (name) => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const plan = planned.find((candidate) => candidate.name === name);
    if (plan === undefined) throw new DrillError('harness', `the plan has no host ${name}`);
    const host = create(plan);
    made.set(name, host);
    return host;
  };
}
