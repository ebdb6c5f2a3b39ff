import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { LogBuilder, planWith, probeOf, seeded } from '../../analysis/testing/log-builder.ts';
import { crashDrill } from '../../analysis/testing/postgres-crash.ts';
import { vipFailover } from '../../analysis/testing/vip-failover.ts';
import { hostileDrill } from '../testing/hostile-drill.ts';
import { htmlOf } from '../testing/html-of.ts';

const crash = htmlOf(crashDrill());

/** The text between two tags, without the tags in it. */
function textOf(page: string): string {
  return page.replace(/<style>[^]*?<\/style>/, '').replace(/<[^>]*>/g, '\n');
}

function titlesOf(page: string): string[] {
  return [...page.matchAll(/<h2>([^<]*)<\/h2>/g)].map((m) => m[1] ?? '');
}

describe('report.html', () => {
  test('begins with the verdict, the outage with its bounds, and the longest stage', () => {
    const head = textOf(crash.slice(crash.indexOf('<body>'), crash.indexOf('<nav')));
    expect(head).toContain('✓ PASS');
    expect(head).toContain('36.75 s');
    expect(head).toContain('bounds 36.69 s to 36.81 s');
    expect(head).toContain('limit 90 s');
    expect(head).toMatch(
      /Longest stage\s+repmgr promotes\s+18\.20 s \(17\.20 s to 19\.21 s\), 50 % of the RTO/,
    );
  });

  test('has every part, and a link to each', () => {
    expect(titlesOf(crash)).toEqual([
      'Checks',
      'The outage',
      'The whole run',
      'Stages of the recovery',
      'Latency',
      'Windows',
      'Roles',
      'Faults',
      'Probes',
      'Phases',
      'Event log',
      'Run',
      'Scenario and target',
    ]);
    const links = [...crash.matchAll(/<a href="#([^"]*)"/g)].map((m) => m[1]);
    expect(links).toHaveLength(12);
    for (const link of links) expect(crash).toContain(`id="${link}"`);
  });

  test('has a lane for each probe, role, and mark, each with a text alternative', () => {
    const whole = crash.slice(crash.indexOf('id="the-whole-run"'), crash.indexOf('id="stages-of'));
    const words = [...whole.matchAll(/role="img"\s+aria-label="([^"]*)"/g)].map((m) => m[1]);
    expect(words).toContain('health: down for 34.45 s in 2 windows');
    expect(words.find((w) => w?.startsWith('fault-1'))).toMatch(
      /process\.kill on node-1: issued -0\.\d+ s, acknowledged .*effect .*heal began .*healed/,
    );
    expect(words.find((w) => w?.startsWith('recovery: LB notices'))).toContain(
      'the longest is repmgr promotes',
    );
    expect(words.find((w) => w?.startsWith('watchdog'))).toContain('listed in the event log');
    expect(whole).toContain('Role db-primary');
    for (const id of ['pg-role@node-1', 'pg-role@node-2', 'watchdog@node-1'])
      expect(words.some((w) => w?.startsWith(`${id}: `))).toBe(true);
  });

  test('marks times with no owner and with two owners', () => {
    const page = htmlOf(
      vipFailover({
        claimed: [
          [0, 'node-1'],
          [10_050],
          [13_700, 'node-2'],
          [20_000, 'node-1', 'node-2'],
          [24_000, 'node-2'],
        ],
      }),
    );
    const lane = /aria-label="no or multiple owners: ([^"]*)"/.exec(page)?.[1] ?? '';
    expect(lane).toMatch(/no owner, \+0\.\d+ s to \+3\.\d+ s/);
    expect(lane).toMatch(/node-1 and node-2, \+9\.85 s to \+13\.85 s/);
    expect(page).toContain('class="nobody"');
    expect(page).toContain('class="several"');
  });

  test('reports a missing recovery and an unhealed fault', () => {
    const lines = crashDrill({ neverRecovers: true });
    expect(textOf(htmlOf(lines))).toMatch(/RTO\s+no recovery\s+none within/);
    const cut = htmlOf(crashDrill().until(60_000));
    expect(cut).toContain('<p class="verdict fail">✗ INCONCLUSIVE, NOT HEALED</p>');
  });

  test('shows the availability of a watch', () => {
    const builder = new LogBuilder(planWith({ probes: [probeOf('web')] })).probing(
      'web',
      0,
      9000,
      1000,
      (t) => ({
        status: t === 4000 ? 'fail' : 'ok',
        finishMs: t + 5,
      }),
    );
    expect(textOf(htmlOf(builder))).toMatch(/web\s+8\d\.\d+ %/);
  });

  test('is identical when rendered again', () => {
    expect(htmlOf(crashDrill())).toBe(crash);
  });

  test('makes no request and runs nothing: no script, no foreign style, no URL', () => {
    for (const page of [crash, htmlOf(hostileDrill())]) {
      const style = /<style>([^]*?)<\/style>/.exec(page)?.[1] ?? '';
      const hash = createHash('sha256').update(style).digest('base64');
      expect(page).toContain(`content="default-src 'none'; style-src 'sha256-${hash}'; img-src data:;`);
      expect(page.match(/<style/g)).toHaveLength(1);
      const tags = page.match(/<[a-z][^>]*>/gi) ?? [];
      expect(tags.length).toBeGreaterThan(100);
      for (const tag of tags) {
        expect(tag).not.toMatch(
          /^<(script|iframe|img|base|object|embed|form|link (?!rel="icon" href="data:,"))/i,
        );
        const names = tag.replace(/"[^"]*"/g, '""');
        expect(names).not.toMatch(/\s(on\w+|style|src)\s*=/i);
        expect(tag).not.toMatch(/\b(href|src|content)="(https?:|\/\/|javascript:)/i);
      }
      expect(style).not.toMatch(/url\((?!#)|@import/);
    }
  });

  test("masks a target's secrets", () => {
    const page = htmlOf(hostileDrill());
    expect(page).not.toContain('hunter2');
    expect(page).toContain('password: &quot;[secret]&quot;');
  });
});

describe('its size', () => {
  test('is bounded, whatever the length of texts', () => {
    expect(htmlOf(hostileDrill()).length).toBeLessThan(1_000_000);
  });

  test(
    'is bounded, whatever the run: 10 min of 20 probes that change constantly',
    { timeout: 60_000 },
    () => {
      const random = seeded(3);
      const ids = Array.from({ length: 20 }, (_, i) => `probe-${i}@node-${i % 2}`);
      const builder = new LogBuilder(
        planWith({
          probes: [probeOf('health'), ...ids.map((id) => probeOf(id))],
          faults: [{ id: 'fault-1', kind: 'x', on: { host: 'node-1' }, atMs: 0, params: {} }],
        }),
      );
      for (const id of ['health', ...ids])
        builder.probing(id, 0, 600_000, 250, (t) => {
          const draw = random();
          const status = draw < 0.3 ? 'fail' : draw < 0.5 ? 'unknown' : 'ok';
          return { status, finishMs: t + 20 * random(), value: String(Math.floor(draw * 9)) };
        });
      builder.fault(100_000, { healedMs: 500_000 }).at(600_000, { type: 'run.ended' });
      const page = htmlOf(builder);
      expect(page.length).toBeLessThan(1_000_000);
      expect(page).toContain('drawn as one');
      expect(page).toMatch(/\d+ more are in events\.ndjson\./);
    },
  );
});
