import { describe, expect, test } from 'vitest';
import { summarize } from '../analysis/summarize.ts';
import { vipFailover } from '../analysis/testing/vip-failover.ts';
import { renderMetrics } from './openmetrics.ts';

const base = summarize(vipFailover().read());
const labels = `{scenario="${base.scenario.name}",target="${base.target}"}`;

describe('metrics.prom', () => {
  test('has times in seconds, the verdict as one of three states, and the end of the drill', () => {
    const text = renderMetrics([
      { ...base, rto: { ms: 1500.25, minMs: 1000, maxMs: 2000.5, first: null }, verdict: 'fail' },
    ]);
    expect(text).toContain(
      `# TYPE firedrill_drill_rto_seconds gauge\nfiredrill_drill_rto_seconds${labels} 1.50025\n`,
    );
    expect(text).toContain(`firedrill_drill_rto_min_seconds${labels} 1\n`);
    expect(text).toContain(`firedrill_drill_rto_max_seconds${labels} 2.0005\n`);
    const state = (word: string) =>
      `firedrill_drill_verdict${labels.replace('}', `,verdict="${word}"}`)} ${word === 'fail' ? 1 : 0}\n`;
    expect(text).toContain(['pass', 'fail', 'inconclusive'].map(state).join(''));
    expect(text).toContain(
      `firedrill_drill_timestamp_seconds${labels} ${Date.parse('2026-03-01T10:01:00Z') / 1000}\n`,
    );
  });

  test('omits series without a value', () => {
    const text = renderMetrics([{ ...base, rto: null, rpo: null }]);
    expect(text).not.toMatch(/_rto_|_rpo_|NaN|null/);
  });

  test("has a scenario's last drill on a target, and each series once", () => {
    const text = renderMetrics([
      { ...base, verdict: 'fail' },
      { ...base, target: 'other' },
      base,
      {
        ...base,
        target: 'twice',
        stages: [1, 2].map((ms) => ({
          name: 'x',
          startAt: '',
          endAt: '',
          ms,
          minMs: ms,
          maxMs: ms,
          includes: [],
        })),
      },
    ]);
    const series = text
      .split('\n')
      .flatMap((line) => (line.startsWith('#') ? [] : [line.replace(/ \S+$/, '')]));
    expect(series.length).toBe(new Set(series).size);
    expect(text).toContain(`${labels.slice(0, -1)},verdict="pass"} 1\n`);
    expect(text).toContain('target="other"');
  });

  test('a label is one line, with its quotes and backslashes escaped', () => {
    const text = renderMetrics([{ ...base, target: 'a"b\\n\nc\u0000' }]);
    expect(text).toContain('target="a\\"b\\\\n c"');
  });
});
