import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { wallMs } from '../core/time.ts';
import type { KeptRun } from '../analysis/kept-run.ts';
import { keptOf } from '../analysis/testing/kept.ts';
import { defaultTolerance } from '../analysis/tolerance.ts';
import { isWorse } from '../report/gate-text.ts';
import { printAlarmForecast, holdAgainst, readBaseline } from './baseline.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

let out: string;
let said: string[];
const output = {
  data: () => undefined,
  text: () => undefined,
  progress: (line: string) => void said.push(line),
};
beforeEach(() => {
  out = temporaryFolder();
  said = [];
});

function keep(from: number, count: number, label: string, rtoMs = 30_000): void {
  for (let i = from; i < from + count; i++) {
    mkdirSync(join(out, `run-${i}`));
    writeFileSync(join(out, `run-${i}`, 'summary.json'), JSON.stringify(keptOf(i, rtoMs + i, { label })));
  }
}

const read = (label?: string) =>
  readBaseline(
    { baseline: 'v1.2', tolerance: defaultTolerance, out, ...(label === undefined ? {} : { label }) },
    output,
  )!;
const night = (number: number) => wallMs(Date.parse(keptOf(number, 1).startedAt));
const report = (label: string | undefined, figures: number) => {
  printAlarmForecast(read(label), { scenarios: new Set(['crash']), figures, nowMs: night(60) }, output);
  return said;
};

describe('before the first drill', () => {
  test('warns that one night against three nights can never fail, and prints what is needed', () => {
    keep(0, 3, 'v1.2');
    expect(report(undefined, 1)).toEqual([
      'warning: baseline v1.2: 3 nights of the baseline against 1 night cannot show a regression: their lowest possible p is 0.25, and an alarm needs 0.025 or less',
      'hint: a regression needs at least 4 nights on each side, or 39 of the baseline against 1 night. Runs less than 6 h apart count as one night.',
      'hint: pass the same --label and --out on every night of a release; its nights are then compared together',
    ]);
  });

  test('counts nights of the same release, and prints nothing if an alarm is possible', () => {
    keep(0, 5, 'v1.2');
    keep(10, 3, 'v1.3');
    keep(20, 9, 'v1.4');
    expect(report('v1.3', 1)).toEqual([]);
    expect(report('v1.3', 24)).toEqual([
      'note: baseline v1.2: 5 nights of the baseline against 4 nights can only show that all 24 figures together got slower; a single one of 24 figures needs at least 7 nights on each side. Runs less than 6 h apart count as one night.',
    ]);
  });

  test('treats a baseline without runs of the drills as missing', () => {
    keep(0, 9, 'v1.2');
    printAlarmForecast(read(), { scenarios: new Set(['other']), figures: 1, nowMs: night(60) }, output);
    expect(said[0]).toMatch(/^warning: .* 0 nights of the baseline against .* cannot show a regression/);
  });
});

test('compares tonight with the baseline, together with earlier nights of its release', () => {
  keep(0, 5, 'v1.2');
  keep(10, 4, 'v1.3', 60_000);
  const tonight: readonly KeptRun[] = [keptOf(40, 60_000, { label: 'v1.3' })];
  const alone = holdAgainst(read(), tonight, new Map());
  expect(alone.drills).toMatchObject([{ status: 'inconclusive' }]);
  const together = holdAgainst(read('v1.3'), tonight, new Map());
  expect(together.drills).toMatchObject([{ status: 'fail', baseline: { nights: 5 }, now: { nights: 5 } }]);
  expect([isWorse(alone), isWorse(together)]).toEqual([false, true]);
  // Only drills of tonight are judged tonight.
  const other = { ...keptOf(0, 1).scenario, name: 'other' };
  expect(holdAgainst(read('v1.3'), [keptOf(40, 1, { scenario: other })], new Map()).drills).toHaveLength(1);
});
