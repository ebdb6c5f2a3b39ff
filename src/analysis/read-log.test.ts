import { describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import { intervalAt, wallTime } from './read-log.ts';
import { LogBuilder, planWith, probeOf, readLines } from './testing/log-builder.ts';

const plan = planWith({ probes: [probeOf('health', { burstIntervalMs: 50 })] });

function lines(): string[] {
  return new LogBuilder(plan)
    .sample('health', 1, 1000, { status: 'fail', cause: 'timeout', finishMs: 1900 })
    .sample('health', 2, 1100, { status: 'ok', finishMs: 1105 })
    .sample('health', 3, 1200, { status: 'dropped', finishMs: 1200 })
    .at(2000, { type: 'run.ended' })
    .lines();
}

function errorOf(text: readonly string[]): DrillError {
  try {
    readLines(text);
  } catch (error) {
    if (error instanceof DrillError) return error;
    throw error;
  }
  throw new Error('the log was read without complaint');
}

describe('reading an event log', () => {
  test('puts samples in send order, whatever the order of the answers', () => {
    const log = readLines(lines());
    const series = log.series.get('health');
    expect(series?.samples.map((s) => s.slot)).toEqual([1, 2]);
    expect(series?.dropped).toEqual([{ slot: 3, dueMs: 1200, paced: false }]);
    expect(log).toMatchObject({ ended: true, torn: false, startMs: 0, endMs: 2000, aborted: null });
    expect(wallTime(log, 1900)).toBe('2026-03-01T10:00:01.900Z');
  });

  test('notes a torn last line and reads the rest', () => {
    const all = lines();
    const last = all.at(-1) ?? '';
    const log = readLines([...all.slice(0, -1), last.slice(0, 7)]);
    expect(log).toMatchObject({ torn: true, ended: false });
    expect(log.series.get('health')?.samples).toHaveLength(2);
  });

  test('refuses a damaged line in the middle by its number', () => {
    const all = lines();
    all[2] = '{"t":1900,"type":"sam';
    expect(errorOf(all)).toMatchObject({ code: 'invalid-input' });
    expect(errorOf(all).message).toContain('line 3');
  });

  test.each([
    ['a line that is no event', '{"t":1}', 'line 2: no "type"'],
    [
      'an event without a field',
      '{"t":1,"type":"mark","probe":"health"}',
      'mark: "name" should be of type string',
    ],
    [
      'a sample of an unplanned probe',
      '{"t":1,"type":"sample","probe":"x","slot":1,"dueMs":1,"sendMs":1,"finishMs":1,"status":"ok"}',
      'probe "x" is not in the plan',
    ],
    [
      'a sample with a strange status',
      '{"t":1,"type":"sample","probe":"health","slot":1,"dueMs":1,"sendMs":1,"finishMs":1,"status":"good"}',
      'status "good"',
    ],
    ['null', 'null', 'not a JSON object'],
  ])('refuses %s, even as the last line', (_, line, message) => {
    expect(errorOf([lines()[0] ?? '', line]).message).toContain(message);
  });

  test('takes what the plan of an older log lacks for nothing, and refuses it damaged', () => {
    const [start = '', ...rest] = lines();
    const older = start
      .replace(/"(prepare|repair|returnStages)":\[\],?/g, '')
      .replace(/"(ownership|models)":\{\},?/g, '')
      .replace(',"variables":{}', '');
    expect(older).not.toMatch(/prepare|repair|returnStages|ownership|models|variables/);
    const log = readLines([older.replace(',}', '}'), ...rest]);
    expect(log.plan).toEqual(readLines(lines()).plan);
    expect(log).toMatchObject({ preparations: [], repairs: [] });
    const odd = start.replace('"prepare":[]', '"prepare":3');
    expect(errorOf([odd]).message).toContain('"prepare" of the plan should be a list');
    const flat = start.replace('"models":{}', '"models":[]');
    expect(errorOf([flat]).message).toContain('"models" of the plan should be a map');
  });

  test('refuses a log without a start, and one of a newer version', () => {
    expect(errorOf([]).message).toContain('no run.started');
    expect(errorOf(['{"t":1,"type":"run.ended"}']).message).toContain('before run.started');
    const newer = (lines()[0] ?? '').replace('"schemaVersion":1', '"schemaVersion":99');
    expect(errorOf([newer]).message).toContain('schema version 99');
  });

  test('passes over types of event that it does not know', () => {
    expect(readLines([lines()[0] ?? '', '{"t":5,"type":"of.tomorrow","x":1}']).endMs).toBe(5);
  });

  test('knows the interval at each moment', () => {
    const log = new LogBuilder(plan)
      .at(1000, { type: 'rate.changed', burst: true })
      .at(5000, { type: 'rate.changed', burst: false })
      .read();
    const probe = log.plan.probes[0] ?? probeOf('health');
    expect([0, 999, 1000, 4999, 5000].map((t) => intervalAt(log, probe, t))).toEqual([
      1000, 1000, 50, 50, 1000,
    ]);
  });

  test('a heal that failed and then was proven is proven', () => {
    const log = new LogBuilder(plan)
      .fault(1000)
      .at(3000, { type: 'heal.failed', fault: 'fault-1', message: 'no route' })
      .at(4000, { type: 'heal.proven', fault: 'fault-1' })
      .read();
    expect(log.faults[0]).toMatchObject({ healedMs: 4000, healFailure: null });
  });
});
