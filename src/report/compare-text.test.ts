import { describe, expect, test } from 'vitest';
import { compareSides } from '../analysis/compare.ts';
import { keptOf } from '../analysis/testing/kept.ts';
import { renderComparisonMarkdown, renderComparisonText } from './compare-text.ts';
import { historyLine, renderHistoryText } from './history-text.ts';

const side = (name: string, from: number, ...rtos: readonly number[]) => ({
  name,
  runs: rtos.map((rto, i) => keptOf(from + i, rto)),
});

describe('a comparison as text', () => {
  test('of enough runs reports the longer side with its p value', () => {
    const a = side('v1.2', 0, 30_000, 31_000, 32_000, 33_000);
    const b = side('v1.3', 9, 40_000, 41_000, 42_000, 43_000, 44_000);
    expect(`\n${renderComparisonText(compareSides(a, b))}`).toMatchInlineSnapshot(`
      "
      A is v1.2, 4 runs; B is v1.3, 5 runs

      crash: A 4 runs (4 passed), B 5 runs (5 passed)
                 A                             B                             B against A
        RTO      31.50 s [30.00 s to 33.00 s]  42.00 s [40.00 s to 44.00 s]  longer: +10.50 s (+7.90 s to +13.10 s), p 0.016
        notices  1.00 s [1.00 s to 1.00 s]     1.00 s [1.00 s to 1.00 s]     no difference seen: 0 ms (0 ms to 0 ms), p 1.000
        serves   30.50 s [29.00 s to 32.00 s]  41.00 s [39.00 s to 43.00 s]  longer: +10.50 s (+8.00 s to +13.00 s), p 0.016
        - stages are shown without bounds: 4 runs of A and 5 runs of B have none, because an older version wrote them, and
          they count as exact; run \`firedrill report\` on their folders to add bounds

      One run: the estimate and its bounds. Several runs: the median [lowest to highest]. “> T”: timed out after T. B against
      A: the Hodges-Lehmann shift of the nightly medians, with its exact 95 % interval, which includes the bounds of the
      measurements. p: the exact two-sided Mann-Whitney test of that line alone.
      "
    `);
  });

  test('of single runs reports their times, and how many nights a comparison needs', () => {
    const text = renderComparisonText(compareSides(side('v1.2', 0, 30_000), side('v1.3', 9, 40_000)));
    expect(`\n${text}`).toMatchInlineSnapshot(`
      "
      A is v1.2, 1 run; B is v1.3, 1 run

      crash: A 1 run (1 passed), B 1 run (1 passed)
                 A                             B                             B against A
        RTO      30.00 s (29.95 s to 30.05 s)  40.00 s (39.95 s to 40.05 s)  inconclusive: +10.00 s (+9.90 s to +10.10 s)
        notices  1.00 s                        1.00 s                        inconclusive: 0 ms
        serves   29.00 s                       39.00 s                       inconclusive: +10.00 s
        - 1 night of A and 1 night of B cannot tell a difference from noise: a comparison needs at least 4 nights on each
          side. Runs less than 6 h apart count as one night. The differences above hold for these runs only.
        - stages are shown without bounds: 1 run of A and 1 run of B have none, because an older version wrote them, and they
          count as exact; run \`firedrill report\` on their folders to add bounds

      One run: the estimate and its bounds. Several runs: the median [lowest to highest]. “> T”: timed out after T. B against
      A: the Hodges-Lehmann shift of the nightly medians, with its exact 95 % interval, which includes the bounds of the
      measurements. p: the exact two-sided Mann-Whitney test of that line alone.
      "
    `);
  });

  test('as Markdown escapes hostile names', () => {
    const hostile = '<script>|`[x](javascript:1)\u202e';
    const run = (number: number) => ({
      ...keptOf(number, 1000),
      scenario: { ...keptOf(0, 1).scenario, name: hostile },
      stages: [{ name: hostile, startAt: '', endAt: '', ms: 1, includes: [] }],
    });
    const text = renderComparisonMarkdown(
      compareSides({ name: hostile, runs: [run(1)] }, { name: hostile, runs: [run(2)] }),
    );
    expect(text).not.toContain('<script>');
    expect(text).not.toContain('\u202e');
    expect(text).toContain('&lt;script&gt;\\|');
  });
});

test('the history has a line for each run, with a label column if a run has one', () => {
  const lines = [
    historyLine({ ...keptOf(30, 36_210), label: 'v1.3' }, 'reports/run-30'),
    historyLine(
      keptOf(20, 5000, {
        stages: [
          { name: 'serves', startAt: '', endAt: '', ms: 4000, minMs: 3500, maxMs: 4500, includes: [] },
        ],
      }),
      'reports/run-20',
    ),
    historyLine({ ...keptOf(2, null), healed: false }, 'reports/run-2'),
  ];
  expect(`\n${renderHistoryText(lines, 3)}`).toMatchInlineSnapshot(`
    "
    started (UTC)     scenario  target  label  verdict           RTO                           longest stage
    2026-03-31 00:00  crash     lab     v1.3   pass              36.21 s (36.16 s to 36.26 s)  serves, 35.21 s
    2026-03-21 00:00  crash     lab            pass              5.00 s (4.95 s to 5.05 s)     serves, 4.00 s (3.50 s to 4.50 s)
    2026-03-03 00:00  crash     lab            fail, NOT HEALED  –                             –

    3 runs, 3 older not shown
    "
  `);
  expect(renderHistoryText(lines.slice(2), 0)).not.toContain('label');
});
