import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, test, onTestFinished } from 'vitest';
import { listen, unusedAddress } from '../net/testing/servers.ts';
import { httpRows } from './http.ts';
import { openPath, timeOut } from './testing/open-path.ts';

async function server(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<string> {
  const listening = await listen(
    createHttpServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => answer(request, response, body));
    }),
  );
  onTestFinished(listening.close);
  return `http://${listening.address}`;
}

const fields = (base: string, write: object = {}) => ({
  write: { url: `${base}/rows/\${rows}?row=\${row}`, ...write },
  read: { url: `${base}/rows/\${rows}`, rows: 'list' },
  remove: { url: `${base}/rows/\${rows}` },
});

const row = { client: 3, number: 17 };

async function written(base: string, write: object = {}, timeoutMs?: number) {
  const path = await openPath(httpRows, fields(base, write));
  return path.connect().write(row, timeOut(timeoutMs));
}

describe('a row written by HTTP', () => {
  test('is acknowledged by a status of `acked`; placeholders are filled in', async () => {
    const asked: unknown[] = [];
    const base = await server(({ method, url, headers }, response, body) => {
      asked.push([method, url, headers['content-type'], body]);
      response.writeHead(201).end('{}');
    });
    const write = {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: '{"in": "${rows}", "row": "${row}"}',
    };
    await expect(written(base, write)).resolves.toEqual({ outcome: 'acked' });
    expect(asked).toEqual([
      ['PUT', '/rows/firedrill_test?row=3-17', 'application/json', '{"in": "firedrill_test", "row": "3-17"}'],
    ]);
  });

  test.each([
    [503, {}, 'indeterminate'],
    [404, {}, 'indeterminate'],
    [409, { refused: [409] }, 'refused'],
    [200, { acked: [201] }, 'indeterminate'],
  ])('after status %i with %j is %s', async (status, write, outcome) => {
    const base = await server((_request, response) => response.writeHead(status).end('why'));
    await expect(written(base, write)).resolves.toEqual({ outcome, message: `status ${status}: why` });
  });

  test('is refused if the connection is refused, because nothing was sent', async () => {
    await expect(written(`http://${await unusedAddress()}`)).resolves.toMatchObject({ outcome: 'refused' });
  });

  test('is refused if the TLS handshake fails, because nothing was sent', async () => {
    const silent = await listen(createServer());
    onTestFinished(silent.close);
    await expect(written(`https://${silent.address}`, {}, 300)).resolves.toMatchObject({
      outcome: 'refused',
      message: 'no answer within 300 ms',
    });
  });

  test.each([
    ['no answer comes', 'no answer within 2 s'],
    ['the connection breaks', 'socket hang up'],
    ['the answer breaks off', 'status 200, then the connection closed before the end of the reply'],
  ])('is indeterminate if %s after it was sent', async (what, message) => {
    const base = await server((request, response) => {
      if (what.includes('connection')) request.socket.destroy();
      if (what.includes('answer breaks')) {
        response.writeHead(200, { 'Content-Length': '100' }).write('{', () => request.socket.destroy());
      }
    });
    // Long enough to send the request on a busy machine: until then, the outcome would be `refused`.
    await expect(written(base, {}, 2000)).resolves.toEqual({ outcome: 'indeterminate', message });
  });
});

describe('rows read back by HTTP', () => {
  const reading = async (body: string, status = 200) => {
    const base = await server((_request, response) => response.writeHead(status).end(body));
    return (await openPath(httpRows, fields(base))).connect();
  };

  test('are the list’s rows as ranges', async () => {
    const client = await reading('{"list": ["1-2", "1-1", "2-7", "1-4", "1-4"]}');
    await expect(client.rows(timeOut())).resolves.toEqual(
      new Map([
        [
          1,
          [
            { from: 1, to: 2, times: 1 },
            { from: 4, to: 4, times: 2 },
          ],
        ],
        [2, [{ from: 7, to: 7, times: 1 }]],
      ]),
    );
  });

  test.each([
    ['{"list": ["1-2"]}', 500, 'status 500'],
    ['<html>', 200, 'cannot read rows from the body'],
    ['{}', 200, 'list returned no list'],
    ['{"list": ["x"]}', 200, 'row "x" does not have the form client-number'],
  ])('are an error if the answer is %s with status %i', async (body, status, why) => {
    const client = await reading(body, status);
    await expect(client.rows(timeOut())).rejects.toThrow(why);
  });
});

test('rows are removed; a missing store counts as removed', async () => {
  const asked: unknown[] = [];
  let status = 404;
  const base = await server(({ method, url }, response) => {
    asked.push([method, url]);
    response.writeHead(status).end();
  });
  const path = await openPath(httpRows, fields(base));
  await path.drop(timeOut());
  expect(asked).toEqual([['DELETE', '/rows/firedrill_test']]);
  status = 500;
  await expect(path.drop(timeOut())).rejects.toThrow('status 500');
});

test.each([
  [
    { url: 'http://app/rows?row=${row}' },
    'needs `${rows}`, which firedrill replaces by the name of this run’s rows',
  ],
  [
    { url: 'http://app/rows/${rows}' },
    'needs `${row}` in its url or body, which firedrill replaces by client-number, such as 3-17',
  ],
])('a request without the placeholder of the run or row is refused: %j', (write, problem) => {
  const parsed = httpRows.params.safeParse(fields('http://app', write));
  expect(parsed.error?.issues[0]?.message).toBe(problem);
});
