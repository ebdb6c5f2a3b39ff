import { describe, expect, test } from 'vitest';
import type { DrillEvent, NewEvent } from '../core/event.ts';
import { rangesOf, rangesText } from '../core/row-ranges.ts';
import { fromPlain, type Plain } from '../core/testing/plain.ts';
import { RangeTree } from './range-tree.ts';
import { LogBuilder, planWith, probeOf, readLines, seeded, writerOf } from './testing/log-builder.ts';
import { naiveRows } from './testing/naive-rows.ts';
import { summarize } from './summarize.ts';
import { analyseRows } from './written-rows.ts';

const writer = writerOf();
const plan = planWith({ probes: [probeOf('health')], writers: [writer] });

/** Rows in a store: `client`, `number`, and count. */
type Content = readonly (readonly [client: number, number: number, times: number])[];

function textsOf(content: Content): Record<string, string> {
  const byClient = Map.groupBy(content, ([client]) => client);
  return Object.fromEntries(
    [...byClient].map(([client, rows]) => {
      const numbers = rows.flatMap(([, number, times]) => Array.from({ length: times }, () => number));
      return [String(client), rangesText(rangesOf(numbers))];
    }),
  );
}

/**
 * A random log: clients write at their own pace with all outcomes. Reads miss a random share of the rows or the newest ones.
 * The read-back lacks, repeats, and invents rows. In a quarter of the logs no row is lost.
 */
function randomEvents(seed: number): readonly DrillEvent[] {
  const random = seeded(seed);
  const chance = (share: number): boolean => random() < share;
  const whole = (below: number): number => Math.floor(random() * below);
  const events: DrillEvent[] = [];
  const add = (t: number, event: Plain<NewEvent>): void =>
    void events.push(fromPlain<DrillEvent>({ t, ...event }));
  const [refuses, opens, loses] = [random() * 0.4, random() * 0.3, chance(0.25) ? 0 : random() * 0.4];
  const committed: { client: number; number: number; atMs: number }[] = [];
  const lost = new Set<string>();
  for (let client = 1; client <= 4; client++) {
    let atMs = 1000 + whole(100);
    for (let number = 1; number <= 10 + whole(50); number++) {
      const sendMs = atMs;
      const finishMs = sendMs + 1 + whole(chance(0.1) ? 900 : 40);
      const outcome = chance(refuses) ? 'refused' : chance(opens) ? 'indeterminate' : 'acked';
      // A late line is after the lines of later rows.
      const loggedMs = finishMs + (chance(0.05) ? whole(500) : 0);
      add(loggedMs, { type: 'row.written', writer: 'rows', client, number, sendMs, finishMs, outcome });
      if (outcome === 'acked' || (outcome === 'indeterminate' && chance(0.5)) || chance(0.02))
        committed.push({ client, number, atMs: sendMs + whole(finishMs - sendMs) });
      if (chance(loses)) lost.add(`${client}/${number}`);
      atMs = finishMs + whole(100);
    }
  }
  const read = (path: string, sendMs: number, misses: number, lagMs: number): void => {
    const content: Content = committed
      .filter((row) => row.atMs <= sendMs - lagMs && !chance(misses))
      .map(({ client, number }) => [client, number, 1]);
    const finishMs = sendMs + 1 + whole(30);
    const what = chance(0.1) ? { message: 'no way' } : { rows: textsOf(content) };
    const where = { writer: 'rows', path, place: 'path', moment: 'parallel' } as const;
    add(finishMs, { type: 'rows.read', ...where, sendMs, finishMs, ...what });
  };
  for (const { id } of writer.paths)
    for (let sendMs = 1000 + whole(500); sendMs < 6000; sendMs += 20 + whole(500))
      read(id, sendMs, chance(0.3) ? 0.05 : 0, chance(0.3) ? whole(400) : 0);
  const invented: Content = chance(0.3) ? [[1 + whole(4), 100 + whole(5), 1]] : [];
  for (const { id } of writer.paths) {
    const content: Content = committed
      .filter(({ client, number }) => !lost.has(`${client}/${number}`) && !chance(0.01))
      .map(({ client, number }) => [client, number, chance(0.05) ? 2 : 1]);
    const where = { writer: 'rows', path: id, place: 'path', moment: 'end' } as const;
    const rows = textsOf([...content, ...invented]);
    add(60_000, { type: 'rows.read', ...where, sendMs: 59_990, finishMs: 60_000, rows });
  }
  return events.sort((a, b) => a.t - b.t);
}

