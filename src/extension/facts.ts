import type { AnyFaultKind } from '../core/kinds.ts';
import type { FaultFacts, Plan, PlannedExtension } from '../core/plan.ts';
import { type ProbeLane, laneOf } from '../core/probe-lane.ts';
import { faultKind } from '../faults/catalog.ts';
import type { KindsOfModule } from './kinds.ts';

/** An extension as a plan stores it: what the analysis needs to know without loading the module. */
export function plannedExtension({ module, faults, probes }: KindsOfModule): PlannedExtension {
  return {
    ...module,
    faults: Object.fromEntries(faults.map((kind) => [kind.kind, factsOf(kind)])),
    probes: Object.fromEntries(probes.map(({ kind, lane }) => [kind, { lane }])),
  };
}

/**
 * Facts about a fault kind: of a built-in kind from its code, of an extension's kind from the stored plan. Empty for a kind
 * that neither knows: then the analysis assumes nothing about it.
 */
export function faultFacts({ extensions = [] }: Pick<Plan, 'extensions'>, name: string): FaultFacts {
  const kind = faultKind(name);
  if (kind !== undefined) return factsOf(kind);
  return extensions.find(({ faults }) => Object.hasOwn(faults, name))?.faults[name] ?? {};
}

/** The thread that runs probes of a kind, also of an extension's kind. */
export function laneIn({ extensions = [] }: Pick<Plan, 'extensions'>, name: string): ProbeLane {
  const from = extensions.find(({ probes }) => Object.hasOwn(probes, name));
  return from?.probes[name]?.lane ?? laneOf(name);
}

function factsOf({ needs, healAfter, changesNetwork }: AnyFaultKind): FaultFacts {
  return {
    ...(needs === undefined ? {} : { takesPower: true }),
    ...(healAfter === 'recovery' ? { untilHealed: true } : {}),
    ...(changesNetwork === true ? { changesNetwork } : {}),
  };
}
