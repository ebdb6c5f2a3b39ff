import { describe, expect, test } from 'vitest';
import type { KeptRun } from '../../analysis/kept-run.ts';
import { keptOf } from '../../analysis/testing/kept.ts';
import { renderTrendHtml } from './trend-html.ts';

/** The page of runs that are given oldest first. */
function pageOf(runs: readonly KeptRun[]): string {
  return renderTrendHtml(runs.map((run) => ({ run, href: null })).toReversed());
}

const count = (page: string, part: string | RegExp) => page.split(part).length - 1;

/** The charts without the legend, which has each shape too. */
const charts = (page: string) => page.slice(page.indexOf('class="trends"'), page.indexOf('id="runs"'));

const limits = (maxMs: number): Partial<KeptRun> => ({
  checks: [{ name: 'RTO', kind: 'rto', limits: { maxMs } }],
});

describe('the trend', () => {
  test('has a chart for each drill, and each run in it with its verdict as a shape', () => {
    const other = { scenario: { ...keptOf(0, 1).scenario, name: 'other' } };
    const page = pageOf([
      keptOf(1, 30_000),
      keptOf(2, 31_000, { verdict: 'inconclusive' }),
      keptOf(3, null),
      keptOf(4, 32_000, { verdict: 'fail', healed: false }),
      keptOf(5, 1000, other),
    ]);
    expect(count(page, '<figure>')).toBe(2);
    const drawn = charts(page);
    expect(
      ['pass', 'inconclusive', 'fail', 'unhealed'].map((shape) => count(drawn, `class="point ${shape}"`)),
    ).toEqual([2, 1, 1, 1]);
    // The run without an RTO has no bounds.
    expect(count(drawn, 'class="error"')).toBe(4);
    expect(drawn).toContain('2026-03-04 00:00, fail, no RTO measured');
    expect(drawn).toContain('2026-03-05 00:00, fail, NOT HEALED, 32.00 s (31.95 s to 32.05 s)');
    expect(drawn).toContain('last 32.00 s, median 31.00 s of 3 runs');
  });

  test('draws a longer time higher, with its bounds around it', () => {
    const wide = { ...keptOf(2, 60_000), rto: { ms: 60_000, minMs: 50_000, maxMs: 70_000, first: null } };
    const drawn = charts(pageOf([keptOf(1, 20_000), wide]));
    const places = [...drawn.matchAll(/<svg y="([\d.]+)"/g)].map(([, y]) => Number(y));
    const [, bar] = [...drawn.matchAll(/class="error" d="M0,([\d.]+)V([\d.]+)M/g)];
    expect(places).toHaveLength(2);
    expect(places[1]).toBeLessThan(places[0] ?? 0);
    expect(Number(bar?.[1])).toBeGreaterThan(places[1] ?? 0);
    expect(Number(bar?.[2])).toBeLessThan(places[1] ?? 0);
  });

  test('has the newest budget as a line, if a run has one', () => {
    const drawn = charts(
      pageOf([keptOf(1, 1000, limits(9000)), keptOf(2, 1000, limits(8000)), keptOf(3, 1000)]),
    );
    expect(drawn).toContain('budget 8 s');
    expect(drawn).not.toContain('budget 9 s');
    expect(charts(pageOf([keptOf(1, 1000)]))).not.toContain('class="budget"');
  });

  test('marks each change of the release', () => {
    const labels = ['v1', 'v1', 'v2', 'v2', 'v1'];
    const drawn = charts(pageOf(labels.map((label, i) => keptOf(i, 1000, { label }))));
    const places = [...drawn.matchAll(/class="release"\s+x1="([\d.]+)%"/g)].map(([, x]) => Number(x));
    expect(places).toEqual([40, 80]);
    expect([...drawn.matchAll(/y="12">(v\d)</g)].map(([, label]) => label)).toEqual(['v1', 'v2', 'v1']);
  });

  test('has every run in a table, newest first, with a link to its report if there is one', () => {
    const runs = [keptOf(1, 1000), keptOf(2, 2000)];
    const page = renderTrendHtml([
      { run: runs[1] ?? keptOf(0, 0), href: '../r/run%202/report.html' },
      { run: runs[0] ?? keptOf(0, 0), href: null },
    ]);
    const rows = page.slice(page.indexOf('id="runs"'));
    expect(rows.indexOf('03-03')).toBeLessThan(rows.indexOf('03-02'));
    expect(rows).toContain('<a href="../r/run%202/report.html">crash</a>');
    expect(count(rows, '<a ')).toBe(1);
  });

  test('has the verdict of the newest run of each drill', () => {
    const verdict = (runs: readonly KeptRun[]) => /class="verdict (\w+)"/.exec(pageOf(runs))?.[1];
    expect(verdict([keptOf(1, null), keptOf(2, 1000)])).toBe('pass');
    expect(verdict([keptOf(1, 1000), keptOf(2, null)])).toBe('fail');
    expect(verdict([keptOf(1, 1000, { verdict: 'inconclusive' })])).toBe('inconclusive');
    expect(verdict([keptOf(1, 1000, { healed: false })])).toBe('fail');
    expect(verdict([])).toBe('inconclusive');
  });
});
