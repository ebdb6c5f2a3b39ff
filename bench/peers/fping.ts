import { windowsOfSamples, type Sample } from '../reported.ts';
import { startChild, type StampedLine } from './child.ts';
import { withTotal, type Peer } from './peer.ts';

/** fping: only checks whether the host answers. */
export const fping: Peer = {
  name: 'fping',
  reading: '`fping -l -p 1000 -t 900`; first lost to first answered ping',
  sees: 'ping',
  needs: ['fping'],
  start: async (targets, { program, env }) => {
    const children = targets.map(({ host }) =>
      startChild(['stdbuf', '-oL', program('fping') ?? '', '-l', '-p', '1000', '-t', '900', host], env),
    );
    return {
      stop: () =>
        Promise.all(
          children.map(async (child) => withTotal(windowsOfSamples(samplesOfFping(await child.stop())))),
        ),
    };
  },
};

/** A sample for each line: `HOST : [N], 64 bytes, ...` or `HOST : [N], timed out ...`. */
export function samplesOfFping(lines: readonly StampedLine[]): readonly Sample[] {
  return lines.flatMap(({ atMs, text }) =>
    / : \[\d+\], /.test(text) ? [{ atMs, ok: / bytes, /.test(text) }] : [],
  );
}
