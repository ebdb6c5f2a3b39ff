import { messageText } from '../core/message-text.ts';
import { countOf } from './kept-samples.ts';
import type { RunLog } from './run-log.ts';

/** Longest part of an error that a note quotes, in characters. */
const mostChars = 160;

/**
 * A note for each probe whose samples failed because the target's name was not resolved. Clients that use the name have an
 * outage then, but the failure does not show the state of the service. Probes of kind `dns` test just that and get no note.
 */
export function nameTrouble(log: RunLog): readonly string[] {
  return [...log.series.values()].flatMap(({ probe, samples, lastError }) => {
    if (probe.kind === 'dns') return [];
    const unresolved = samples.filter((s) => s.status === 'fail' && s.cause === 'dns');
    if (unresolved.length === 0) return [];
    const last = samples.findLast((s) => s.status !== 'ok');
    const error =
      last?.cause === 'dns' && lastError !== undefined
        ? ` (last error: ${messageText(lastError, mostChars)})`
        : '';
    return [
      `${probe.id} could not resolve the name of its target in ${countOf(unresolved)} of ${countOf(samples)} samples${error}: this is a DNS failure, and the state of the service is unknown; to leave DNS out, give the probe an IP address`,
    ];
  });
}
