// Checks metrics.prom with promtool.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { summarize } from '../../src/analysis/summarize.ts';
import type { Summary } from '../../src/core/summary.ts';
import { renderMetrics } from '../../src/report/openmetrics.ts';
import { hostileDrill } from '../../src/report/testing/hostile-drill.ts';
import { environment, program } from './lib/readers.ts';

const reports = join(import.meta.dirname, '../../reports');
const examples = readdirSync(reports)
  .filter((name) => name.startsWith('example-'))
  .map((name) => JSON.parse(readFileSync(join(reports, name, 'summary.json'), 'utf8')) as Summary);
const hostile = summarize(hostileDrill().read());

/** promtool's errors and lint warnings for a file; empty if there are none. */
async function problems(text: string): Promise<string> {
  const { exitCode, all } = await execa(program('promtool'), ['check', 'metrics'], {
    input: text,
    reject: false,
    all: true,
    env: environment,
  });
  return exitCode === 0 ? all : `${all}\nexit ${exitCode}`;
}

describe('metrics.prom', () => {
  test.each([
    ['the examples', () => renderMetrics(examples)],
    ['repeats', () => renderMetrics([...examples, ...examples])],
    ['hostile texts', () => renderMetrics([hostile])],
  ])('is valid for Prometheus: %s', async (_, text) => {
    expect(await problems(text())).toBe('');
  });

  test.each([
    ['an unescaped quote', (text: string) => text.replace('scenario="', 'scenario=""')],
    [
      'a unit that is not a base unit',
      (text: string) => text.replaceAll('_rto_seconds', '_rto_milliseconds'),
    ],
    ['metrics without help', (text: string) => text.replace(/^# HELP firedrill_drill_healed.*\n/m, '')],
  ])('promtool refuses %s', async (_, spoil) => {
    expect(await problems(spoil(renderMetrics(examples)))).not.toBe('');
  });
});
