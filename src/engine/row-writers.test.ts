import { describe, expect, test } from 'vitest';
import type { Clock } from '../core/clock.ts';
import type { NewEvent } from '../core/event.ts';
import type { PlannedWriter } from '../core/plan.ts';
import { rangesOf } from '../core/row-ranges.ts';
import { later, runMs } from '../core/time.ts';
import type { Row, WriterKind, Written } from '../core/writer.ts';
import { startRowWriters, storeName, type RowWriters } from './row-writers.ts';
import type { Timers } from './schedule.ts';
import { simulatedClock, timersOn } from './testing/simulated-clock.ts';

const planned: PlannedWriter = {
  id: 'rows',
  kind: 'fake',
  paths: [
    { id: 'rows@alpha', host: 'alpha', params: 'alpha' },
    { id: 'rows@beta', host: 'beta', params: 'beta' },
  ],
  clients: 2,
  intervalMs: 5,
  timeoutMs: 50,
  readIntervalMs: 20,
};

type Said = Extract<NewEvent, { type: 'row.written' | 'rows.read' | 'log' }>[];

/** A store of rows with two paths, and the outcomes of its calls. */
class FakeStack {
  readonly rows: Row[] = [];
  readonly stores: string[] = [];
  readonly calls: string[] = [];
  closed = 0;
  createFails = new Set<string>();
  dropFails = false;
  readFails = new Set<string>();
  write: (path: string, row: Row, signal: AbortSignal) => Promise<Written> = async (_path, row) => {
    this.rows.push(row);
    return { outcome: 'acked' };
  };

  readonly kind: WriterKind<unknown> = {
    kind: 'fake',
    summary: '',
    params: undefined as never,
    newConnections: () => 0,
    describe: () => ({ write: '', read: '', remove: '' }),
    open: async (params, { store }) => {
      const name = String(params);
      this.stores.push(store);
      const connect = (copy: string) => ({
        write: (row: Row, signal: AbortSignal) => this.write(name, row, signal),
        rows: async () => {
          this.calls.push(`read ${name}${copy}`);
          if (this.readFails.has(name)) throw new Error('no way');
          return new Map(
            [1, 2, 3, 4].flatMap((client) =>
              this.#of(client).length === 0 ? [] : [[client, rangesOf(this.#of(client))]],
            ),
          );
        },
        close: () => void this.closed++,
      });
      return {
        create: async () => {
          this.calls.push(`create by ${name}`);
          if (this.createFails.has(name)) throw new Error(`${name} is away`);
        },
        drop: async () => {
          this.calls.push(`drop by ${name}`);
          if (this.dropFails) throw new Error('no way');
        },
        connect: () => connect(''),
        ...(name === 'alpha' ? { connectCopy: () => connect("'s copy") } : {}),
      };
    },
  };

  #of(client: number): number[] {
    return this.rows.filter((row) => row.client === client).map((row) => row.number);
  }
}

/** Waits until the condition is true; the test's timeout is the limit. */
async function until(clock: Clock, so: () => boolean): Promise<void> {
  while (!so()) await clock.sleep(1, new AbortController().signal);
}

async function writingOn(
  stack: FakeStack,
  more: {
    readonly writer?: Partial<PlannedWriter>;
    readonly signal?: AbortSignal;
    readonly clock?: Clock;
    readonly timers?: Timers;
  } = {},
): Promise<{ readonly writers: RowWriters; readonly said: Said; readonly clock: Clock }> {
  const said: Said = [];
  const { clock = simulatedClock(), timers } = more;
  const writers = await startRowWriters({
    writers: [{ ...planned, ...more.writer }],
    kindOf: () => stack.kind,
    runId: '2026-11-21-101500-some-drill-ab12',
    clock,
    log: {
      append: (event) => {
        said.push(event as Said[number]);
        return { t: runMs(0), ...event };
      },
    },
    readText: async () => '',
    resolveName: async () => [],
    env: () => undefined,
    signal: more.signal ?? new AbortController().signal,
    timers,
  });
  return { writers, said, clock };
}

/** Starts writers of these kinds; for starts that fail. */
function startOf(
  writers: readonly PlannedWriter[],
  kindOf: Parameters<typeof startRowWriters>[0]['kindOf'],
): Promise<RowWriters> {
  return startRowWriters({
    writers,
    kindOf,
    runId: 'r',
    clock: simulatedClock(),
    log: { append: () => ({}) as never },
    readText: async () => '',
    resolveName: async () => [],
    env: () => undefined,
    signal: new AbortController().signal,
  });
}

const readsIn = (said: Said) => said.filter((event) => event.type === 'rows.read');
const rowsIn = (said: Said) => said.filter((event) => event.type === 'row.written');

