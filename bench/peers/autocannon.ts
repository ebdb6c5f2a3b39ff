import { startChild } from './child.ts';
import type { Peer } from './peer.ts';

const everyMs = 1000;

/** autocannon, a load generator from npm: one connection, one request a second. */
export const autocannon: Peer = {
  name: 'autocannon',
  reading: '`autocannon -c 1 -R 1 -t 1 -j`; reports only totals: 1 s for each request without a 2xx',
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

/** Total of requests without a 2xx, 1 s each. Its `errors` also count reconnects: thousands while a port is closed. */
export function totalOfAutocannon(json: string): number {
  const result = JSON.parse(json) as { readonly duration: number; readonly '2xx': number };
  return Math.max(0, Math.floor(result.duration) - result['2xx']) * everyMs;
}
