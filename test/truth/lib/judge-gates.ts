import type { KnownRun } from './known-run.ts';
import { judged, type Judged } from './judged.ts';

/** A sample is on record at most this long after its time-out, and the gate looks again within this time, ms. */
const recordedWithinMs = 300;

/**
 * Judges gates that were met: no sample of the recovery probe failed that was sent in the time for which all had to hold, whenever it
 * arrived. The last time-out before the gate is left out: its samples may be answered by later ones.
 */
export function judgeGates({ plan, sent, gates }: KnownRun): readonly Judged[] {
  const holdMs: Readonly<Record<string, number>> = {
    steady: plan.steady.forMs,
    // A recovery that has to last until redundancy is known to have done so when redundancy's own gate is met.
    recovery: plan.recovery.until === undefined ? plan.recovery.stableForMs : plan.redundancy.forMs,
    redundancy: plan.redundancy.forMs,
  };
  const probe = plan.probes.find(({ name }) => name === plan.recovery.probe);
  if (probe === undefined) return [];
  return gates.flatMap(({ gate, t, isMet }) => {
    if (!isMet) return [];
    const fromMs = t - (holdMs[gate] ?? 0);
    const toMs = t - probe.timeoutMs - recordedWithinMs;
    const failed = sent.find(
      ({ sample }) =>
        sample.probe === probe.id &&
        sample.status === 'fail' &&
        sample.sendMs >= fromMs &&
        sample.sendMs <= toMs,
    );
    const detail = failed === undefined ? `met at ${t}` : `met at ${t}, failed at ${failed.sample.sendMs}`;
    return [judged(`gate ${gate}`, failed === undefined ? 'held' : 'violated', detail)];
  });
}
