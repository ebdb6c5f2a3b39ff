import { z } from 'zod';
import type { ProbeKind } from '../core/probe.ts';
import type { Observation } from '../core/sample.ts';
import { parseCsv } from './lib/csv.ts';
import { exchange, prepareHttpCall } from './lib/http-exchange.ts';
import { shorten } from './lib/net-errors.ts';
import { headers } from './lib/secret.ts';
import { hostPort, httpUrl } from './lib/text-params.ts';

const params = z.strictObject({
  url: httpUrl.describe('URL of the statistics page as CSV; it ends in ";csv".'),
  connectTo: hostPort.optional().describe('host:port to connect to instead of what the URL names.'),
  headers,
  caFile: z.string().min(1).optional().describe('PEM file of the CAs to trust instead of the system’s.'),
  backend: z.string().min(1).describe('Name of the backend.'),
  server: z.string().min(1).describe('Name of the server in the backend.'),
  tell: z
    .enum(['state', 'preferred'])
    .default('state')
    .describe(
      '`preferred`: yes or no, whether it is the server a client without history is sent to first: of those that are UP, the one of greatest weight, the first in the list of equals.',
    ),
});
type Params = z.output<typeof params>;

/** The page of a balancer with some thousand servers; beyond it, rows would be missed. */
const maxPageBytes = 4_194_304;

/** Asks HAProxy what it makes of a server. */
export const haproxyStats: ProbeKind<Params> = {
  kind: 'haproxy-stats',
  summary:
    'State of a server as HAProxy’s statistics page tells it: UP, DOWN, MAINT, DRAIN, NOLB or no-check.',
  params,
  lane: 'network',
  needsHost: false,
  cost: () => ({ newConnections: 1, commands: 0, processes: 0 }),
  describe: (p) => `state of ${p.backend}/${p.server} in ${p.url}`,
  async open(p, ctx) {
    const call = await prepareHttpCall({ ...p, maxBodyBytes: maxPageBytes }, ctx);
    return {
      observe: async (signal) => {
        const reply = await exchange(call, ctx, signal, (status) => status === 200);
        if ('status' in reply) return reply;
        const { statusCode, phases } = reply;
        if (statusCode !== 200) {
          const cause = statusCode >= 500 ? 'http-5xx' : 'http-other';
          return { status: 'fail', cause, message: `status ${statusCode}`, phases };
        }
        if (reply.broken !== undefined) return reply.broken;
        return { ...stateIn(reply.body, p), phases };
      },
      close: async () => {},
    };
  },
};

/**
 * Finds the server's row. Columns go by the names in the first line, `# pxname,svname,…`
 * (HAProxy management guide, 9.1 "CSV format"): their number grows with versions.
 */
function stateIn(page: string, p: Params): Exclude<Observation, { status: 'unknown' }> {
  const bad = (message: string) =>
    ({ status: 'fail', cause: 'bad-body', message: shorten(message) }) as const;
  const rows = parseCsv(page) ?? [];
  const header = (rows[0] ?? []).map((name) => name.replace(/^#\s*/, ''));
  if (!['pxname', 'svname', 'status', 'weight'].every((name) => header.includes(name))) {
    return bad('not a statistics page as CSV: does the URL end in ";csv"?');
  }
  const cell = (row: readonly string[] | undefined, name: string): string =>
    row?.[header.indexOf(name)] ?? '';
  const servers = rows.filter(
    (row) => cell(row, 'pxname') === p.backend && !['BACKEND', 'FRONTEND'].includes(cell(row, 'svname')),
  );
  const own = servers.find((row) => cell(row, 'svname') === p.server);
  if (own === undefined) return bad(`no server ${p.server} in a backend ${p.backend}`);
  const state = stateWord(cell(own, 'status'));
  if (state === '') return bad(`no status for ${p.backend}/${p.server}`);
  if (p.tell === 'state') return { status: 'ok', value: state };
  const up = servers.filter((row) => ['UP', 'no-check'].includes(stateWord(cell(row, 'status'))));
  const greatest = Math.max(...up.map((row) => Number(cell(row, 'weight'))));
  const preferred = up.find((row) => Number(cell(row, 'weight')) === greatest);
  return { status: 'ok', value: preferred === own ? 'yes' : 'no' };
}

/** `UP 1/2` is up still and `DOWN 1/2` down still; `MAINT (via …)` is MAINT. */
function stateWord(status: string): string {
  return status === 'no check' ? 'no-check' : (status.split(' ')[0] ?? status);
}
