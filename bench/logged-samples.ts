import { readLogFile } from '../src/cli/run-folder.ts';
import type { Sample } from '../src/core/sample.ts';

/** A sample's times and outcome. Offsets in ms on the run clock. */
export type LoggedSample = Pick<Sample, 'probe' | 'dueMs' | 'sendMs' | 'finishMs' | 'status'>;

/** Every sample of a log, in its order, those too that the analysis does not keep. */
export function loggedSamples(path: string): readonly LoggedSample[] {
  const samples: LoggedSample[] = [];
  readLogFile(path, {
    sample: ({ probe, dueMs, sendMs, finishMs, status }) =>
      samples.push({ probe, dueMs, sendMs, finishMs, status }),
    event: () => undefined,
  });
  return samples;
}
