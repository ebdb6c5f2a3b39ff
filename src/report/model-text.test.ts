import { expect, test } from 'vitest';
import { renderWhatIf } from './model-text.ts';

const predicted = { minMs: 0, p5Ms: 500, medianMs: 5000, p95Ms: 9500, maxMs: 10_000 };
const faster = { minMs: 0, p5Ms: 250, medianMs: 2500, p95Ms: 4750, maxMs: 5000 };
const drill = { scenario: 'crash', title: 'A crash', target: 'lab' };

test('a prediction is a table of quantiles and bounds; measured lines are marked', () => {
  const lines = [
    { name: 'tick', predicted },
    { name: 'takeover', predicted: null, why: 'no node takes over' },
    { name: 'RTO', predicted: { ...predicted, measured: true as const } },
  ];
  const text = renderWhatIf({
    schemaVersion: 1,
    trials: 100,
    seed: 7,
    settings: [],
    drills: [
      { ...drill, lines },
      { ...drill, lines: [] },
    ],
  });
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
    100 trials, seed 7

    crash: A crash (lab)
                    p5  median     p95   min      max
      tick      500 ms  5.00 s  9.50 s  0 ms  10.00 s
      takeover                                         no node takes over
      RTO       500 ms  5.00 s  9.50 s  0 ms  10.00 s  *

    crash: A crash (lab)
      no stage has a prediction

    * Includes times that no setting determines. They were measured, so the bounds are only as good as that measurement.
    "
  `);
});

test('a changed setting is listed with its effect', () => {
  const text = renderWhatIf({
    schemaVersion: 1,
    trials: 100,
    seed: 7,
    settings: [
      { name: 'tick.interval', before: '10s', after: '5s' },
      { name: 'lb.rise', before: null, after: 3 },
    ],
    drills: [
      {
        ...drill,
        lines: [
          { name: 'tick', predicted: faster, unchanged: predicted },
          { name: 'boot', predicted, unchanged: predicted },
          { name: 'slower', predicted, unchanged: faster },
        ],
      },
    ],
  });
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
    100 trials, seed 7
    with tick.interval: 10s -> 5s
    with lb.rise: its default -> 3

    crash: A crash (lab)
                  p5  median     p95   min      max  median changes by
      tick    250 ms  2.50 s  4.75 s  0 ms   5.00 s            -2.50 s
      boot    500 ms  5.00 s  9.50 s  0 ms  10.00 s               0 ms
      slower  500 ms  5.00 s  9.50 s  0 ms  10.00 s            +2.50 s
    "
  `);
});
