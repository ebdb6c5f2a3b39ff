import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { goalsOf } from './goals.ts';
import type { Results } from './results.ts';
import { renderTable } from './table.ts';

const reports = join(import.meta.dirname, '../reports');

test.each(['bench', 'bench/nights'])(
  'the results in reports/%s are complete: a run of one part renders the others from them',
  (folder) => {
    const results = JSON.parse(readFileSync(join(reports, folder, 'results.json'), 'utf8')) as Results;
    expect(renderTable(results)).not.toMatch(/undefined|NaN/);
    expect(goalsOf(results).filter(({ measured }) => /undefined|NaN/.test(measured))).toEqual([]);
  },
);