describe('writers', () => {
  test('record for how long firedrill itself was stalled meanwhile', async () => {
    const simulated = simulatedClock();
    let stalledMs = 0;
    // Code that runs for long moves the time on before any timer fires.
    const clock: Clock = { ...simulated, nowMs: () => later(simulated.nowMs(), stalledMs) };
    const stack = new FakeStack();
    stack.write = async (_path, { client, number }) => {
      if (client === 1 && number === 20) stalledMs += 400;
      return { outcome: 'acked' };
    };
    const { writers, said } = await writingOn(stack, { clock, timers: timersOn(clock) });
    await until(clock, () => said.filter(({ type }) => type === 'row.written').length > 200);
    await writers.stop();
    await writers.remove();
    const stalled = said.filter((event) => event.type === 'row.written' && event.stallMs !== undefined);
    expect(stalled.length).toBeGreaterThan(0);
    expect(stalled).toContainEqual(expect.objectContaining({ client: 1, number: 20 }));
    for (const event of stalled) expect('stallMs' in event ? event.stallMs : 0).toBeGreaterThan(350);
  });

  test('create the store once, through the first path that can', async () => {
    const stack = new FakeStack();
    stack.createFails.add('alpha');
    const { writers } = await writingOn(stack);
    await writers.stop();
    expect(stack.calls).toEqual(['create by alpha', 'create by beta']);
    expect(new Set(stack.stores)).toEqual(new Set(['firedrill_2026_11_21_101500_some_drill_ab12']));
  });

  test('fail if no path can create the store, and leave nothing behind', async () => {
    const stack = new FakeStack();
    stack.createFails = new Set(['alpha', 'beta']);
    const start = startOf([planned], () => stack.kind);
    await expect(start).rejects.toMatchObject({
      code: 'host-unreachable',
      message: 'rows: cannot create the store of its rows: beta is away',
    });
    // Repeated for some time.
    expect(stack.calls.filter((call) => call === 'create by alpha').length).toBeGreaterThan(5);
    expect(stack.calls.at(-1)).toBe('drop by alpha');
    expect(stack.closed).toBe(6);
  });

  test('number the rows of each client from 1, clients over all paths, with outcome and times', async () => {
    const stack = new FakeStack();
    const byPath = new Map<string, Set<number>>();
    stack.write = async (path, row) => {
      byPath.set(path, (byPath.get(path) ?? new Set()).add(row.client));
      return row.number === 2 ? { outcome: 'refused', message: 'no' } : { outcome: 'acked' };
    };
    const { writers, said, clock } = await writingOn(stack);
    await until(clock, () =>
      [1, 2, 3, 4].every((c) => rowsIn(said).filter((e) => e.client === c).length > 3),
    );
    await writers.stop();
    expect(byPath).toEqual(
      new Map([
        ['alpha', new Set([1, 2])],
        ['beta', new Set([3, 4])],
      ]),
    );
    for (const client of [1, 2, 3, 4]) {
      const own = rowsIn(said).filter((event) => event.client === client);
      expect(own.map(({ number }) => number)).toEqual(own.map((_, i) => i + 1));
      expect(own[1]).toMatchObject({ outcome: 'refused', message: 'no' });
      expect(own[2]).toMatchObject({ writer: 'rows', outcome: 'acked' });
      for (const { sendMs, finishMs } of own) expect(finishMs).toBeGreaterThanOrEqual(sendMs);
    }
  });

  test('record a write as indeterminate if the kind throws, and go on', async () => {
    const stack = new FakeStack();
    stack.write = async () => {
      throw new Error('a defect');
    };
    const { writers, said, clock } = await writingOn(stack);
    await until(clock, () => rowsIn(said).length > 8);
    await writers.stop();
    expect(rowsIn(said).at(-1)).toMatchObject({ outcome: 'indeterminate', message: 'a defect' });
  });

  test('have one write in progress per client, and go on after its timeout', async () => {
    const stack = new FakeStack();
    let underWay = 0;
    let most = 0;
    stack.write = async (_path, _row, signal) => {
      most = Math.max(most, ++underWay);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      underWay--;
      return { outcome: 'indeterminate', message: (signal.reason as Error).message };
    };
    const { writers, said, clock } = await writingOn(stack);
    await until(clock, () => rowsIn(said).length >= 8);
    await writers.stop();
    expect(most).toBe(4);
    expect(rowsIn(said)[0]).toMatchObject({ outcome: 'indeterminate', message: 'no answer within 50 ms' });
  });

  test('stop after the writes in progress are logged', async () => {
    const stack = new FakeStack();
    const held = Promise.withResolvers<void>();
    let underWay = 0;
    stack.write = async () => {
      underWay++;
      await held.promise;
      return { outcome: 'acked' };
    };
    const { writers, said, clock } = await writingOn(stack);
    await until(clock, () => underWay === 4);
    const stopped = writers.stop();
    expect(rowsIn(said)).toEqual([]);
    held.resolve();
    await stopped;
    expect(new Set(rowsIn(said).map(({ client }) => client))).toEqual(new Set([1, 2, 3, 4]));
    expect(underWay).toBe(rowsIn(said).length);
  });

  test('cancel the writes in progress when the run stops', async () => {
    const stack = new FakeStack();
    const stop = new AbortController();
    let underWay = 0;
    stack.write = async (_path, _row, signal) => {
      underWay++;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      return { outcome: 'indeterminate', message: 'cut' };
    };
    const { writers, said, clock } = await writingOn(stack, {
      signal: stop.signal,
      writer: { timeoutMs: 60_000 },
    });
    await until(clock, () => underWay === 4);
    stop.abort(new Error('stopped'));
    await writers.stop();
    expect(rowsIn(said)).toHaveLength(4);
  });

  test('have a parallel reader for each path, which logs the present rows', async () => {
    const stack = new FakeStack();
    const { writers, said, clock } = await writingOn(stack);
    const full = () => readsIn(said).filter(({ rows }) => rows?.['1'] !== undefined);
    await until(clock, () => new Set(full().map(({ path }) => path)).size === 2);
    await writers.stop();
    for (const read of full()) {
      expect(read).toMatchObject({ place: 'path', moment: 'parallel' });
      expect(read.rows?.['1']).toMatch(/^1(-\d+)?$/);
      expect(read.finishMs).toBeGreaterThanOrEqual(read.sendMs);
    }
  });

  test('read the copies before the heal, and everything at the end, as ranges', async () => {
    const stack = new FakeStack();
    const { writers, said } = await writingOn(stack);
    await writers.stop();
    stack.rows.splice(
      0,
      Infinity,
      { client: 2, number: 2 },
      { client: 2, number: 1 },
      { client: 4, number: 7 },
      { client: 4, number: 7 },
    );
    stack.calls.length = 0;
    await writers.readBack('before-heal');
    expect(stack.calls).toEqual(["read alpha's copy"]);
    await writers.readBack('end');
    expect(stack.calls.slice(1)).toEqual(['read alpha', "read alpha's copy", 'read beta']);
    const rows = { 2: '1-2', 4: '7x2' };
    expect(readsIn(said).filter(({ moment }) => moment !== 'parallel')).toMatchObject([
      { writer: 'rows', path: 'rows@alpha', place: 'copy', moment: 'before-heal', rows },
      { path: 'rows@alpha', place: 'path', moment: 'end', rows },
      { path: 'rows@alpha', place: 'copy', moment: 'end', rows },
      { path: 'rows@beta', place: 'path', moment: 'end', rows },
    ]);
  });

  test('log why a copy could not be read before the heal, without retries', async () => {
    const stack = new FakeStack();
    const { writers, said } = await writingOn(stack);
    await writers.stop();
    stack.readFails.add('alpha');
    stack.calls.length = 0;
    await writers.readBack('before-heal');
    expect(stack.calls).toHaveLength(1);
    expect(said.at(-1)).toMatchObject({
      path: 'rows@alpha',
      place: 'copy',
      moment: 'before-heal',
      message: 'no way',
    });
    expect(said.at(-1)).not.toHaveProperty('rows');
  });

  test('remove the rows once and close every connection; with `keep` the rows stay', async () => {
    const stack = new FakeStack();
    const { writers } = await writingOn(stack);
    await writers.stop();
    stack.calls.length = 0;
    await writers.remove();
    expect(stack.calls).toEqual(['drop by alpha']);
    expect(stack.closed).toBe(6);
    const keeping = new FakeStack();
    const { writers: keepers } = await writingOn(keeping, { writer: { keep: true } });
    await keepers.stop();
    await keepers.remove();
    expect(keeping.calls).toEqual(['create by alpha']);
    expect(keeping.closed).toBe(6);
  });

  test('do not start with an unknown kind', async () => {
    const stack = new FakeStack();
    const start = startOf([planned], () => undefined);
    await expect(start).rejects.toMatchObject({ code: 'harness' });
    expect(stack.calls).toEqual([]);
  });

  test('that cannot all be opened leave no connection open', async () => {
    const stack = new FakeStack();
    const start = startOf([planned, { ...planned, kind: 'unknown' }], (kind) =>
      kind === 'unknown' ? undefined : stack.kind,
    );
    await expect(start).rejects.toMatchObject({ code: 'harness' });
    expect(stack.closed).toBe(6);
    expect(stack.calls).toEqual([]);
  });
});

test('the name of the rows fits PostgreSQL', () => {
  const name = storeName(`2026-11-21-101500-${'x'.repeat(80)}-ab12`);
  expect(name).toMatch(/^firedrill_2026_11_21_101500_x+_ab12$/);
  expect(name).toHaveLength(63);
});