function analysed(events: readonly DrillEvent[]) {
  const log = new LogBuilder(plan);
  for (const event of events) log.at(event.t, event);
  const record = log.read().writing.get('rows');
  if (record === undefined) throw new Error('the log has no writer');
  return analyseRows(record);
}

describe('rows in columns', () => {
  test('give the same figures as a row-by-row analysis, in 400 random logs', () => {
    for (let seed = 1; seed <= 400; seed++) {
      const events = randomEvents(seed);
      const naive = naiveRows(writer, events);
      const { anomalies, losses, reads, staleness } = analysed(events);
      const found = {
        anomalies: { ...anomalies, unrecorded: undefined },
        losses: losses.map((loss) => ({ ...loss, rows: loss.rows.length })),
        reads,
        staleness,
      };
      expect(found, `seed ${seed}`).toEqual({
        ...naive,
        anomalies: { ...naive.anomalies, unrecorded: undefined },
      });
    }
  });

  /** A log of `rows` rows by one path's client, written once per millisecond. The read-back has those up to `kept`. */
  function summaryOf(rows: number, kept: number) {
    const single = { ...writer, paths: writer.paths.slice(0, 1), clients: 1 };
    const checks = [
      { kind: 'rpo', name: 'no loss', of: 'rows', maxMs: 0 },
      { kind: 'rpo', name: 'little loss', of: 'rows', maxMs: 200_000 },
    ] as const;
    const [start = '', ...rest] = new LogBuilder({ ...plan, writers: [single], checks })
      .probing('health', 0, rows, 10_000, (ms) => ({ status: 'ok', finishMs: ms + 5 }))
      .fault(10_000, { healedMs: 40_000 })
      .lines();
    const where = { type: 'rows.read', writer: 'rows', path: 'rows@node-1', place: 'path' };
    const lineOf = (t: number, event: object): string => JSON.stringify({ t, ...event });
    const lines = [start];
    let other = 0;
    for (let number = 1; number <= rows; number++) {
      while (other < rest.length && (JSON.parse(rest[other] ?? '') as DrillEvent).t <= number)
        lines.push(rest[other++] ?? '');
      const row = { client: 1, number, sendMs: number, finishMs: number + 0.5, outcome: 'acked' };
      lines.push(lineOf(number + 0.5, { type: 'row.written', writer: 'rows', ...row }));
    }
    const read = { ...where, moment: 'end', sendMs: rows + 2, finishMs: rows + 3, rows: { 1: `1-${kept}` } };
    return summarize(readLines([...lines, lineOf(rows + 3, read), lineOf(rows + 4, { type: 'run.ended' })]));
  }

  test('of 300,000 writes, none lost, have a verdict', () => {
    const { writers, checks } = summaryOf(300_000, 300_000);
    expect(writers[0]).toMatchObject({ acked: 300_000, found: { present: 300_000, lost: 0 }, losses: [] });
    expect(checks.map(({ status }) => status)).toEqual(['pass', 'pass']);
  });

  test('of 300,000 writes, half of them lost, have a verdict', () => {
    const { writers, checks } = summaryOf(300_000, 150_000);
    expect(writers[0]).toMatchObject({
      found: { present: 150_000, lost: 150_000 },
      rpo: { minMs: 149_998.5, maxMs: 150_000.5 },
      losses: [{ rows: 150_000 }],
    });
    expect(checks.map(({ status }) => status)).toEqual(['fail', 'pass']);
  });
});

describe('a tree of ranges', () => {
  const range = (from: number, to = from) => ({ from, to });

  test('stores common beginnings of lists once, and grows with their changes', () => {
    const tree = new RangeTree();
    const gaps = Array.from({ length: 300 }, (_, index) => range(10 * index + 1, 10 * index + 9));
    const node = tree.add(gaps);
    for (let read = 0; read < 1000; read++) expect(tree.add(gaps)).toBe(node);
    expect(tree.add([...gaps, range(4000)])).toBe(node + 1);
    expect(tree.add([...gaps.slice(0, -1), range(5000)])).toBe(node + 2);
  });

  test('folds each list from its first range on', () => {
    const tree = new RangeTree();
    const [one, two, other] = [
      tree.add([range(1, 3)]),
      tree.add([range(1, 3), range(7)]),
      tree.add([range(2)]),
    ];
    const sums = tree.fold(100, (sum, from, to) => sum + from * 10 + to);
    expect([sums[one], sums[two], sums[other]]).toEqual([113, 190, 122]);
  });
});
