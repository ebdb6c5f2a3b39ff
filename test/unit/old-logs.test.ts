import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { asKeptRun } from '../../src/analysis/kept-run.ts';
import { readLog } from '../../src/analysis/read-log.ts';
import { analyse } from '../../src/analysis/summarize.ts';

/** A run of the keepalived-docker lab that firedrill 0.1.0 recorded, and the summary that it wrote. */
const testdata = (name: string): Buffer =>
  gunzipSync(readFileSync(join(import.meta.dirname, 'testdata', name)));
const oldSummary: unknown = JSON.parse(testdata('summary-0.1.0.json.gz').toString('utf8'));

/** Keys of summary.json that 0.2.0 renamed, by the old name. */
const renamedKeys: Readonly<Record<string, string>> = {
  nobody: 'none',
  several: 'multiple',
  unseenMs: 'unobservedMs',
  unasked: 'phantom',
  canary: 'controlProbe',
  looks: 'samples',
  sick: 'degraded',
  sickMs: 'degradedMs',
};
/** Values that 0.2.0 renamed, by the old value. */
const renamedValues: Readonly<Record<string, string>> = { announced: 'delivered', unsure: 'uncertain' };
/** Sentences: their wording may change. */
const prose = new Set(['reasons', 'notes', 'observed', 'limit', 'schemaVersion']);
/** Keys that later versions added. */
const added = new Set(['outages']);

/** The figures, verdicts, and names of a summary, with the keys of today. */
function figures(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(figures);
  if (typeof value === 'string') return renamedValues[value] ?? value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !prose.has(key) && !added.has(key))
      .map(([key, of]) => [renamedKeys[key] ?? key, figures(of)]),
  );
}

test('a log of 0.1.0 gives the verdicts and figures that 0.1.0 gave', () => {
  const { summary } = analyse(readLog([testdata('log-0.1.0.ndjson.gz')]));
  expect(summary.schemaVersion).toBe(2);
  expect(figures(JSON.parse(JSON.stringify(summary)))).toEqual(figures(oldSummary));
  expect(JSON.stringify(figures(oldSummary))).toContain('"multiple":[{');
});

test('history and comparisons read a summary of 0.1.0 as one of today', () => {
  const { summary } = analyse(readLog([testdata('log-0.1.0.ndjson.gz')]));
  const [before, now] = [asKeptRun(oldSummary), asKeptRun(summary)];
  expect(figures(before)).toEqual(figures(now));
  expect(before).toMatchObject({ verdict: summary.verdict, rto: summary.rto });
});
