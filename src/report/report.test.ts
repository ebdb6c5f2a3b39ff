import { describe, expect, test } from 'vitest';
import { summarize } from '../analysis/summarize.ts';
import { LogBuilder, planWith, probeOf, readLines } from '../analysis/testing/log-builder.ts';
import { crashDrill } from '../analysis/testing/postgres-crash.ts';
import { vipFailover } from '../analysis/testing/vip-failover.ts';
import { renderMarkdown } from './markdown.ts';
import { SamplesCsv } from './samples-csv.ts';
import { markdown, plain } from './text.ts';
import { renderVerdictText } from './verdict-text.ts';
import { renderWatchText } from './watch-text.ts';

const log = crashDrill().read();
const summary = summarize(log);

describe('the verdict text', () => {
  test('shows verdict, figures with bounds, stages with bars, and checks', () => {
    expect(`\n${renderVerdictText(summary)}\n`).toMatchInlineSnapshot(`
      "
      PASS  Postgres crash on the primary (lab)

      fault       process.kill on node-1
      RTO         36.75 s (36.69 s to 36.81 s), first sign of recovery after 33.30 s
      downtime    34.45 s (34.34 s to 35.57 s) in 2 windows
      redundancy  restored after 60.59 s
      role        db-primary: node-1 -> node-2

      stages
        LB notices             3.69 s (3.16 s to 4.22 s)  10 %  ███
        repmgr promotes     18.20 s (17.20 s to 19.21 s)  50 %  ███████████████ <- longest
        watchdog converges     9.07 s (8.57 s to 9.58 s)  25 %  ███████ (includes pgpool re-routes: unobserved)
        first 200              5.79 s (5.76 s to 5.81 s)  16 %  █████

      checks
        ok  RTO              36.75 s (36.69 s to 36.81 s); limit: at most 90 s
        ok  downtime         34.45 s (34.34 s to 35.57 s); limit: at most 60 s
        ok  redundancy       60.59 s (60.06 s to 61.13 s); limit: at most 4 min
        ok  primary moves    node-1 to node-2; limit: another host than node-1
        ok  no split brain   at none of 140 samples, at most 1.01 s apart; limit: never pg-role is primary on at least 2
        ok  standby is back  pg-role@node-1 standby, pg-role@node-2 primary; limit: pg-role is standby on exactly 1
      "
    `);
  });

  test('shows failed and inconclusive checks, and why', () => {
    const text = renderVerdictText(
      summarize(
        crashDrill({
          checks: [
            { kind: 'rto', name: 'RTO', maxMs: 30_000 },
            { kind: 'role-stays', name: 'primary stays', role: 'db-primary' },
            { kind: 'role-moved', name: 'no such', role: 'ghost' },
          ],
        }).read(),
      ),
    );
    expect(text).toMatch(/^FAIL {2}Postgres crash/);
    expect(text).toMatch(/^ {2}FAIL {2}RTO/m);
    expect(text).toMatch(/^ {2}\?\? {4}no such/m);
    expect(text).toContain('above the limit of 30 s');
  });

  test('begins with NOT HEALED if a fault is not healed', () => {
    const lines = crashDrill()
      .lines()
      .filter((l) => !l.includes('heal.proven'));
    expect(renderVerdictText(summarize(readLines(lines)))).toMatch(/^INCONCLUSIVE, NOT HEALED /);
  });
});

