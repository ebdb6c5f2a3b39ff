import { windowsOfLooks, type Look } from '../told.ts';
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
          children.map(async (child) => withTotal(windowsOfLooks(looksOfHttping(await child.stop())))),
        ),
    };
  },
};

/** A sample for each line with a result: `connected to ... 200 OK`, or an error. */
export function looksOfHttping(lines: readonly StampedLine[]): readonly Look[] {
  return lines.flatMap(({ atMs, text }) => {
    if (text === '' || /^(?:PING |---|\d+ connects|round-trip)/.test(text)) return [];
    return [{ atMs, ok: text.endsWith(' 200 OK') }];
  });
}
