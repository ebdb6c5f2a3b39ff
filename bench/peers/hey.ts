import { windowsOfSamples, type Sample } from '../reported.ts';
import { startChild } from './child.ts';
import { withTotal, type Peer } from './peer.ts';

const everyMs = 1000;

/** hey, a load generator: one worker, one request a second. */
export const hey: Peer = {
  name: 'hey',
  reading:
    '`hey -c 1 -q 1 -t 1 -disable-keepalive -o csv`; failed requests are not in its output: from 1 s after the last good one to the next',
  sees: 'http',
  needs: ['hey'],
  start: async (targets, { program, env }, { forMs }) => {
    const forText = `${Math.ceil(forMs / 1000)}s`;
    const options = ['-c', '1', '-q', '1', '-t', '1', '-disable-keepalive', '-o', 'csv', '-z', forText];
    const children = targets.map(({ url }) => startChild([program('hey') ?? '', ...options, url], env));
    return {
      // hey prints its output at the end.
      stop: () =>
        Promise.all(
          children.map(async (child) => {
            const lines = await child.ended(30_000);
            const samples = samplesOfHey(
              lines.map((line) => line.text),
              child.startedMs,
            );
            return withTotal(windowsOfSamples(samples));
          }),
        ),
    };
  },
};

/** Samples from the CSV lines (last fields: status code, offset in s). A missing request has failed. */
export function samplesOfHey(csv: readonly string[], startedMs: number): readonly Sample[] {
  const samples: Sample[] = [];
  for (const line of csv) {
    const [status = '', offset = ''] = line.split(',').slice(-2);
    if (!/^\d+$/.test(status)) continue;
    const atMs = startedMs + Number(offset) * 1000;
    const before = samples.at(-1)?.atMs;
    if (before !== undefined && atMs - before > 1.5 * everyMs)
      samples.push({ atMs: before + everyMs, ok: false });
    samples.push({ atMs, ok: status === '200' });
  }
  return samples;
}
