import { describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import { runMs } from '../core/time.ts';
import { intervalAt, wallTime } from './run-log.ts';
import { analyseRows } from './written-rows.ts';
import { LogBuilder, planWith, probeOf, readLines, writerOf } from './testing/log-builder.ts';

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
  test('sorts samples by send time, whatever the order of the answers', () => {
    const log = readLines(lines());
    const series = log.series.get('health');
    expect(series?.samples.map((s) => s.slot)).toEqual([1, 2]);
    expect(series?.dropped).toEqual([{ slot: 3, dueMs: 1200, paced: false }]);
    expect(log).toMatchObject({ ended: true, torn: false, startMs: 0, endMs: 2000, aborted: null });
    expect(wallTime(log, runMs(1900))).toBe('2026-03-01T10:00:01.900Z');
  });

  test('notes an incomplete last line and reads the others', () => {
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
      'mark: "name" should be a string, is missing',
    ],
    [
      'a sample of an unplanned probe',
      '{"t":1,"type":"sample","probe":"x","slot":1,"dueMs":1,"sendMs":1,"finishMs":1,"status":"ok"}',
      'probe "x" is not in the plan',
    ],
    [
      'a sample with a strange status',
      '{"t":1,"type":"sample","probe":"health","slot":1,"dueMs":1,"sendMs":1,"finishMs":1,"status":"good"}',
      'sample: "status" should be one of ok, fail, unknown, is "good"',
    ],
    ['null', 'null', 'not a JSON object'],
  ])('refuses %s, even as the last line', (_, line, message) => {
    expect(errorOf([lines()[0] ?? '', line]).message).toContain(message);
  });

  test('fills in parts that the plan of an older log lacks, and refuses damaged ones', () => {
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
    expect(errorOf([odd]).message).toContain('plan.prepare: expected array, received number');
    const flat = start.replace('"models":{}', '"models":[]');
    expect(errorOf([flat]).message).toContain('plan.models: expected record, received array');
  });

  test.each([
    [
      '"sendMs":1000',
      '"sendMs":1e300',
      'sample: "sendMs" should be a number from 0 to 100000000000, is 1e+300',
    ],
    [
      '"sendMs":1000',
      '"sendMs":1e999',
      '"sendMs" should be a number from 0 to 100000000000, is a number that is too large',
    ],
    ['"sendMs":1000', '"sendMs":-1000', '"sendMs" should be a number from 0 to 100000000000, is -1000'],
    ['"sendMs":1000', '"sendMs":"1000"', '"sendMs" should be a number from 0 to 100000000000, is "1000"'],
    ['"sendMs":1000', '"sendMs":2000', 'sample: "finishMs" is before "sendMs"'],
    ['"slot":1,', '"slot":1.5,', '"slot" should be a whole number'],
    ['"slot":1,', '"slot":null,', '"slot" should be a whole number from 0 to 1000000000000, is null'],
    ['"t":1005', '"t":-5', 'sample: "t" should be a number from 0'],
    ['"status":"ok"', '"status":"ok","value":7', '"value" should be a string, is 7'],
  ])('refuses a sample with %s instead of %s', (from, to, message) => {
    const all = new LogBuilder(plan)
      .probing('health', 0, 3000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 5 }))
      .lines();
    const changed = all.map((line) => (line.includes('"t":1005') ? line.replace(from, to) : line));
    expect(changed).not.toEqual(all);
    const error = errorOf(changed);
    expect(error).toMatchObject({ code: 'invalid-input' });
    expect(error.message).toContain('the event log is damaged at line 3: ');
    expect(error.message).toContain(message);
  });

  test.each([
    [
      '"wallMs":',
      '"wallMs":9e15,"x":',
      '"wallMs" should be a number from 0 to 8000000000000000, is 9000000000000000',
    ],
    ['"intervalMs":1000', '"intervalMs":0', 'plan.probes[0].intervalMs: Too small'],
    ['"steady":', '"unsteady":', 'plan.steady: expected object, received undefined'],
    ['"hosts":[]', '"hosts":{}', 'plan.hosts: expected array, received object'],
    [
      '"checks":[]',
      '"checks":[{"kind":"of-tomorrow","name":"c"}]',
      'plan.checks[0].kind: this version has no kind "of-tomorrow" of check',
    ],
    ['"checks":[]', '"checks":[{"kind":"rto","name":"c"}]', 'plan.checks[0].maxMs: expected number'],
    [
      '"models":{}',
      '"models":{"a":{"kind":"sequence","of":[{"model":"b"}]},"b":{"kind":"parallel","of":[{"model":"a"}]}}',
      'plan.models.a: the model contains itself',
    ],
    ['"versions":', '"versions":{},"x":', '"versions.firedrill" should be a string, is missing'],
  ])('refuses a start with %s as %s', (from, to, message) => {
    const [start = ''] = lines();
    const changed = start.replace(from, to);
    expect(changed).not.toBe(start);
    expect(errorOf([changed]).message).toContain(`damaged at line 1: run.started: ${message}`);
  });

  test('refuses lines that are out of order', () => {
    const [start = '', ...rest] = new LogBuilder(plan)
      .probing('health', 0, 6000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 5 }))
      .lines();
    expect(errorOf([start, ...rest.toReversed()]).message).toMatch(
      /damaged at line 4: its time of 3005 ms is before an earlier line's time of 5005 ms: lines are out of order/,
    );
    // Lines that two threads write at nearly the same time may be swapped.
    const [one = '', two = ''] = rest;
    expect(readLines([start, one, two.replace('"t":1005', '"t":4.5')]).endMs).toBeGreaterThan(5);
  });

  test('refuses rows that are not ranges, and reads millions of them', () => {
    const writer = {
      id: 'rows',
      kind: 'http',
      paths: [{ id: 'rows', params: null }],
      clients: 1,
      intervalMs: 100,
      timeoutMs: 900,
      readIntervalMs: 1000,
    };
    const log = (rows: Record<string, string>, client = 1) =>
      new LogBuilder({ ...plan, writers: [writer] })
        .at(10, {
          type: 'row.written',
          writer: 'rows',
          client,
          number: 5,
          sendMs: 1,
          finishMs: 9,
          outcome: 'acked',
        })
        .at(90, {
          type: 'rows.read',
          writer: 'rows',
          path: 'rows',
          place: 'path',
          moment: 'end',
          sendMs: 50,
          finishMs: 80,
          rows,
        })
        .lines();
    const whole = readLines(log({ 1: '1-999999999999' }));
    const record = whole.writing.get('rows')!;
    expect(analyseRows(record).anomalies).toMatchObject({
      present: 1,
      phantom: 999_999_999_994,
      unrecorded: 4,
    });
    for (const [rows, message] of [
      ['5-', 'should be ranges of numbers, is "5-"'],
      ['7-5', 'should be ascending ranges without overlaps, is wrong at 7'],
      ['1-5 3-9', 'should be ascending ranges without overlaps, is wrong at 3'],
      ['1-9999999999999', 'should have no number above'],
      [`1-${'9'.repeat(400)}`, 'should have no number above'],
      ['1x9999999999999', 'should have no number above'],
    ] as const)
      expect(errorOf(log({ 1: rows })).message).toContain(`"rows" of client 1 ${message}`);
    expect(errorOf(log({ x: '1' })).message).toContain('"rows" should have client numbers as keys, has "x"');
    expect(errorOf(log({}, 2)).message).toContain('writer "rows" has no client 2 in the plan');
  });

  test('refuses a parallel read through a path that is not in the plan', () => {
    const log = new LogBuilder(planWith({ writers: [writerOf()] })).at(80, {
      type: 'rows.read',
      writer: 'rows',
      path: 'rows@node-9',
      place: 'path',
      moment: 'parallel',
      sendMs: 70,
      finishMs: 80,
      rows: {},
    });
    expect(errorOf(log.lines()).message).toContain('writer "rows" has no path "rows@node-9" in the plan');
  });

  test('refuses a log without a start, and one of a newer version', () => {
    expect(errorOf([]).message).toContain('no run.started');
    expect(errorOf(['{"t":1,"type":"run.ended"}']).message).toContain('before run.started');
    const newer = (lines()[0] ?? '').replace('"schemaVersion":2', '"schemaVersion":99');
    expect(errorOf([newer]).message).toContain('schema version 99');
  });

  test('ignores unknown types of event', () => {
    expect(readLines([lines()[0] ?? '', '{"t":5,"type":"of.tomorrow","x":1}']).endMs).toBe(5);
  });

  test('knows the interval at each moment', () => {
    const log = new LogBuilder(plan)
      .at(1000, { type: 'rate.changed', burst: true })
      .at(5000, { type: 'rate.changed', burst: false })
      .read();
    const probe = log.plan.probes[0] ?? probeOf('health');
    expect([0, 999, 1000, 4999, 5000].map((t) => intervalAt(log, probe, runMs(t)))).toEqual([
      1000, 1000, 50, 50, 1000,
    ]);
  });

  test('a heal that failed and was proven later is proven', () => {
    const log = new LogBuilder(plan)
      .fault(1000)
      .at(3000, { type: 'heal.failed', fault: 'fault-1', message: 'no route' })
      .at(4000, { type: 'heal.proven', fault: 'fault-1' })
      .read();
    expect(log.faults[0]).toMatchObject({ healedMs: 4000, healFailure: null });
  });
});
