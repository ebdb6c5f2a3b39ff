import { describe, expect, test } from 'vitest';
import type { ReadMoment } from '../core/event.ts';
import type { Check } from '../core/plan.ts';
import type { CheckResult, Summary } from '../core/summary.ts';
import type { WriteOutcome } from '../core/writer.ts';
import { summarize } from './summarize.ts';
import { LogBuilder, planWith, probeOf, writerOf } from './testing/log-builder.ts';

const writer = writerOf();

/** Client, number, send time, finish, and outcome (default: `acked`). */
type Write = readonly [client: number, number: number, sendMs: number, finishMs: number, WriteOutcome?];
/** Path, send time, finish, and rows; without rows it failed. */
type Read = readonly [
  path: string,
  sendMs: number,
  finishMs: number,
  rows?: Readonly<Record<string, string>>,
];
interface Case {
  readonly writes?: readonly Write[];
  readonly reads?: readonly Read[];
  /** The rows that both paths return at the end, or each of them. */
  readonly end?: Readonly<Record<string, string>>;
  readonly ends?: readonly (readonly [path: string, rows: Readonly<Record<string, string>> | undefined])[];
  readonly copies?: readonly (readonly [path: string, rows: Readonly<Record<string, string>>])[];
  readonly checks?: readonly Check[];
  readonly killed?: true;
  /** When the writers were stopped, ms; undefined: not in the log. */
  readonly stoppedMs?: number;
}

/** A drill whose fault takes effect between 10 000 and 10 150 ms. */
function drill(parts: Case): Summary {
  const { writes = [], reads = [], end = {}, ends, copies = [], checks = [], killed, stoppedMs } = parts;
  const plan = planWith({ probes: [probeOf('health')], writers: [writer], checks });
  const log = new LogBuilder(plan)
    .probing('health', 0, 60_000, 1000, (sendMs) => ({ status: 'ok', finishMs: sendMs + 5 }))
    .fault(10_000, { healedMs: 40_000 });
  for (const [client, number, sendMs, finishMs, outcome = 'acked'] of writes)
    log.at(finishMs, { type: 'row.written', writer: 'rows', client, number, sendMs, finishMs, outcome });
  const read = (
    path: string,
    rows: Readonly<Record<string, string>> | undefined,
    [place, moment, sendMs, finishMs]: readonly ['path' | 'copy', ReadMoment, number, number],
  ): void => {
    const what = rows === undefined ? { message: 'no way' } : { rows };
    log.at(finishMs, { type: 'rows.read', writer: 'rows', path, place, moment, sendMs, finishMs, ...what });
  };
  for (const [path, sendMs, finishMs, rows] of reads)
    read(path, rows, ['path', 'parallel', sendMs, finishMs]);
  for (const [path, rows] of copies) read(path, rows, ['copy', 'before-heal', 39_000, 39_010]);
  for (const [path, rows] of ends ?? writer.paths.map((p) => [p.id, end] as const))
    read(path, rows, ['path', 'end', 59_000, 59_010]);
  if (stoppedMs !== undefined) log.at(stoppedMs, { type: 'phase.started', phase: 'read-back' });
  if (killed === undefined) log.at(60_000, { type: 'run.ended' });
  return summarize(log.read());
}

function rowsOf(parts: Case): Summary['writers'][number] {
  const [rows] = drill(parts).writers;
  if (rows === undefined) throw new Error('no writer in the summary');
  return rows;
}

