import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadSuite } from '../../src/cli/suite.ts';
import type { Predicted } from '../../src/core/summary.ts';
import { predictRecovery } from '../../src/model/chain.ts';
import { median } from '../../src/analysis/repeats.ts';
import type { FailureTable } from '../../src/report/table.ts';

/*
 * Compares the predictions of the models in compose-lab/certlocker/target.yaml with the
 * figures of a table of drills. The service times in the models are from another table;
 * this table is used only for the comparison.
 */
const table = JSON.parse(readFileSync('reports/table-certlocker/table.json', 'utf8')) as FailureTable;
const { suite, rows } = loadSuite(join('scenarios', 'certlocker', 'suite.yaml'), { variables: {} });

/** A row by its failure: multiple rows can have the same number. */
function rowOf(failure: string): { readonly predictedMs: number; readonly measuredMs: number } {
  const index = suite.rows.findIndex((row) => row.failure === failure);
  const predicted = (rows[index] ?? []).flatMap((plan): Predicted[] => {
    const { rto, redundancy } = predictRecovery(plan, undefined);
    const figure = suite.rows[index]?.figure === 'redundancy' ? redundancy : rto;
    return figure === undefined ? [] : [figure];
  });
  const measured = table.rows.find((row) => row.failure === failure)?.measured?.medianMs;
  expect(predicted).toHaveLength(rows[index]?.length ?? 0);
  return {
    predictedMs: median(predicted.map(({ medianMs }) => medianMs)),
    measuredMs: measured ?? Number.NaN,
  };
}

describe('the predicted median is within 25 % of the measured one', () => {
  test.each([
    ['1', 'Container crash, any service, either node'],
    ['2', 'Router crash on the primary'],
    ['3', 'Postgres crash on the primary'],
    ['5, hard', 'Full node poweroff, hard'],
    ['5, graceful', 'Full node poweroff, graceful, through the cloud'],
    ['5, taken down', 'Stack taken down, watchdog stopped'],
    ['6, cut off', 'Primary node cut off from everybody'],
  ])('row %s', (_row, failure) => {
    const { predictedMs, measuredMs } = rowOf(failure);
    expect(predictedMs).toBeGreaterThan(measuredMs * 0.75);
    expect(predictedMs).toBeLessThan(measuredMs * 1.25);
  });
});
