import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { annotationsOf, grafana } from './grafana.ts';
import { exampleDrill, hostileFinished, textsIn } from './testing/drills.ts';
import { received } from './testing/received.ts';
import { answers, receiver, type Receiver } from './testing/receiver.ts';

describe('annotations of a drill', () => {
  const { summary } = exampleDrill('keepalived-docker');

  test('there is one from the first effect to the recovery, and one for each fault', () => {
    const [drill, ...faults] = annotationsOf(summary, 'board');
    const effect = Date.parse(summary.faults[0]?.effectAt ?? '');
    expect(drill).toEqual({
      dashboardUID: 'board',
      time: effect,
      timeEnd: Math.ceil(effect + (summary.rto?.ms ?? NaN)),
      tags: [
        'firedrill',
        'scenario:vrrp-partition',
        'target:keepalived-docker-lab',
        'verdict:pass',
        `run:${summary.runId}`,
        'drill',
      ],
      text: 'VRRP blocked between the nodes: pass, RTO 6.32 s (6.09 s to 6.49 s)',
    });
    expect(faults.map((f) => [f.text, f.time, f.timeEnd, f.tags.at(-1)])).toEqual(
      summary.faults.map((f) => [
        `network.partition on ${f.on}`,
        Date.parse(f.issuedAt),
        Date.parse(f.healedAt ?? ''),
        'fault:network.partition',
      ]),
    );
  });

  test('without a dashboard they belong to the organization', () => {
    for (const annotation of annotationsOf(summary)) expect(annotation).not.toHaveProperty('dashboardUID');
  });

  test('without a recovery the drill ends with the run, and an unhealed fault is marked', () => {
    const faults = summary.faults.slice(0, 1).map((f) => ({ ...f, healedAt: null }));
    const [drill, fault] = annotationsOf({
      ...summary,
      rto: null,
      faults,
      healed: false,
      reasons: ['no <recovery>'],
    });
    expect(drill?.time).toBe(Date.parse(faults[0]?.issuedAt ?? ''));
    expect(drill?.timeEnd).toBe(Date.parse(summary.endedAt));
    expect(drill?.text).toBe(
      'VRRP blocked between the nodes: pass, RTO not measured, not proven healed\nno &lt;recovery&gt;',
    );
    expect(fault?.timeEnd).toBe(Date.parse(summary.endedAt));
    expect(fault?.text).toContain('not proven healed');
  });

  test('texts are escaped, and tags keep within the length that Grafana stores', () => {
    for (const { text, tags } of annotationsOf(hostileFinished().summary)) {
      expect(text).not.toMatch(/[<>]/);
      expect(tags.join('').length).toBeLessThan(500);
      expect(textsIn([text, tags]).filter((one) => !one.isWellFormed())).toEqual([]);
    }
  });
});

describe('the reporter', () => {
  let server: Receiver;
  beforeEach(async () => {
    server = await receiver();
  });
  afterEach(() => server.close());
  const token = 'glsa_c4nary';

  test('posts them with its token, and redacts the token', async () => {
    const context = received({
      env: {
        FIREDRILL_GRAFANA_URL: `${server.url}/grafana/`,
        FIREDRILL_GRAFANA_TOKEN: token,
        FIREDRILL_GRAFANA_DASHBOARD: 'board',
      },
    });
    const reporter = grafana.create(undefined, context);
    const drill = exampleDrill('keepalived-docker');
    await reporter.drillEnded?.(drill);
    await reporter.runEnded?.({ drills: [drill], exitCode: 0 });
    expect(server.received).toHaveLength(3);
    for (const { method, path, headers } of server.received) {
      expect([method, path, headers.authorization]).toEqual([
        'POST',
        '/grafana/api/annotations',
        `Bearer ${token}`,
      ]);
    }
    expect(server.received.map(({ body }) => JSON.parse(body) as unknown)).toEqual(
      annotationsOf(drill.summary, 'board'),
    );
    expect(context.secrets).toEqual([token]);
  });

  test('does not repeat a request whose outcome is unknown', async () => {
    server.script(answers(502));
    const env = { FIREDRILL_GRAFANA_URL: server.url, FIREDRILL_GRAFANA_TOKEN: token };
    const reporter = grafana.create(undefined, received({ env }));
    const drill = exampleDrill('keepalived-docker');
    await reporter.drillEnded?.(drill);
    await reporter.drillEnded?.(exampleDrill('keepalived-docker', { runId: 'next' }));
    expect(server.received).toHaveLength(6);
    expect(() => reporter.runEnded?.({ drills: [drill], exitCode: 0 })).toThrow(/answered 502/);
  });

  test.each([
    [{ FIREDRILL_GRAFANA_TOKEN: token }, 'FIREDRILL_GRAFANA_URL is not set'],
    [{ FIREDRILL_GRAFANA_URL: 'https://a.example' }, 'FIREDRILL_GRAFANA_TOKEN is not set'],
    [{ FIREDRILL_GRAFANA_URL: 'http://a.example', FIREDRILL_GRAFANA_TOKEN: token }, 'plain HTTP'],
  ])('refuses %j', (env, why) => {
    expect(() => grafana.create(undefined, received({ env }))).toThrow(why);
  });
});
