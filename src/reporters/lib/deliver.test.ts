import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answers, hangs, pours, receiver, type Receiver, resets } from '../testing/receiver.ts';
import { deliver, type Post, Undelivered } from './deliver.ts';
import { unusedAddress } from '../../net/testing/servers.ts';

const token = 'token-in-the-path';
const signal = new AbortController().signal;
/** `quick` leaves time for every retry; `brief` ends soon if no answer comes. */
const quick = { wholeMs: 5000, pauseMs: 1 };
const brief = { wholeMs: 300, pauseMs: 1 };

let server: Receiver;
beforeEach(async () => {
  server = await receiver();
});
afterEach(() => server.close());

const post = (more: Partial<Post> = {}): Post => ({
  call: () => ({
    method: 'POST',
    url: `${server.url}/${token}`,
    headers: { 'x-key': token },
    body: { a: token },
  }),
  to: 'the endpoint',
  repeatable: true,
  ...more,
});

/** The error of a request that was not delivered. */
async function failureOf(sent: Promise<void>): Promise<Undelivered> {
  const error = await sent.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Undelivered)) throw new Error(`deliver: expected Undelivered, got ${String(error)}`);
  expect(error.message).not.toContain(token);
  return error;
}

test('a 2xx answer ends the delivery after one request', async () => {
  server.script(answers(204));
  await deliver(post(), signal, quick);
  expect(server.received).toMatchObject([{ method: 'POST', path: `/${token}`, body: `{"a":"${token}"}` }]);
});

describe('a temporary refusal', () => {
  test.each([429, 502, 503, 504])('%i is retried', async (status) => {
    server.script(answers(status), answers(status), answers(200));
    await deliver(post(), signal, quick);
    expect(server.received).toHaveLength(3);
  });

  test('stops after four attempts', async () => {
    server.script(answers(503, {}, 'overloaded'));
    await expect(failureOf(deliver(post(), signal, quick))).resolves.toMatchObject({
      message: 'the endpoint: answered 503: overloaded',
      mayPass: true,
    });
    expect(server.received).toHaveLength(4);
  });

  test('Retry-After is respected: the server refuses an earlier attempt', async () => {
    let openFrom = Infinity;
    server.script(
      (request, response) => {
        openFrom = Date.now() + 900;
        answers(429, { 'retry-after': '1' })(request, response);
      },
      (request, response) => answers(Date.now() < openFrom ? 400 : 200)(request, response),
    );
    await deliver(post(), signal, quick);
    expect(server.received).toHaveLength(2);
  });

  test('a Retry-After beyond the time limit ends the delivery immediately', async () => {
    server.script(answers(429, { 'retry-after': '3600' }));
    // Waiting for it would exceed the test's time limit.
    await expect(failureOf(deliver(post(), signal, { wholeMs: 60_000, pauseMs: 1 }))).resolves.toMatchObject({
      message: 'the endpoint: answered 429',
      mayPass: true,
    });
    expect(server.received).toHaveLength(1);
  });
});

describe('a final refusal', () => {
  test.each([400, 401, 404, 413, 500])('%i is final', async (status) => {
    server.script(answers(status, {}, 'never'));
    await expect(failureOf(deliver(post(), signal, quick))).resolves.toMatchObject({
      message: `the endpoint: answered ${status}: never`,
      mayPass: false,
    });
    expect(server.received).toHaveLength(1);
  });

  test('a redirect is not followed: its target gets no request', async () => {
    const elsewhere = await receiver();
    server.script(answers(307, { location: elsewhere.url }));
    const failure = await failureOf(deliver(post(), signal, quick));
    await elsewhere.close();
    expect(failure.message).toBe('the endpoint: answered 307 (redirects are not followed)');
    expect(elsewhere.received).toEqual([]);
  });

  test('control characters in an answer are escaped, and long answers are cut', async () => {
    server.script(answers(400, {}, `\u001b[2J${'long '.repeat(100)}`));
    const { message } = await failureOf(deliver(post(), signal, quick));
    expect(message).toContain('\\u001b[2Jlong');
    expect(message.length).toBeLessThan(300);
  });

  test('a 2xx answer may contain a complaint', async () => {
    server.script(answers(200, {}, '{"lost":1}'));
    const problem: Post['problem'] = ({ body }) => JSON.stringify(body);
    await expect(failureOf(deliver(post({ problem }), signal, quick))).resolves.toMatchObject({
      message: 'the endpoint: {"lost":1}',
      mayPass: false,
    });
  });
});

describe('an unknown outcome', () => {
  test.each([
    ['a reset', resets, 4],
    ['an endless answer', pours, 4],
    ['502', answers(502), 4],
  ])('%s: sent again only if the request is repeatable', async (_, behaviour, tries) => {
    server.script(behaviour);
    await expect(failureOf(deliver(post(), signal, quick))).resolves.toMatchObject({ mayPass: true });
    expect(server.received).toHaveLength(tries);
    await expect(failureOf(deliver(post({ repeatable: false }), signal, quick))).resolves.toMatchObject({
      mayPass: false,
    });
    expect(server.received).toHaveLength(tries + 1);
  });

  test.each([429, 503])('%i certainly had no effect: always sent again', async (status) => {
    server.script(answers(status), answers(200));
    await deliver(post({ repeatable: false }), signal, quick);
    expect(server.received).toHaveLength(2);
  });

  test('a server that hangs is waited for until the time limit', async () => {
    server.script(hangs);
    await expect(failureOf(deliver(post(), signal, brief))).resolves.toMatchObject({
      message: 'the endpoint: no answer within 300 ms',
      mayPass: true,
    });
    await expect(failureOf(deliver(post({ repeatable: false }), signal, brief))).resolves.toMatchObject({
      mayPass: false,
    });
  });
});

test('a refused connection may succeed later', async () => {
  const address = await unusedAddress();
  const call = () => ({ method: 'POST', url: `http://${address}/${token}`, headers: {} }) as const;
  await expect(failureOf(deliver(post({ call, repeatable: false }), signal, quick))).resolves.toMatchObject({
    message: expect.stringContaining('ECONNREFUSED'),
    mayPass: true,
  });
});

test('ends when the signal aborts', async () => {
  server.script(hangs);
  const cut = new AbortController();
  const sent = failureOf(deliver(post(), cut.signal, { wholeMs: 60_000, pauseMs: 1 }));
  cut.abort();
  await expect(sent).resolves.toBeInstanceOf(Undelivered);
});
