import { z } from 'zod';
import type { ProbeKind } from '../core/probe.ts';
import type { Observation } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import { exchange, prepareHttpCall, statusCause } from '../net/http-exchange.ts';
import { headers } from '../net/secret.ts';
import { hostPort, httpUrl } from '../net/text-params.ts';
import { caFile, clientCert } from '../net/tls-params.ts';

const params = z.strictObject({
  url: httpUrl.describe('URL of the statistics page in CSV format. It ends in ";csv".'),
  connectTo: hostPort
    .optional()
    .describe('host:port to connect to, instead of the host and port in the URL.'),
  headers,
  caFile,
  clientCert,
  backend: z.string().min(1).describe('Name of the backend.'),
  server: z.string().min(1).describe('Name of the server in the backend.'),
  value: z
    .enum(['state', 'preferred'])
    .default('state')
    .describe(
      '`state`: the state of the server. `preferred`: yes or no, whether HAProxy sends new clients to this server first. Only servers that are UP or no-check, with a weight above 0, count. The active server with the greatest weight is preferred; among equals, the first in the list. Without an active server, the first backup is preferred. The page does not show whether `option allbackups` is set.',
    ),
});
type Params = z.output<typeof params>;

/**
 * Enough for the page of a load balancer with some thousand servers. A longer page fails, because rows would
 * be missing.
 */
const maxPageBytes = 4_194_304;

/** Reads a server's state from HAProxy's statistics page. */
export const haproxyStats: ProbeKind<Params> = {
  kind: 'haproxy-stats',
  summary: 'State of a server on HAProxy’s statistics page: UP, DOWN, MAINT, DRAIN, NOLB, or no-check.',
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
          return { status: 'fail', cause: statusCause(statusCode), message: `status ${statusCode}`, phases };
        }
        if (reply.broken !== undefined) return reply.broken;
        if (reply.unread !== undefined)
          return { status: 'fail', cause: 'bad-body', message: shorten(reply.unread), phases };
        const seen = stateIn(reply.body, p);
        return seen.status === 'unknown' ? seen : { ...seen, phases };
      },
      close: async () => {},
    };
  },
};

/** A server's row of the page. Several rows with one name stay separate. */
interface ServerRow {
  readonly name: string;
  /** Undefined for an unknown status. */
  readonly state: string | undefined;
  readonly status: string;
  readonly weight: number;
  readonly isBackup: boolean;
}

/** Value of the column `type` for a server. 3 is a listener (HAProxy management guide, 9.1). */
const serverType = '2';

/**
 * Finds the server's row. Columns are found by their names in the first line, `# pxname,svname,…` (HAProxy
 * management guide, 9.1 "CSV format"), because newer versions add columns.
 */
function stateIn(page: string, p: Params): Observation {
  const bad = (message: string) =>
    ({ status: 'fail', cause: 'bad-body', message: shorten(message) }) as const;
  const unknown = (message: string) => ({ status: 'unknown', message: shorten(message) }) as const;
  const servers = serversOf(page, p.backend);
  if (servers === undefined)
    return bad('the page is not HAProxy statistics in CSV: the URL must end in ";csv"');
  const named = servers.filter(({ name }) => name === p.server);
  const [own] = named;
  if (own === undefined) return bad(`the page lists no server ${p.server} in backend ${p.backend}`);
  const name = `${p.backend}/${p.server}`;
  if (own.status === '') return bad(`the page has no status for ${name}`);
  const { state } = own;
  if (state === undefined) return unknown(`${name} has an unknown status: ${own.status}`);
  const other = named.find((server) => server.state !== state);
  if (other !== undefined) return unknown(`${name} is listed as ${own.status} and as ${other.status}`);
  if (p.value === 'state') return { status: 'ok', value: state };
  const odd = servers.find((server) => server.state === undefined);
  if (odd !== undefined) return unknown(`${p.backend}/${odd.name} has an unknown status: ${odd.status}`);
  return { status: 'ok', value: preferredOf(servers)?.name === own.name ? 'yes' : 'no' };
}

/** The servers of a backend. Undefined if the page is not HAProxy statistics in CSV. */
function serversOf(page: string, backend: string): readonly ServerRow[] | undefined {
  const rows = parseCsv(page.trimStart()) ?? [];
  const header = (rows[0] ?? []).map((name) => name.replace(/^#\s*/, ''));
  if (!['pxname', 'svname', 'status', 'weight', 'act', 'bck'].every((name) => header.includes(name)))
    return undefined;
  return rows.flatMap((row) => {
    const cell = (name: string): string => row[header.indexOf(name)] ?? '';
    const name = cell('svname');
    const isServer = header.includes('type')
      ? cell('type') === serverType
      : !['BACKEND', 'FRONTEND'].includes(name);
    if (cell('pxname') !== backend || !isServer) return [];
    const status = cell('status');
    const isBackup = Number(cell('bck')) > 0;
    return { name, status, state: stateWord(status), weight: Number(cell('weight')), isBackup };
  });
}

/**
 * The server to which HAProxy sends a client without a session. HAProxy does not balance to a server with
 * weight 0. It uses backups, one at a time, only while no active server is usable (configuration manual, 5.2
 * `backup` and `weight`).
 */
function preferredOf(servers: readonly ServerRow[]): ServerRow | undefined {
  const usable = servers.filter(
    ({ state, weight }) => (state === 'UP' || state === 'no-check') && weight > 0,
  );
  const active = usable.filter(({ isBackup }) => !isBackup);
  const greatest = Math.max(...active.map(({ weight }) => weight));
  return active.find(({ weight }) => weight === greatest) ?? usable[0];
}

const states: ReadonlySet<string> = new Set(['UP', 'DOWN', 'MAINT', 'DRAIN', 'NOLB']);

/**
 * The state without its details: `UP 1/2` is UP, `DOWN 1/2` is DOWN, and `MAINT (via …)` is MAINT. Undefined
 * for an unknown state.
 */
function stateWord(status: string): string | undefined {
  if (status === 'no check') return 'no-check';
  const word = status.split(' ')[0] ?? '';
  return states.has(word) ? word : undefined;
}

/**
 * Parses CSV (RFC 4180: quoted fields may contain commas, quotes, and line breaks) into rows of fields.
 * Undefined if the text is not CSV.
 */
export function parseCsv(text: string): string[][] | undefined {
  const rows: string[][] = [];
  let row: string[] = [];
  // A field, quoted or plain, and the separator after it.
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n][^,\r\n]*|))(,|\r?\n|$)/gy;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (match === null) return undefined;
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] !== ',') {
      rows.push(row);
      row = [];
    } else if (field.lastIndex === text.length) {
      row.push('');
    }
  }
  if (row.length > 0) rows.push(row);
  return rows;
}
