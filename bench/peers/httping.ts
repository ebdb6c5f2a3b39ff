import { windowsOfSamples, type Sample } from '../reported.ts';
import { startChild, type StampedLine } from './child.ts';
import { withTotal, type Peer } from './peer.ts';

export const httping: Peer = {
  name: 'httping',
  reading: '`httping -i 1 -t 1 -s -G`; first failed to first good line',
  sees: 'http',
  needs: ['httping'],
  start: async (targets, { program, env }) => {
    const children = targets.map(({ url }) =>
      // Without stdbuf, its output is buffered in blocks if there is no terminal.
      startChild(
        ['stdbuf', '-oL', program('httping') ?? '', '-i', '1', '-t', '1', '-s', '-G', '-g', url],
        env,
      ),
    );
    return {
      stop: () =>
        Promise.all(
          children.map(async (child) => withTotal(windowsOfSamples(samplesOfHttping(await child.stop())))),
        ),
    };
  },
};

/** A sample for each line with a result: `connected to ... 200 OK`, or an error. */
export function samplesOfHttping(lines: readonly StampedLine[]): readonly Sample[] {
  return lines.flatMap(({ atMs, text }) => {
    if (text === '' || /^(?:PING |---|\d+ connects|round-trip)/.test(text)) return [];
    return [{ atMs, ok: text.endsWith(' 200 OK') }];
  });
}
