import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { vipFailover } from '../analysis/testing/vip-failover.ts';
import { renderMetrics } from '../report/openmetrics.ts';
import { pushgateway } from './pushgateway.ts';
import { answers, receiver, type Receiver } from './testing/receiver.ts';
import { finished, received } from './testing/received.ts';

const drill = finished(vipFailover(), { target: 'lab/ä\n"' });

describe('pushgateway', () => {
  let server: Receiver;
  beforeEach(async () => {
    server = await receiver();
  });
  afterEach(() => server.close());

  test("replaces the metrics of the scenario's last drill on that target", async () => {
    const ctx = received({ env: { FIREDRILL_PUSHGATEWAY_URL: `${server.url}/base/` } });
    await pushgateway.create(undefined, ctx).drillEnded?.(drill);
    expect(server.received).toEqual([
      expect.objectContaining({ method: 'PUT', body: renderMetrics([drill.summary]) }),
    ]);
    const [{ path, headers } = { path: '', headers: {} }] = server.received;
    const [, ...pairs] = path.replace('/base/metrics', '').split('/');
    expect(pairs.map((part, i) => (i % 2 === 0 ? part : Buffer.from(part, 'base64url').toString()))).toEqual([
      'job@base64',
      'firedrill',
      'scenario@base64',
      drill.summary.scenario.name,
      'target@base64',
      'lab/ä "',
    ]);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4');
    expect(headers).not.toHaveProperty('authorization');
  });

  test('sends its credentials, and redacts them', async () => {
    const env = {
      FIREDRILL_PUSHGATEWAY_JOB: 'nightly',
      FIREDRILL_PUSHGATEWAY_USER: 'us',
      FIREDRILL_PUSHGATEWAY_PASSWORD: 'hunter2',
    };
    const ctx = received({ env });
    await pushgateway.create(server.url, ctx).drillEnded?.(drill);
    const [{ path, headers } = { path: '', headers: {} }] = server.received;
    expect(headers['authorization']).toBe(`Basic ${Buffer.from('us:hunter2').toString('base64')}`);
    expect(path).toContain(`/job@base64/${Buffer.from('nightly').toString('base64url')}/`);
    expect(ctx.secrets).toEqual(
      expect.arrayContaining(['hunter2', Buffer.from('us:hunter2').toString('base64')]),
    );
  });

  test("a gateway's refusal is in the error", async () => {
    server.script(answers(400, {}, 'pushed metrics are invalid'));
    const reporter = pushgateway.create(server.url, received());
    await reporter.drillEnded?.(drill);
    expect(() => reporter.runEnded?.({ drills: [drill], exitCode: 0 })).toThrow(
      /1 of 1 drills not delivered: the Pushgateway at .*: answered 400: pushed metrics are invalid/,
    );
  });

  test.each([
    [{}, undefined, 'FIREDRILL_PUSHGATEWAY_URL is not set'],
    [{}, 'nowhere', '--reporter pushgateway: not a URL'],
    [{}, 'http://me:pass@localhost:9091', '--reporter pushgateway: has a user or password'],
    [
      { FIREDRILL_PUSHGATEWAY_PASSWORD: 'hunter2' },
      'http://metrics.example',
      '--reporter pushgateway: would send a credential over plain HTTP',
    ],
  ])('%j with %j is refused at creation: %s', (env, value, message) => {
    expect(() => pushgateway.create(value, received({ env }))).toThrow(
      expect.objectContaining({ code: 'invalid-input', message }),
    );
  });
});
