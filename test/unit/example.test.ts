import { cpSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeReports } from '../../src/cli/run-folder.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const reports = join(import.meta.dirname, '../../reports');
const examples = readdirSync(reports).filter((name) => name.startsWith('example-'));

describe('a committed run', () => {
  test('exists for the reference stack', () => {
    expect(examples).toContain('example-certlocker');
  });

  test.each(examples)('%s: the event log alone gives the committed reports, byte for byte', (name) => {
    const folder = temporaryFolder();
    cpSync(join(reports, name, 'events.ndjson'), join(folder, 'events.ndjson'));
    const { summary } = writeReports(folder);
    const total = summary.stages.reduce((sum, stage) => sum + stage.ms, 0);
    expect(total).toBeCloseTo(summary.rto?.ms ?? Number.NaN, 3);
    for (const file of [
      'summary.json',
      'report.html',
      'report.md',
      'samples.csv',
      'junit.xml',
      'metrics.prom',
    ]) {
      expect(readFileSync(join(folder, file), 'utf8'), file).toBe(
        readFileSync(join(reports, name, file), 'utf8'),
      );
    }
  });
});
