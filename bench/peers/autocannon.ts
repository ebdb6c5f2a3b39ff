import { startChild } from './child.ts';
import type { Peer } from './peer.ts';

const everyMs = 1000;

/** A load generator of npm: one connection, one request a second. */
export const autocannon: Peer = {
  name: 'autocannon',
  reading: '`autocannon -c 1 -R 1 -t 1 -j`; tells totals only: 1 s for each request that got no 2xx',
  sees: 'http',
  needs: ['autocannon'],
  start: async (targets, { program, env }, { forMs }) => {
    const seconds = String(Math.ceil(forMs / 1000));
    const children = targets.map(({ url }) =>
      startChild(
        [
          process.execPath,
          program('autocannon') ?? '',
          '-c',
          '1',
          '-R',
          '1',
          '-t',
          '1',
          '-d',
          seconds,
          '-j',
          url,
        ],
        env,
      ),
    );
    return {
      stop: () =>
        Promise.all(
          children.map(async (child) => {
            const lines = await child.ended(30_000);
            return { windows: null, totalMs: totalOfAutocannon(lines.map((line) => line.text).join('\n')) };
          }),
        ),
    };
  },
};

/** Requests without a 2xx, a second each. What it calls errors are its reconnects, thousands while a port is closed. */
export function totalOfAutocannon(json: string): number {
  const result = JSON.parse(json) as { readonly duration: number; readonly '2xx': number };
  return Math.max(0, Math.floor(result.duration) - result['2xx']) * everyMs;
}
