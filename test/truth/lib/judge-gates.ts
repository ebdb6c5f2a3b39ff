import type { KnownRun } from './known-run.ts';
import { judged, type Judged } from './judged.ts';

/** Maximum delay from a sample's timeout to its record and to the gate's next check, ms. */
const recordedWithinMs = 300;

/**
 * Judges gates that were met: no sample of the recovery probe that was sent during the hold time may fail, whenever it
 * finished. Samples sent within the last timeout before the gate are ignored, because they may finish after it.
 */
export function judgeGates({ plan, sent, gates }: KnownRun): readonly Judged[] {
  const holdMs: Readonly<Record<string, number>> = {
    steady: plan.steady.forMs,
    // A recovery that must last until redundancy is complete when the redundancy gate is met.
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