describe('the fate of the rows', () => {
  test('is counted by outcome and by the read-back', () => {
    const rows = rowsOf({
      writes: [
        [1, 1, 1000, 1010],
        [1, 2, 1100, 1110],
        [1, 3, 1200, 1210],
        [2, 1, 1000, 1004, 'refused'],
        [2, 2, 1100, 1104, 'refused'],
        [3, 1, 1000, 3000, 'indeterminate'],
        [3, 2, 3100, 5100, 'indeterminate'],
        [4, 1, 1000, 1010],
      ],
      // 1-3 is lost, 1-2 is duplicated, 2-2 and 4-7 are phantom rows, and 3-2 is present.
      end: { 1: '1 2x2', 2: '2', 3: '2', 4: '1 7' },
    });
    expect(rows).toMatchObject({ written: 8, acked: 4, refused: 2, indeterminate: 2 });
    expect(rows.found).toEqual({
      present: 3,
      lost: 1,
      duplicated: 1,
      phantom: 2,
      indeterminatePresent: 1,
      indeterminateAbsent: 1,
    });
  });

  test('is unknown if no path returned them', () => {
    const summary = drill({
      writes: [[1, 1, 1000, 1010]],
      ends: [['rows@node-1', undefined]],
    });
    expect(summary.writers[0]).toMatchObject({ found: null, rpo: null, losses: [] });
    expect(summary.rpo).toBeNull();
    expect(summary.notes).toEqual(['rows: the rows were not read back, so the RPO is unknown']);
  });

  test('is judged by the readable paths', () => {
    const rows = rowsOf({
      writes: [[1, 1, 1000, 1010]],
      ends: [
        ['rows@node-1', undefined],
        ['rows@node-2', { 1: '1' }],
      ],
    });
    expect(rows.found).toMatchObject({ present: 1, lost: 0 });
  });

  test('a row that only one path returns counts as lost, with a note', () => {
    const summary = drill({
      writes: [
        [1, 1, 1000, 1010],
        [3, 1, 1000, 1010],
      ],
      ends: [
        ['rows@node-1', { 1: '1', 3: '1' }],
        ['rows@node-2', { 3: '1' }],
      ],
    });
    expect(summary.writers[0]?.found).toMatchObject({ present: 1, lost: 1 });
    expect(summary.notes).toEqual([
      'rows: 1 rows were read back by one path and not by another; they count as lost',
    ]);
  });
});

describe('the RPO', () => {
  test('is 0 if nothing is lost, whatever was refused or indeterminate', () => {
    const summary = drill({
      writes: [
        [1, 1, 1000, 1010],
        [1, 2, 1100, 1110, 'refused'],
        [1, 3, 1200, 3200, 'indeterminate'],
      ],
      end: { 1: '1' },
    });
    expect(summary.rpo).toEqual({ acked: 1, lost: 0, duplicated: 0, ms: 0, minMs: 0, maxMs: 0 });
    expect(summary.writers[0]?.losses).toEqual([]);
  });

  test('lasts from the first lost write to the last, with the bounds of both', () => {
    const { losses, rpo } = rowsOf({
      writes: [
        [1, 1, 10_000, 10_010],
        [1, 2, 10_100, 10_110],
        // Lost: begins in [10 100, 10 210], ends in [10 400, 10 505].
        [1, 3, 10_200, 10_210],
        [1, 4, 10_300, 10_310],
        [1, 5, 10_400, 10_410],
        [1, 6, 10_500, 10_505, 'refused'],
        [1, 7, 12_000, 12_010],
      ],
      end: { 1: '1-2 7' },
    });
    expect(rpo).toEqual({ ms: 297.5, minMs: 190, maxMs: 405 });
    expect(losses).toMatchObject([
      // Offsets are from the middle of the effect's bounds, 10 075 ms; the start's is 10 155 ms.
      { path: 'rows@node-1', rows: 3, fromMs: 80, ms: 297.5, minMs: 190, maxMs: 405 },
    ]);
    expect(losses[0]?.startAt).toBe('2026-03-01T10:00:10.155Z');
    expect(losses[0]?.endAt).toBe('2026-03-01T10:00:10.453Z');
  });

  test('of a single lost write is between 0 and the time between its neighbors', () => {
    const { rpo } = rowsOf({
      writes: [
        [1, 1, 1000, 1010],
        [1, 2, 1100, 1110],
        [1, 3, 1200, 1210],
      ],
      end: { 1: '1 3' },
    });
    expect(rpo).toEqual({ ms: 105, minMs: 0, maxMs: 210 });
  });

  test('begins after a refused write: nothing before it can be lost', () => {
    const { rpo } = rowsOf({
      writes: [
        [1, 1, 1000, 1010],
        [1, 2, 5000, 5005, 'refused'],
        [1, 3, 5100, 5110],
        [1, 4, 5200, 5205, 'refused'],
      ],
      end: { 1: '1' },
    });
    expect(rpo).toEqual({ ms: 102.5, minMs: 0, maxMs: 205 });
  });

  test('ends when an unanswered write was due, not at its timeout', () => {
    const { rpo } = rowsOf({
      writes: [
        // The slowest answer took 30 ms.
        [1, 1, 900, 930],
        [1, 2, 1000, 1010],
        [1, 3, 1100, 3100, 'indeterminate'],
      ],
      end: { 1: '1' },
    });
    expect(rpo).toMatchObject({ minMs: 0, maxMs: 1130 - 900 });
  });

  test('ends with the last answer if there is no later write', () => {
    expect(rowsOf({ writes: [[1, 1, 1000, 1010]], end: {} }).rpo).toEqual({ ms: 5, minMs: 0, maxMs: 10 });
  });

  test('joins simultaneous writes to one loss, and ends with a write that is certainly between two losses', () => {
    const same = rowsOf({
      writes: [
        [1, 1, 1000, 1020],
        [2, 1, 1010, 1030],
        [1, 2, 1025, 1040],
      ],
      end: { 2: '1' },
    });
    expect(same.losses).toMatchObject([{ rows: 2 }]);
    const apart = rowsOf({
      writes: [
        [1, 1, 1000, 1010],
        [1, 2, 1100, 1110],
        [1, 3, 1200, 1210],
      ],
      end: { 1: '2' },
    });
    expect(apart.losses).toMatchObject([
      { rows: 1, minMs: 0, maxMs: 110 },
      { rows: 1, minMs: 0, maxMs: 110 },
    ]);
  });

  test('is reported by path, and spans all paths', () => {
    const { losses, rpo } = rowsOf({
      writes: [
        [1, 1, 1000, 1010],
        [3, 1, 5000, 5010],
      ],
      end: {},
    });
    expect(losses.map(({ path }) => path)).toEqual(['rows@node-1', 'rows@node-2']);
    expect(rpo).toEqual({ ms: (3990 + 4010) / 2, minMs: 3990, maxMs: 4010 });
  });

  test('has the lost rows that each host held before anything was healed', () => {
    const { losses } = rowsOf({
      writes: [
        [1, 1, 1000, 1010],
        [1, 2, 1100, 1110],
      ],
      copies: [
        ['rows@node-1', { 1: '1-2' }],
        ['rows@node-2', {}],
      ],
      end: {},
    });
    expect(losses[0]?.copies).toEqual({ 'node-1': 2, 'node-2': 0 });
  });
});

