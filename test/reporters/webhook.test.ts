// Verifies the reporter's requests with standardwebhooks, the library that receivers use.
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleDrill } from '../../src/reporters/testing/drills.ts';
import { received } from '../../src/reporters/testing/received.ts';
import { receiver, type Received, type Receiver } from '../../src/reporters/testing/receiver.ts';
import { envelopeOf, webhook } from '../../src/reporters/webhook.ts';

let server: Receiver;
beforeAll(async () => {
  server = await receiver();
});
afterAll(() => server.close());

const drill = exampleDrill('certlocker');

async function sent(secret: string): Promise<Received> {
  const env = { FIREDRILL_WEBHOOK_URL: server.url, FIREDRILL_WEBHOOK_SECRET: secret };
  await webhook.create(undefined, received({ env })).drillEnded?.(drill);
  const last = server.received.at(-1);
  if (last === undefined) throw new Error('send the summary: the receiver got no request');
  return last;
}

const headersOf = ({ headers }: Received) => headers as Record<string, string>;

test.each([
  ['in the form of the standard', `whsec_${randomBytes(24).toString('base64')}`, undefined],
  ['of ASCII text', 'a secret that is not Base64: !', { format: 'raw' as const }],
])('a secret %s', async (_, secret, options) => {
  const request = await sent(secret);
  const receiver = new Webhook(secret, options);
  expect(receiver.verify(request.body, headersOf(request))).toEqual(envelopeOf(drill));
  expect(() => receiver.verify(request.body.replace('"pass"', '"fail"'), headersOf(request))).toThrow(
    'No matching',
  );
  expect(() => new Webhook('c29tZXRoaW5nIGVsc2U=').verify(request.body, headersOf(request))).toThrow(
    'No matching',
  );
});
