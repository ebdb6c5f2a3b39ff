import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { haproxyStats } from './haproxy-stats.ts';
import { parseCsv } from './lib/csv.ts';
import { lookOnce, type Look } from './testing/look.ts';
import { listen } from './testing/servers.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A page as HAProxy 3.0 gives it, shortened: columns in its order, a trailing comma, quoted check output. */
function page(...states: string[]): string {
  const header = '# pxname,svname,qcur,scur,status,weight,lastchg,last_chk,';
  const servers = states.map(
    (state, i) => `nodes,node-${i + 1},0,0,${state},1,3,"L7STS, ""503"" Service\nUnavailable",`,
  );
  return [header, 'https_in,FRONTEND,,1,OPEN,,,,', ...servers, 'nodes,BACKEND,0,0,UP,2,3,,', ''].join('\n');
}

async function look(body: string, status = 200, tell = 'state'): Promise<Look> {
  const server = createServer((_request, response) => void response.writeHead(status).end(body));
  const { address, close } = await listen(server);
  cleanups.push(close);
  const url = `http://${address}/stats;csv`;
  return lookOnce(haproxyStats, { url, backend: 'nodes', server: 'node-2', tell });
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
    expect((await look(page('UP', state))).seen).toMatchObject({ status: 'ok', value });
  });

  it('tells the preferred server: the first that is up, of the greatest weight', async () => {
    const heavier = page('UP', 'UP').replace('node-2,0,0,UP,1', 'node-2,0,0,UP,2');
    expect((await look(page('UP', 'UP'), 200, 'preferred')).seen).toMatchObject({ value: 'no' });
    expect((await look(page('DOWN', 'UP'), 200, 'preferred')).seen).toMatchObject({ value: 'yes' });
    expect((await look(page('DOWN', 'DOWN'), 200, 'preferred')).seen).toMatchObject({ value: 'no' });
    expect((await look(heavier, 200, 'preferred')).seen).toMatchObject({ value: 'yes' });
  });

  it('fails when the server is not there or the page is another', async () => {
    expect((await look(page('UP'))).seen).toMatchObject({ status: 'fail', cause: 'bad-body' });
    const html = await look('<html lang="en"><body>Statistics, "all"</body></html>');
    expect(html.seen).toMatchObject({ status: 'fail', cause: 'bad-body' });
    expect(html.seen).toMatchObject({ message: expect.stringContaining(';csv') as string });
    expect((await look('')).seen).toMatchObject({ status: 'fail', cause: 'bad-body' });
  });

  it('fails for a bad status', async () => {
    expect((await look('', 503)).seen).toMatchObject({ status: 'fail', cause: 'http-5xx' });
    expect((await look('', 401)).seen).toMatchObject({ status: 'fail', cause: 'http-other' });
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

  it('refuses what is no CSV', () => {
    expect(parseCsv('"open')).toBeUndefined();
  });
});
