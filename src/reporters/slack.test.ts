import type { KnownBlock } from '@slack/types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Summary } from '../core/summary.ts';
import type { FinishedDrill } from './reporter.ts';
import { slack, slackMessage } from './slack.ts';
import { exampleDrill, hostileFinished, textsIn } from './testing/drills.ts';
import { received } from './testing/received.ts';
import { answers, receiver, type Receiver } from './testing/receiver.ts';

const textsOf = (drills: readonly FinishedDrill[], exitCode = 0): readonly string[] => {
  // The compiler checks the blocks against Slack's own types.
  const blocks: KnownBlock[] = slackMessage({ drills, exitCode }).blocks;
  return blocks.flatMap((block) => {
    if (block.type === 'header') return [block.text.text];
    if (block.type === 'section') return [block.text?.text ?? ''];
    if (block.type === 'context') return block.elements.flatMap((e) => ('text' in e ? [e.text ?? ''] : []));
    return [];
  });
};
const many = (count: number, change: (index: number) => Partial<Summary>) =>
  Array.from({ length: count }, (_, index) => exampleDrill('wazuh-lb', change(index)));

describe('the message', () => {
  test('of one drill has verdict, figures with bounds, and stages', () => {
    expect(textsOf([exampleDrill('keepalived-docker')])).toEqual([
      'pass: VRRP blocked between the nodes',
      [
        '*pass* VRRP blocked between the nodes (vrrp-partition on keepalived-docker-lab)',
        'RTO 6.32 s (6.09 s to 6.49 s), downtime 2.90 s in 1 window, redundancy after 18.23 s, 104 of 207 acknowledged rows lost',
        'stages: the standby takes over, too 3.39 s (3.22 s to 3.57 s), containers start and first good answer 2.92 s (2.87 s to 2.92 s)',
        'run 2026-11-21-152635-vrrp-partition-002a',
      ].join('\n'),
      'firedrill ended with exit code 0',
    ]);
  });

  test('of multiple drills begins with the worst, and has the number of each verdict', () => {
    const drills = [
      exampleDrill('wazuh-lb', { runId: 'a', verdict: 'pass', reasons: [] }),
      exampleDrill('wazuh-lb', { runId: 'b', verdict: 'fail', reasons: ['too & long'] }),
      exampleDrill('wazuh-lb', { runId: 'c', verdict: 'pass', healed: false }),
      exampleDrill('wazuh-lb', { runId: 'd', verdict: 'inconclusive' }),
    ];
    const [title, ...sections] = textsOf(drills, 4);
    expect(title).toBe('4 drills: 1 NOT HEALED, 1 fail, 1 inconclusive, 1 pass');
    expect(sections.map((s) => /run (\w)$/.exec(s)?.[1])).toEqual(['c', 'b', 'd', 'a', undefined]);
    expect(sections[1]).toContain('• too &amp; long');
    expect(sections.at(-1)).toBe('firedrill ended with exit code 4');
  });

  test('has the checks that did not pass', () => {
    const checks = exampleDrill('wazuh-lb').summary.checks.map((check, index) =>
      index === 0 ? { ...check, status: 'fail' as const } : { ...check, status: 'pass' as const },
    );
    const [, section] = textsOf([exampleDrill('wazuh-lb', { verdict: 'fail', checks, reasons: [] })]);
    expect(section).toContain(`• fail: ${checks[0]?.name ?? ''}: ${checks[0]?.observed ?? ''}, limit`);
    expect(section?.match(/^•/gm)).toHaveLength(1);
  });

  test('of a command without drills reports the early end', () => {
    const { text, blocks } = slackMessage({ drills: [], exitCode: 5, error: new Error('c4nary') });
    expect(text).toBe('No drill was run');
    expect(JSON.stringify(blocks)).toContain('firedrill ended early with exit code 5');
    expect(JSON.stringify(blocks)).not.toContain('c4nary');
  });

  test.each([
    ['hostile texts', [hostileFinished()]],
    ['a hundred drills', many(100, (index) => ({ runId: `r${index}` }))],
    ['endless reasons', many(60, () => ({ verdict: 'fail', reasons: ['<&>'.repeat(4000), 'more'] }))],
    [
      'a thousand reasons',
      many(3, () => ({ verdict: 'fail', reasons: Array.from({ length: 1000 }, () => 'again & again') })),
    ],
  ])("keeps within Slack's limits: %s", (_, drills) => {
    const { blocks, text } = slackMessage({ drills, exitCode: 1 });
    expect(blocks.length).toBeLessThanOrEqual(50);
    expect(text).not.toMatch(/[<>]/);
    const [title, ...texts] = textsOf(drills, 1);
    expect(title?.length).toBeLessThanOrEqual(150);
    for (const text of texts) {
      expect(text.length).toBeGreaterThan(0);
      expect(text.length).toBeLessThanOrEqual(3000);
      // The only markup is entities, and no entity is cut.
      expect(text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
    }
    expect(texts.join('').length).toBeLessThan(10_000);
    expect(textsIn(blocks).filter((one) => !one.isWellFormed())).toEqual([]);
  });

  test('has the number of drills that do not fit', () => {
    expect(textsOf(many(100, (index) => ({ runId: `r${index}` })))).toContainEqual(
      expect.stringMatching(/^\d+ more drills not shown$/),
    );
  });
});

describe('the reporter', () => {
  let server: Receiver;
  beforeEach(async () => {
    server = await receiver();
  });
  afterEach(() => server.close());
  const path = '/services/T000/B000/c4nary';

  test('posts one message after the command, and redacts its URL', async () => {
    const context = received({ env: { FIREDRILL_SLACK_WEBHOOK_URL: `${server.url}${path}` } });
    const reporter = slack.create(undefined, context);
    const run = { drills: [exampleDrill('wazuh-lb')], exitCode: 0 };
    expect(reporter).not.toHaveProperty('drillEnded');
    await reporter.runEnded?.(run);
    expect(server.received).toMatchObject([{ method: 'POST', path }]);
    expect(JSON.parse(server.received[0]?.body ?? '')).toEqual(slackMessage(run));
    expect(context.secrets).toEqual([`${server.url}${path}`, path]);
  });

  test("reports Slack's answer without the URL", async () => {
    server.script(answers(400, {}, 'invalid_blocks'));
    const reporter = slack.create(
      undefined,
      received({ env: { FIREDRILL_SLACK_WEBHOOK_URL: `${server.url}${path}` } }),
    );
    const sent = Promise.resolve(reporter.runEnded?.({ drills: [], exitCode: 0 }));
    await expect(sent).rejects.toThrow(
      /^Slack \(FIREDRILL_SLACK_WEBHOOK_URL\): answered 400: invalid_blocks$/,
    );
    expect(server.received).toHaveLength(1);
  });

  test('refuses plain HTTP, and requires a URL', () => {
    const create = (env: Readonly<Record<string, string>>) => () =>
      slack.create(undefined, received({ env }));
    expect(create({})).toThrow('FIREDRILL_SLACK_WEBHOOK_URL is not set');
    expect(create({ FIREDRILL_SLACK_WEBHOOK_URL: `http://hooks.slack.com${path}` })).toThrow('plain HTTP');
  });
});
