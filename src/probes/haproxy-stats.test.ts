import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { haproxyStats, parseCsv } from './haproxy-stats.ts';
import { attemptOnce, type Attempt } from './testing/attempt.ts';
import { listen } from '../net/testing/servers.ts';

/** The fields of a server that a test sets. A string is its status. */
interface Server {
  readonly status: string;
  readonly weight?: number;
  readonly backup?: true;
  /** 2: a server. 4: a listener of the proxy, which has a row too. */
  readonly type?: number;
}

/** A shortened page of HAProxy 3.0: its column order, a trailing comma, and quoted check output. */
function page(...servers: (string | Server)[]): string {
  const header = '# pxname,svname,qcur,scur,status,weight,act,bck,lastchg,type,last_chk,';
  const rows = servers.map((server, i) => {
    const { status, weight = 1, backup, type = 2 } = typeof server === 'string' ? { status: server } : server;
    const use = backup === true ? '0,1' : '1,0';
    return `nodes,node-${i + 1},0,0,${status},${weight},${use},3,${type},"L7STS, ""503"" Service\nUnavailable",`;
  });
  const frontend = 'https_in,FRONTEND,,1,OPEN,,,,,0,,';
  return [header, frontend, ...rows, 'nodes,BACKEND,0,0,UP,2,2,0,3,1,,', ''].join('\n');
}

async function attempt(body: string, status = 200, value = 'state'): Promise<Attempt> {
  const server = createServer((_request, response) => void response.writeHead(status).end(body));
  const { address, close } = await listen(server);
  onTestFinished(close);
  const url = `http://${address}/stats;csv`;
  return attemptOnce(haproxyStats, { url, backend: 'nodes', server: 'node-2', value });
}

describe('haproxy-stats probe', () => {
  it.each([
    ['UP', 'UP'],
    ['UP 1/3', 'UP'],
    ['DOWN', 'DOWN'],
    ['DOWN 1/2', 'DOWN'],
    ['MAINT', 'MAINT'],
    ['MAINT (via nodes/node-1)', 'MAINT'],
    ['DRAIN', 'DRAIN'],
    ['NOLB', 'NOLB'],
    ['no check', 'no-check'],
  ])('reads %s as %s', async (state, value) => {
    expect((await attempt(page('UP', state))).seen).toMatchObject({ status: 'ok', value });
  });

  // `backup`: used only while no active server is usable. Weight 0: gets no new clients (HAProxy configuration manual, 5.2).
  it.each<[string, (string | Server)[], string]>([
    ['the first among equals', ['UP', 'UP'], 'no'],
    ['the only server that is up', ['DOWN', 'UP'], 'yes'],
    ['no server is up', ['DOWN', 'DOWN'], 'no'],
    ['the greater weight', ['UP', { status: 'UP', weight: 2 }], 'yes'],
    ['a backup before an active server', [{ status: 'UP', backup: true }, 'UP'], 'yes'],
    ['a backup of greater weight', ['UP', { status: 'UP', weight: 100, backup: true }], 'no'],
    ['a backup while the active server is down', ['DOWN', { status: 'UP', backup: true }], 'yes'],
    [
      'the first of two backups, whatever their weights',
      [
        { status: 'UP', backup: true },
        { status: 'UP', weight: 9, backup: true },
      ],
      'no',
    ],
    [
      'a backup next to a drained server',
      [
        { status: 'DRAIN', weight: 0 },
        { status: 'UP', backup: true },
      ],
      'yes',
    ],
    ['weight 0', ['DOWN', { status: 'UP', weight: 0 }], 'no'],
    ['a backup of weight 0', ['DOWN', { status: 'UP', weight: 0, backup: true }], 'no'],
    ['no check at all', ['DOWN', 'no check'], 'yes'],
    ['the same page with a listener in it', [{ status: 'OPEN', weight: 9, type: 4 }, 'UP'], 'yes'],
  ])('reports the preferred server: %s', async (_what, servers, value) => {
    expect((await attempt(page(...servers), 200, 'preferred')).seen).toMatchObject({ status: 'ok', value });
  });

  it('is unknown for an unknown status', async () => {
    const message = 'nodes/node-2 has an unknown status: * DOWN 1/2';
    expect((await attempt(page('UP', '* DOWN 1/2'))).seen).toEqual({ status: 'unknown', message });
    // The server may be up, and then it would be preferred.
    expect((await attempt(page({ status: 'HALF' }, 'UP'), 200, 'preferred')).seen).toMatchObject({
      status: 'unknown',
    });
    expect((await attempt(page('HALF', 'UP'))).seen).toMatchObject({ status: 'ok', value: 'UP' });
  });

  it('is unknown if two rows of one server differ', async () => {
    const twice = page('UP', 'UP', 'DOWN').replace('node-3', 'node-2');
    expect((await attempt(twice)).seen).toEqual({
      status: 'unknown',
      message: 'nodes/node-2 is listed as UP and as DOWN',
    });
  });

  it('fails if the page has no such server or is not the statistics page', async () => {
    expect((await attempt(page('UP'))).seen).toMatchObject({ status: 'fail', cause: 'bad-body' });
    const html = await attempt('<html lang="en"><body>Statistics, "all"</body></html>');
    expect(html.seen).toMatchObject({ status: 'fail', cause: 'bad-body' });
    expect(html.seen).toMatchObject({ message: expect.stringContaining(';csv') as string });
    expect((await attempt('')).seen).toMatchObject({ status: 'fail', cause: 'bad-body' });
  });

  it('fails for a bad status', async () => {
    expect((await attempt('', 503)).seen).toMatchObject({ status: 'fail', cause: 'http-5xx' });
    expect((await attempt('', 401)).seen).toMatchObject({ status: 'fail', cause: 'http-other' });
  });
});

describe('parseCsv', () => {
  it.each([
    [
      'a,b\nc,d\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a,b,\r\nc,,\r\n',
      [
        ['a', 'b', ''],
        ['c', '', ''],
      ],
    ],
    ['"a,""x""\ny",b', [['a,"x"\ny', 'b']]],
    ['a,', [['a', '']]],
    ['', []],
    ['a', [['a']]],
  ])('parses %j', (text, rows) => {
    expect(parseCsv(text)).toEqual(rows);
  });

  it('refuses text that is not CSV', () => {
    expect(parseCsv('"open')).toBeUndefined();
  });
});
