import { printable } from '../core/printable.ts';
import { countOf } from './kept-samples.ts';
import type { RunLog } from './read-log.ts';

/** Longest part of an error that a note quotes. */
const mostChars = 160;

/**
 * Probes whose samples failed because the name of their target could not be resolved, a sentence each. Such a failure is an
 * outage to a client that asks by name, and says nothing of the service behind it. Probes of kind `dns` ask for just that.
 */
export function nameTrouble(log: RunLog): readonly string[] {
  return [...log.series.values()].flatMap(({ probe, samples, lastError }) => {
    if (probe.kind === 'dns') return [];
    const unresolved = samples.filter((s) => s.status === 'fail' && s.cause === 'dns');
    if (unresolved.length === 0) return [];
    const last = samples.findLast((s) => s.status !== 'ok');
    const error =
      last?.cause === 'dns' && lastError !== undefined
        ? ` (last error: ${printable(lastError, mostChars)})`
        : '';
    return [
      `${probe.id} could not resolve the name of its target in ${countOf(unresolved)} of ${countOf(samples)} samples${error}: this is a DNS failure and says nothing about the service; to leave DNS out, give the probe an IP address`,
    ];
  });
}