describe('report.md', () => {
  const text = renderMarkdown(summary, log);

  test('has every part', () => {
    const titles = text.split('\n').filter((l) => l.startsWith('#'));
    expect(titles).toEqual([
      '# Postgres crash on the primary',
      '## Checks',
      '## Stages of the recovery',
      '## Windows',
      '## Roles',
      '## Faults',
      '## Probes',
      '## Phases',
      '## Event log',
      '## Run',
    ]);
    expect(text).toMatch(/\*\*PASS\*\* · RTO \*\*36\.7.*\*\*, first sign of recovery after 33\.30 s, limit/);
    expect(text).toContain('| db-primary | node-1 | node-2 |');
    expect(text).toContain('role db-primary: node-2');
    expect(text).toContain('pgpool re-routes');
    expect(text.endsWith('\n')).toBe(true);
  });

  test('has times relative to the effect', () => {
    const timeline = text.slice(text.indexOf('## Event log'));
    const times = [...timeline.matchAll(/^\| ([-+]\d+\.\d{3}) s \|/gm)].map((m) => Number(m[1]));
    expect(times.length).toBeGreaterThan(15);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(timeline).toMatch(
      /\+0\.000 s \| fault-1 \(process\.kill on node-1\) took effect|-0\.0\d\d s \| fault-1/,
    );
  });

  test('is identical when rendered again, and does not need the log', () => {
    const again = readLines(crashDrill().lines());
    expect(renderMarkdown(summarize(again), again)).toBe(text);
    expect(renderMarkdown(summary)).not.toContain('## Event log');
  });

  test('keeps hostile texts inside their cells', () => {
    const hostile =
      '| x |\n## <script>alert(1)</script> `code` [a](http://evil) ![i](//x) @all \u001b[31m\u202e';
    const builder = new LogBuilder(
      planWith({
        probes: [probeOf('health')],
        scenario: { name: 'x', title: hostile, path: hostile, sha256: '', variables: {} },
        checks: [{ kind: 'rto', name: hostile, maxMs: 1 }],
      }),
    )
      .at(1, { type: 'gate', gate: 'steady', state: 'timeout', unmet: [hostile] })
      .at(2, { type: 'log', level: 'error', text: hostile })
      .at(3, { type: 'mark', probe: 'health', name: hostile, atMs: 3, text: hostile })
      .at(4, { type: 'run.ended' });
    const built = builder.read();
    const made = renderMarkdown(summarize(built), built);
    expect(made).not.toContain('<script>');
    expect(made).not.toMatch(/(?<!\\)`/);
    expect(made).not.toContain('http://');
    expect(made).not.toContain('\u001b');
    expect(made).not.toContain('\u202e');
    for (const line of made.split('\n').filter((l) => l.startsWith('|') && !l.includes('---'))) {
      const cells = line.match(/(?<!\\)\|/g)?.length;
      expect([3, 5, 10]).toContain(cells);
    }
    expect(made.split('\n').filter((l) => l.startsWith('#'))).toHaveLength(6);
    expect(renderVerdictText(summarize(built))).not.toContain('\u001b');
  });
});

describe('ownership and predictions', () => {
  const model = {
    kind: 'keepalived',
    version: 2,
    advertIntervalMs: 1000,
    priorities: { 'node-1': 100, 'node-2': 90 },
    preempt: ['node-1', 'node-2'],
  } as const;
  const built = vipFailover({
    answered: [
      [0, 'node-1'],
      [20_000, 'node-2'],
    ],
    plan: {
      models: { vrrp: model },
      stages: [
        {
          name: 'takeover',
          until: {
            kind: 'condition',
            condition: { probe: 'vip-claim', is: ['yes'], count: { min: 1 } },
            excludeFaultHost: true,
          },
          predicted: { model: 'vrrp', steps: ['master-down'] },
        },
        { name: 'rest', until: { kind: 'recovered' } },
      ],
    },
  }).read();
  const summary = summarize(built);
  const text = renderMarkdown(summary, built);
  const part = (title: string) => text.slice(text.indexOf(`## ${title}`)).split('\n## ')[0];

  test('are in the verdict text', () => {
    expect(`\n${renderVerdictText(summary)}\n`).toMatchInlineSnapshot(`
      "
      PASS  Built for a test (lab)

      fault     container.stop on node-1
      RTO       3.63 s (3.46 s to 3.81 s)
      downtime  3.60 s (3.39 s to 4.01 s) in 1 window

      stages
        takeover  3.54 s (3.36 s to 3.72 s)  97 %  predicted 2.65 s to 3.65 s, median 3.16 s  █████████████████████████████ <- longest
        rest                   up to 302 ms   3 %                                             █

      ownership of vip
        claimed   node-1, +0.05 s no owner, +3.54 s node-2; no owner for 3.49 s (3.28 s to 3.91 s) in 1 window
        answered  node-1, +9.94 s node-2
      "
    `);
  });

  test('are in report.md, with the sides as columns', () => {
    expect(part('Ownership')).toMatchInlineSnapshot(`
      "## Ownership

      ### vip

      | time | claimed by | answered by |
      | --- | --- | --- |
      | -4.075 s | node-1 | node-1 |
      | +0.050 s ±0.105 s | **no owner** | node-1 |
      | +3.540 s ±0.105 s | **node-2** | node-1 |
      | +9.935 s ±0.150 s | node-2 | **node-2** |

      | after the fault | no owner | multiple owners |
      | --- | --- | --- |
      | claimed | 3.49 s (3.28 s to 3.91 s) in 1 window | in no sample; up to 210 ms possible between samples |
      | answered | uncertain, at most 510 ms | uncertain, at most 330 ms |

      Times count from the fault's effect (middle of its bounds). A change lies between two samples: the table shows the middle of that interval, and half of its length after the ±. Changes of multiple hosts within each other's bounds share a row. A shorter time with no owner or multiple owners, between two samples, is unobserved: only the upper bounds include it. A “?” marks a host whose ownership is unknown: it gave no answer, its last sample was too old, or its samples contradicted each other.
      "
    `);
    expect(part('Stages of the recovery')).toMatchInlineSnapshot(`
      "## Stages of the recovery

      | stage | ms | bounds | predicted | share |  | unobserved stages included |
      | --- | --- | --- | --- | --- | --- | --- |
      | **takeover** | 3540.000 | 3.36 s to 3.72 s | 2.65 s to 3.65 s, median 3.16 s | 97.4 % | ███████████████████ |  |
      | rest | 94.500 | 0 ms to 302 ms |  | 2.6 % | █ |  |

      The stages sum to the RTO, 3634.500 ms. The longest is takeover.

      Predictions follow from the settings, without the time until a probe sees the change.
      "
    `);
  });

  test('are left out if there are none', () => {
    const other = renderMarkdown(summarize(log), log);
    expect(other).not.toMatch(/## Ownership|predicted/i);
    expect(renderVerdictText(summarize(log))).not.toMatch(/ownership|predicted/);
  });

  test('mark an unknown host with a question mark, and show the first of many changes', () => {
    const blind = summarize(vipFailover({ blind: [[10_050, 45_000]] }).read());
    expect(renderMarkdown(blind)).toContain('| **node-2, node-1?** |');
    const flapping = summarize(
      vipFailover({
        claimed: Array.from({ length: 30 }, (_, i) => [
          i * 1500,
          ...(i % 2 === 0 ? (['node-1'] as const) : []),
        ]),
      }).read(),
    );
    expect(renderVerdictText(flapping)).toMatch(
      /node-1, \+\d+\.\d\d s no owner, \d+ more; no owner for .* in \d+ windows$/m,
    );
  });

  test('have times from the start of a run without a fault', () => {
    const made = renderMarkdown(summarize(vipFailover({ cutAtMs: 9000 }).read()));
    expect(made).toContain('| in total | no owner | multiple owners |');
    expect(made).toContain('Times count from the start of the run.');
  });

  test('keep hostile names inside their cells', () => {
    const name = '| x |\n## <b>';
    const plan = { ownership: { [name]: { [name]: { probe: 'vip-claim', is: ['yes'] } } } };
    const made = renderMarkdown(summarize(vipFailover({ plan }).read()));
    expect(made).not.toContain('<b>');
    expect(made.split('\n').filter((l) => l.startsWith('## <') || l === '## &lt;b&gt;')).toEqual([]);
    expect(made).toContain('### \\| x \\| \\#\\# &lt;b&gt;');
  });
});

describe('samples.csv', () => {
  test('has one row a sample, dropped slots too, in the order of the log', () => {
    const built = new LogBuilder(planWith({ probes: [probeOf('health'), probeOf('pg-role@node-1')] }))
      .sample('health', 0, 1000, {
        status: 'fail',
        cause: 'timeout',
        finishMs: 1900.25,
        message: 'no, "reply"',
      })
      .sample('pg-role@node-1', 0, 1500, { status: 'ok', value: '=cmd|x', finishMs: 1512 })
      .sample('health', 1, 1100, { status: 'dropped', finishMs: 1100 })
      .lines();
    let text = '';
    const csv = new SamplesCsv((more) => (text += more));
    readLines(built, csv);
    csv.end();
    expect(text.split('\n')).toEqual([
      'probe,slot,status,cause,value,sent_at,due_ms,send_ms,finish_ms,latency_ms,connect_ms,tls_ms,first_byte_ms,message',
      'health,1,dropped,,,,1100,,,,,,,',
      "pg-role@node-1,0,ok,,'=cmd|x,2026-03-01T10:00:01.500Z,1500,1500,1512,12,,,,",
      'health,0,fail,timeout,,2026-03-01T10:00:01.000Z,1000,1000,1900.25,900.25,,,,"no, ""reply"""',
      '',
    ]);
  });
});

describe('watch', () => {
  test('shows each probe with its windows', () => {
    const built = new LogBuilder(planWith({ probes: [probeOf('url'), probeOf('other'), probeOf('blind')] }))
      .at(0, { type: 'phase.started', phase: 'watching' })
      .probing('blind', 0, 20_000, 1000, (s) => ({
        status: 'unknown',
        finishMs: s + 2,
        message: 'access denied',
      }))
      .probing('url', 0, 20_000, 1000, (s) => ({
        ...(s >= 5000 && s < 8000
          ? ({ status: 'fail', cause: 'refused' } as const)
          : ({ status: 'ok' } as const)),
        finishMs: s + 4,
      }))
      .probing('other', 0, 20_000, 1000, (s) => ({ status: 'ok', finishMs: s + 2 }))
      .at(20_000, { type: 'run.ended' })
      .read();
    expect(`\n${renderWatchText(summarize(built))}`).toMatchInlineSnapshot(`
      "
      url (http): 20 samples (3 failed), available 85.000 % (74.960 % to 90.020 %), latency p50 4 ms, p99 4 ms
        down  3.00 s (2.00 s to 4.00 s)  2026-03-01T10:00:04.502Z to 2026-03-01T10:00:07.502Z  refused 3
      other (http): 20 samples, available 100.000 % (94.990 % to 100.000 %), latency p50 2 ms, p99 2 ms
        no outage seen
      blind (http): 20 samples (20 unknown)
        no data: all samples unknown
      "
    `);
  });
});

describe('external texts', () => {
  test('lose control characters', () => {
    expect(plain(' a\u001b[2J\r\nb\u202e\u0007 ')).toBe('a [2J b');
  });

  test('are escaped in Markdown', () => {
    expect(markdown('# a_b *c* | <b> & `d` [e](http://f) 1. x')).toBe(
      '\\# a\\_b \\*c\\* \\| &lt;b&gt; &amp; \\`d\\` \\[e\\](http&#58;//f) 1. x',
    );
    expect(markdown('- x')).toBe('\\- x');
    expect(markdown('1. x')).toBe('1\\. x');
    expect(markdown('@all pg-role@node-1 0.1.0')).toBe('&#64;all pg-role@node-1 0.1.0');
    expect(markdown('---')).toBe('\\---');
  });
});

describe("firedrill's own cost", () => {
  const cost = { cpuMs: 840, samples: 40, newConnections: 20, commands: 7 };
  const log = () => new LogBuilder(planWith({ probes: [probeOf('health')] }));

  test("is the log's last value, in summary.json and in each report", () => {
    const read = log()
      .at(10_000, { type: 'harness.cost', ...cost, samples: 20 })
      .at(20_000, { type: 'harness.cost', ...cost, childCpuMs: 1200 })
      .at(20_001, { type: 'run.ended' })
      .read();
    const reported = summarize(read);
    expect(reported.harness).toEqual({ ms: 20_000, ...cost, childCpuMs: 1200, samplesPerSecond: 2 });
    const line =
      '840 ms of CPU in 20.00 s (4.2 % of a core), 1.20 s more in commands on its own machine, 40 samples (2.0 a second), 20 new connections, 7 commands on hosts';
    expect(renderMarkdown(reported, read)).toContain(
      '| cost | 840 ms of CPU in 20.00 s (4.2 % of a core), 1.20 s more',
    );
    expect(renderVerdictText(reported)).toContain(`cost  ${line}`);
  });

  test("is a killed run's last written value, and absent in logs of older versions", () => {
    const killed = summarize(
      log()
        .at(10_000, { type: 'harness.cost', ...cost })
        .read(),
    );
    expect(killed.harness).toMatchObject({ ms: 10_000, childCpuMs: null, samplesPerSecond: 4 });
    const old = summarize(log().at(20_000, { type: 'run.ended' }).read());
    expect(old).not.toHaveProperty('harness');
    expect(renderVerdictText(old)).not.toContain('cost');
  });
});

describe('a prober that its HTTP control shows as degraded', () => {
  const degraded = new LogBuilder(planWith({ probes: [probeOf('health')] }))
    .at(1, { type: 'control_probe.started', probe: probeOf('firedrill:canary') })
    .probing('health', 0, 20_000, 1000, (ms) =>
      ms >= 8000 && ms < 10_000
        ? { status: 'fail', cause: 'timeout', finishMs: ms + 900 }
        : { status: 'ok', finishMs: ms + 5 },
    )
    .probing('firedrill:canary', 500, 20_000, 1000, (ms) =>
      ms >= 8000 && ms < 10_000
        ? { status: 'fail', cause: 'timeout', finishMs: ms + 900 }
        : { status: 'ok', finishMs: ms + 2 },
    )
    .at(10_000, { type: 'prober.health', lane: 'network', loopMaxMs: 310.5, loopP99Ms: 4.25 })
    .at(12_000, { type: 'clock.stepped', atMs: 12_000, byMs: 2000, cause: 'step' })
    .at(20_000, { type: 'run.ended' });
  const read = degraded.read();
  const reported = summarize(read);

  test('is in the report with its control, threads, and clock', () => {
    const text = renderMarkdown(reported, read);
    const prober = /^## Prober\n[^]*?(?=\n## )/m.exec(text)?.[0];
    expect(prober).toMatchInlineSnapshot(`
      "## Prober

      |  |  |
      | --- | --- |
      | thread network | ticks at most 311 ms late, p99 4.3 ms |
      | control | 20 HTTP requests, p50 2.0 ms, p99 2.0 ms, 2 failed, 0 took more than 300 ms, degraded for 3.00 s in 1 interval |
      | wall clock set | by 2.00 s forwards at 2026-03-01T10:00:12.000Z |

      | degraded from | to | for |
      | --- | --- | --- |
      | 2026-03-01T10:00:07.500Z | 2026-03-01T10:00:10.502Z | 3.00 s |

      The control was a small HTTP server on the prober’s machine. A sample that failed while it did not answer in time is unknown.
      "
    `);
    expect(text).toContain('Windows in the state “uncertain” may be no outage');
    expect(text).toContain('the prober is degraded: its HTTP control does not answer in time');
    expect(text).toContain('| +7.000 s | health uncertain from here on: the prober was degraded |');
    expect(text).toContain('| +10.005 s | health up, certain again |');
    expect(text).toContain(
      '| health | uncertain | 2026-03-01T10:00:07.000Z | 2026-03-01T10:00:10.005Z | up to 3.00 s |',
    );
    expect(text).toContain('the wall clock was set: 2.00 s forwards');
    // The control is not a probe of the target.
    const probes = text.slice(text.indexOf('## Probes'), text.indexOf('## Prober\n'));
    expect(probes).not.toContain('canary');
  });

  test('is in the watch text and in the verdict text', () => {
    const line =
      '20 HTTP requests, p50 2.0 ms, p99 2.0 ms, 2 failed, 0 took more than 300 ms, degraded for 3.00 s in 1 interval';
    expect(renderWatchText(reported)).toContain(`prober's control: ${line}\n`);
    expect(renderVerdictText(reported)).toContain(`control  ${line}`);
  });

  test("has the control's samples in samples.csv, under a name that no probe can have", () => {
    let csv = '';
    const writer = new SamplesCsv((text) => (csv += text));
    readLines(degraded.lines(), writer);
    writer.end();
    expect(csv.match(/^firedrill:canary,/gm)).toHaveLength(20);
  });
});

describe('probes that did not run', () => {
  const left = summarize({
    ...log,
    plan: { ...log.plan, probesLeftOut: ['unroutable', 'replication-tls'] },
  });

  test('are listed with the probes, and do not change the verdict', () => {
    expect(left.probesLeftOut).toEqual(['unroutable', 'replication-tls']);
    expect(left.verdict).toBe(summary.verdict);
    expect(renderMarkdown(left)).toContain(
      'Not run, because this drill does not use them: unroutable, replication-tls.',
    );
  });

  test('are not mentioned if a log names none', () => {
    expect(summary).not.toHaveProperty('probesLeftOut');
    expect(renderMarkdown(summary)).not.toContain('Not run');
  });
});