describe('stale reads', () => {
  const writes: readonly Write[] = [
    [1, 1, 1000, 1010],
    [1, 2, 2000, 2010],
    [3, 1, 2000, 2010],
  ];
  const end = { 1: '1-2', 3: '1' };

  test('miss a row that was acknowledged before they were sent', () => {
    const { reads } = rowsOf({
      writes,
      end,
      reads: [
        ['rows@node-1', 1500, 1510, { 1: '1' }],
        // Sent before the second row was acknowledged, so it may miss it.
        ['rows@node-1', 2005, 2015, { 1: '1' }],
        ['rows@node-1', 2500, 2510, { 1: '1', 3: '1' }],
        ['rows@node-1', 3000, 3010, { 1: '1-2' }],
        ['rows@node-1', 3500, 3510, { 1: '1-2', 3: '1' }],
        ['rows@node-2', 2500, 2510],
      ],
    });
    expect(reads).toMatchObject({ count: 6, failed: 1, stale: 2, behindMs: 990 });
    // Begins in [2005, 2510], ends in [3000, 3510].
    expect(reads.windows).toMatchObject([
      { path: 'rows@node-1', reads: 2, minMs: 490, maxMs: 1505, behindMs: 990 },
    ]);
    // Another 515 ms fit between two reads.
    expect(reads.staleFor).toEqual({ ms: 997.5, minMs: 490, maxMs: 2020 });
  });

  test('include reads with a gap, whatever rows are after it', () => {
    const { reads } = rowsOf({
      writes: [...writes, [1, 3, 2100, 2110]],
      end: { 1: '1-3', 3: '1' },
      reads: [['rows@node-1', 3000, 3010, { 1: '1 3x2 4-9', 3: '1' }]],
    });
    expect(reads).toMatchObject({ stale: 1, behindMs: 990 });
  });

  test('are counted once if two paths are stale at the same time', () => {
    const { reads } = rowsOf({
      writes,
      end,
      reads: [
        ['rows@node-1', 3000, 3010, {}],
        ['rows@node-1', 3500, 3510, {}],
        ['rows@node-2', 3200, 3210, {}],
        ['rows@node-2', 3700, 3710, {}],
      ],
    });
    // Certainly [3010, 3500] and [3210, 3700]; at most [3000, 3710].
    expect(reads.staleFor).toMatchObject({ minMs: 690, maxMs: 710 });
    expect(reads.windows.map(({ endAt }) => endAt)).toEqual([null, null]);
  });

  test('do not count lost rows: no read will return them', () => {
    const { reads } = rowsOf({
      writes,
      end: { 1: '1', 3: '1' },
      reads: [['rows@node-1', 3000, 3010, { 1: '1', 3: '1' }]],
    });
    expect(reads.stale).toBe(0);
  });
});

