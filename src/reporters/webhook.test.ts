import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exampleDrill } from './testing/drills.ts';
import { received } from './testing/received.ts';
import { answers, receiver, type Receiver } from './testing/receiver.ts';
import { webhook } from './webhook.ts';

let server: Receiver;
beforeEach(async () => {
  server = await receiver();
});
afterEach(() => server.close());

const drill = exampleDrill('wazuh-lb');
const send = async (more: Readonly<Record<string, string>> = {}) => {
  const context = received({ env: { FIREDRILL_WEBHOOK_URL: `${server.url}/hook?t=c4nary`, ...more } });
  const reporter = webhook.create(undefined, context);
  await reporter.drillEnded?.({ ...drill, exitCode: 1 });
  await reporter.runEnded?.({ drills: [drill], exitCode: 1 });
  return context;
};

test('posts the summary in an envelope', async () => {
  const { secrets } = await send();
  const [sent] = server.received;
  expect(sent).toMatchObject({
    method: 'POST',
    path: '/hook?t=c4nary',
    headers: { 'content-type': 'application/json', 'webhook-id': drill.summary.runId },
  });
  expect(sent?.headers).not.toHaveProperty('webhook-signature');
  expect(JSON.parse(sent?.body ?? '')).toEqual({
    schemaVersion: 1,
    type: 'drill.finished',
    timestamp: drill.summary.endedAt,
    data: { exitCode: 1, summary: drill.summary },
  });
  expect(secrets).toEqual([`${server.url}/hook?t=c4nary`, '/hook?t=c4nary']);
});

test('signs each attempt again, with the same id', async () => {
  server.script(answers(503), answers(200));
  const { secrets } = await send({ FIREDRILL_WEBHOOK_SECRET: 'a plain secret' });
  expect(server.received).toHaveLength(2);
  for (const { headers, body } of server.received) {
    const text = `${drill.summary.runId}.${String(headers['webhook-timestamp'])}.${body}`;
    expect(headers['webhook-id']).toBe(drill.summary.runId);
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', 'a plain secret').update(text).digest('base64')}`,
    );
  }
  expect(secrets).toContain('a plain secret');
});

test('an error names the variable, not the URL', async () => {
  server.script(answers(404));
  const failure = await send().then(
    () => '',
    (error: unknown) => String(error),
  );
  expect(failure).toContain('the webhook (FIREDRILL_WEBHOOK_URL): answered 404');
  expect(failure).not.toMatch(/c4nary|127\.0\.0\.1/);
});

test.each([
  [{}, 'FIREDRILL_WEBHOOK_URL is not set'],
  [{ FIREDRILL_WEBHOOK_URL: 'http://a.example/c4nary' }, 'plain HTTP'],
  [
    { FIREDRILL_WEBHOOK_URL: 'https://a.example', FIREDRILL_WEBHOOK_SECRET: 'c4naryé' },
    'FIREDRILL_WEBHOOK_SECRET is not a valid key',
  ],
  [
    { FIREDRILL_WEBHOOK_URL: 'https://a.example', FIREDRILL_WEBHOOK_SECRET: 'whsec_c4nary!' },
    'FIREDRILL_WEBHOOK_SECRET is not a valid key',
  ],
])('refuses %j', (env, why) => {
  const create = () => webhook.create(undefined, received({ env }));
  expect(create).toThrow(why);
  expect(create).not.toThrow(/c4nary/);
});
