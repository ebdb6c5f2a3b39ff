import { controlProbeId } from '../src/core/control-probe.ts';
import { readLogFile } from '../src/cli/run-folder.ts';
import type { Sample } from '../src/core/sample.ts';

/** A sample's times and outcome. Offsets in ms on the run clock. */
export type LoggedSample = Pick<
  Sample,
  'probe' | 'slot' | 'dueMs' | 'sendMs' | 'finishMs' | 'stallMs' | 'status' | 'cause'
>;

/** All samples of a log in order, without those of the control probe, and with those that the analysis does not keep. */
export function loggedSamples(path: string): readonly LoggedSample[] {
  const samples: LoggedSample[] = [];
  readLogFile(path, {
    sample: ({ probe, slot, dueMs, sendMs, finishMs, stallMs, status, cause }) => {
      if (probe === controlProbeId) return;
      samples.push({
        probe,
        slot,
        dueMs,
        sendMs,
        finishMs,
        status,
        ...(stallMs === 0 ? {} : { stallMs }),
        ...(cause === undefined ? {} : { cause }),
      });
    },
    event: () => undefined,
  });
  return samples;
}
