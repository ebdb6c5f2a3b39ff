import type { Sample } from '../reported.ts';
import { windowsOfSamples } from '../reported.ts';
import { startChild, type StampedLine } from './child.ts';
import { withTotal, type Peer } from './peer.ts';

/** The usual shell loop: a request, a timestamp, 1 s of sleep. The timestamp is that of the answer. */
export const curlLoop: Peer = {
  name: 'curl loop',
  reading: '`curl --max-time 1`, stamp, `sleep 1`; first failed to first good stamp',
  sees: 'http',
  needs: ['curl', 'bash'],
  start: async (targets, { env }) => {
    const children = targets.map(({ url }) => {
      const request = `curl -s -o /dev/null -w '%{http_code}' --max-time 1 '${url}'`;
      return startChild(['bash', '-c', `while :; do code=$(${request}); echo "$code"; sleep 1; done`], env);
    });
    return {
      stop: () =>
        Promise.all(
          children.map(async (child) => withTotal(windowsOfSamples(samplesOfCurl(await child.stop())))),
        ),
    };
  },
};

/** A sample for each line, which is a status code. */
export function samplesOfCurl(lines: readonly StampedLine[]): readonly Sample[] {
  return lines.map(({ atMs, text }) => ({ atMs, ok: text === '200' }));
}