describe('a check', () => {
  const lossOf300: Case = {
    writes: [
      [1, 1, 10_100, 10_110],
      [1, 2, 10_200, 10_210],
      [1, 3, 10_300, 10_310],
      [1, 4, 10_500, 10_510],
      [1, 5, 10_600, 10_610],
    ],
    // 2 to 4 lost: begins in [10 100, 10 210], ends in [10 500, 10 610]: 290 to 510 ms.
    end: { 1: '1 5' },
  };
  const nothingLost: Case = { ...lossOf300, end: { 1: '1-5' } };
  const judged = (check: Check, parts: Case): CheckResult & { readonly reasons: readonly string[] } => {
    const { checks, reasons } = drill({ ...parts, checks: [check] });
    const [result] = checks;
    if (result === undefined) throw new Error('no check was judged');
    return { ...result, reasons };
  };
  const rpo = (limits: { minMs?: number; maxMs?: number }): Check => ({
    kind: 'rpo',
    name: 'c',
    of: 'rows',
    ...limits,
  });

  test.each<[{ minMs?: number; maxMs?: number }, string]>([
    [{ maxMs: 1000 }, 'pass'],
    [{ minMs: 200 }, 'pass'],
    [{ minMs: 200, maxMs: 600 }, 'pass'],
    [{ maxMs: 200 }, 'fail'],
    [{ minMs: 600 }, 'fail'],
    [{ maxMs: 0 }, 'fail'],
    [{ maxMs: 400 }, 'inconclusive'],
  ])('of the RPO with a loss of 290 to 510 ms, %j is a %s', (limits, status) => {
    expect(judged(rpo(limits), lossOf300)).toMatchObject({ status, measured: { minMs: 290, maxMs: 510 } });
  });

  test.each<[{ minMs?: number; maxMs?: number }, string]>([
    [{ maxMs: 0 }, 'pass'],
    [{ maxMs: 1000 }, 'pass'],
    [{ minMs: 1 }, 'fail'],
  ])('of the RPO without a loss, %j is a %s', (limits, status) => {
    expect(judged(rpo(limits), nothingLost)).toMatchObject({ status, measured: { minMs: 0, maxMs: 0 } });
  });

  test('of the RPO reports the loss', () => {
    expect(judged(rpo({ maxMs: 0 }), lossOf300)).toMatchObject({
      observed: '3 of 5 acknowledged writes lost, written within 400 ms (290 ms to 510 ms)',
      limit: 'no acknowledged write lost',
    });
    expect(judged(rpo({ minMs: 1000 }), nothingLost).reasons[0]).toBe(
      'c: no acknowledged write of rows was lost (0 of 5 acknowledged writes lost); the check requires a loss of at least 1 s',
    );
  });

  test('of a single loss fails a limit of 0 although it may have taken no time', () => {
    const single: Case = { writes: [[1, 1, 10_100, 10_110]], end: {} };
    expect(judged(rpo({ maxMs: 0 }), single)).toMatchObject({ status: 'fail', measured: { minMs: 0 } });
  });

  test.each<[Case, string]>([
    [{ ...lossOf300, ends: [['rows@node-1', undefined]] }, 'no path returned them'],
    [{ ...lossOf300, ends: [], killed: true }, 'the run was cut short'],
    [{ writes: [[1, 1, 1000, 1010, 'refused']] }, 'nothing to lose'],
  ])('is inconclusive if nothing can be judged', (parts, why) => {
    for (const check of [rpo({ maxMs: 0 }), rows('lost', { max: 0 }), stale({ maxMs: 0 })]) {
      const { status, reasons } = judged(check, parts);
      expect(status).toBe('inconclusive');
      expect(reasons.join('\n')).toContain(why);
    }
  });

  const rows = (are: 'lost' | 'duplicated' | 'phantom', limits: { min?: number; max?: number }): Check => ({
    kind: 'rows',
    name: 'c',
    of: 'rows',
    are,
    ...limits,
  });

  test.each<['lost' | 'duplicated' | 'phantom', { min?: number; max?: number }, string, string]>([
    ['lost', { max: 0 }, 'fail', 'none'],
    ['lost', { min: 3, max: 3 }, 'pass', '3 to 3'],
    ['lost', { min: 4 }, 'fail', 'at least 4'],
    ['duplicated', { max: 0 }, 'fail', 'none'],
    ['duplicated', { max: 1 }, 'pass', 'at most 1'],
    ['phantom', { max: 0 }, 'fail', 'none'],
    ['phantom', { max: 2 }, 'pass', 'at most 2'],
  ])('of rows that are %s, %j is a %s', (are, limits, status, limit) => {
    const parts = { ...lossOf300, end: { 1: '1x2 5', 4: '8-9' } };
    expect(judged(rows(are, limits), parts)).toMatchObject({ status, limit });
  });

  const stale = (limits: { minMs?: number; maxMs?: number }): Check => ({
    kind: 'stale-reads',
    name: 'c',
    of: 'rows',
    ...limits,
  });

  test.each<[{ minMs?: number; maxMs?: number }, string]>([
    [{ maxMs: 0 }, 'fail'],
    [{ maxMs: 5000 }, 'pass'],
    [{ minMs: 400 }, 'pass'],
    [{ minMs: 5000 }, 'fail'],
  ])('of stale reads of 490 to 510 ms, %j is a %s', (limits, status) => {
    const reads: readonly Read[] = [
      ['rows@node-1', 11_000, 11_010, {}],
      ['rows@node-1', 11_500, 11_510, {}],
    ];
    expect(judged(stale(limits), { ...nothingLost, reads })).toMatchObject({ status });
  });

  test('of stale reads passes without a stale read, and is inconclusive without a successful one', () => {
    const good: readonly Read[] = [['rows@node-1', 11_000, 11_010, { 1: '1-5' }]];
    expect(judged(stale({ maxMs: 0 }), { ...nothingLost, reads: good })).toMatchObject({
      status: 'pass',
      observed: '0 of 1 reads',
    });
    expect(
      judged(stale({ maxMs: 0 }), { ...nothingLost, reads: [['rows@node-1', 11_000, 11_010]] }).status,
    ).toBe('inconclusive');
  });

  test('of rows whose writes the log lacks is inconclusive instead of a pass, and they are not phantom rows', () => {
    const parts: Case = {
      writes: [
        [1, 1, 1000, 1010],
        [1, 4, 1300, 1310],
      ],
      end: { 1: '1-4' },
    };
    const summary = drill({ ...parts, checks: [rows('phantom', { max: 0 }), rows('lost', { max: 0 })] });
    expect(summary.checks).toMatchObject([
      { status: 'inconclusive', observed: '0 of 2' },
      { status: 'inconclusive' },
    ]);
    expect(summary.notes.join()).toContain('rows: the event log lacks 2 writes');
    expect(judged(rows('phantom', { max: 0 }), { ...parts, end: { 1: '1-5' } })).toMatchObject({
      status: 'fail',
      observed: '1 of 2',
    });
  });

  test.each<{ stoppedMs: number; there: string; phantom: number; lacks?: string }>([
    // A client writes every 100 ms: at 1.4 s and 1.5 s, too, until 1.55 s. Its write of 1.3 s was 30 ms late.
    { stoppedMs: 1410, there: '1-5', phantom: 0, lacks: '1 write' },
    { stoppedMs: 1550, there: '1-5', phantom: 0, lacks: '1 write' },
    { stoppedMs: 1550, there: '1-4 6', phantom: 0, lacks: '2 writes' },
    { stoppedMs: 1550, there: '1-7', phantom: 1, lacks: '2 writes' },
    { stoppedMs: 1380, there: '1-5', phantom: 1 },
    { stoppedMs: 1550, there: '1-4', phantom: 0 },
  ])(
    'of a row beyond the last write of its client is inconclusive if the client wrote on: $there, stopped at $stoppedMs',
    ({ stoppedMs, there, phantom, lacks }) => {
      const summary = drill({
        writes: [
          [1, 1, 1000, 1010],
          [1, 2, 1100, 1110],
          [1, 3, 1200, 1210],
          [1, 4, 1330, 1340],
        ],
        end: { 1: there },
        stoppedMs,
        checks: [rows('phantom', { max: 0 })],
      });
      expect(summary.writers[0]?.found?.phantom).toBe(phantom);
      const open = lacks === undefined ? 'pass' : 'inconclusive';
      expect(summary.checks[0]?.status).toBe(phantom > 0 ? 'fail' : open);
      expect(/the event log lacks ([^:]+):/.exec(summary.notes.join())?.[1]).toBe(lacks);
    },
  );

  test('of rows whose writes the log lacks is inconclusive instead of failing by a minimum, and fails by a maximum', () => {
    // Rows 2 and 3 are lost, and so are their lines; row 4 is lost.
    const parts: Case = {
      writes: [
        [1, 1, 1000, 1010],
        [1, 4, 1300, 1310],
        [1, 5, 1400, 1410],
      ],
      end: { 1: '1 5' },
    };
    const checks = [rows('lost', { min: 3 }), rows('lost', { max: 0 }), rows('lost', { min: 1, max: 1 })];
    expect(drill({ ...parts, checks }).checks.map((c) => c.status)).toEqual([
      'inconclusive',
      'fail',
      'inconclusive',
    ]);
  });
});
