import type { Plan } from '../core/plan.ts';

/**
 * Applies the jitter of faults. The same seed, round, scenario, and fault give the same moment on every machine. A plan
 * without a jitter is returned unchanged.
 */
export function drawJitter(plan: Plan, seed: number, round: number): Plan {
  if (!plan.faults.some((fault) => fault.jitterMs !== undefined)) return plan;
  const faults = plan.faults.map((fault) => {
    if (fault.jitterMs === undefined) return fault;
    const part = fraction(`${seed}/${round}/${plan.scenario.name}/${fault.id}`);
    return { ...fault, atMs: Math.round(fault.atMs + part * fault.jitterMs) };
  });
  return { ...plan, draw: { seed, round }, faults };
}

/** Hashes a text to a number in [0, 1): FNV-1a with the finalizer of MurmurHash3, so that similar texts differ widely. */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
