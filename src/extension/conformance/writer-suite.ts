import { setTimeout as sleep } from 'node:timers/promises';
import { ProbeTimeout } from '../../core/probe.ts';
import { rangesOf, rangesText, type RowRange } from '../../core/row-ranges.ts';
import type { Row, RowClient, Rows, WriterKind, WriterPath, Written } from '../../core/writer.ts';
import type { Connection, Stand, WriterTest } from '../define-tests.ts';
import {
  Broken,
  check,
  NotTried,
  ofTest,
  parsedParams,
  type Promised,
  type Report,
  require,
  requireText,
  shown,
  threw,
  within,
  withStand,
} from './check.ts';
import { connectionsText, watchClientSockets } from './client-sockets.ts';
import { contextFor } from './probe-suite.ts';
import * as promised from './writer-promises.ts';

/** Longest time of one action on the store, ms. */
const actWithinMs = 10_000;
/** Longest time from an abort to the end of a write, ms. */
const abortWithinMs = 500;
/** Timeout of a write without a connection, ms. */
const timeoutMs = 500;
/** Timeout of a write after the connection was restored, ms. */
const againMs = 2000;
/** Time in which a writer would repeat a write, ms. */
const repeatMs = 300;
/** With gaps, so that a reader that only looks at the highest number is found out. */
const numbers = [1, 2, 4, 5, 7];

/** An open store of a trial. */
interface Opened {
  readonly path: WriterPath;
  /** Another path to the same store, which has none of the state of the first. */
  readonly again: () => Promise<WriterPath>;
  /** A path to a store of another run. */
  readonly other: () => Promise<WriterPath>;
  readonly stand: Stand;
}

/** Tries what a writer kind promises, on the stores of its author's test. */
export async function tryWriter(kind: WriterKind<unknown>, test: WriterTest, report: Report): Promise<void> {
  const attempt = (promise: Promised, work: (on: Opened) => Promise<void>): Promise<boolean> =>
    check(report, kind.kind, promise, () => onStore(kind, test, work));
  await attempt(promised.readsBack, async (on) => {
    const clients = [on.path.connect(), on.path.connect()];
    try {
      for (const [i, client] of clients.entries())
        for (const number of numbers) await acked(client, { client: i + 1, number });
      const rows = await rowsOf(await on.again());
      for (const client of [1, 2]) requireRows(rows, client, numbers);
      require(rows.size === 2, `it reads back rows of ${rows.size} clients, and 2 have written`);
    } finally {
      for (const one of clients) one.close();
    }
  });
  await attempt(promised.countsDuplicates, duplicate);
  await attempt(promised.ownStore, ownStore);
  await attempt(promised.aborts, aborted);
  await attempt(promised.closes, closes);
  await attempt(promised.lostAnswer, (on) => lostAnswer(on, connectionOf(on, 'holdAnswers')));
  await attempt(promised.lateAnswer, (on) => lateAnswer(on, connectionOf(on, 'holdAnswers')));
  await attempt(promised.brokenWrite, (on) => brokenWrite(on, connectionOf(on, 'holdAnswers')));
  await attempt(promised.unreachable, (on) => unreachable(on, connectionOf(on)));
}

/** A second row of the same name is refused, or it is counted. */
async function duplicate({ path, again }: Opened): Promise<void> {
  const row = { client: 1, number: 7 };
  const one = path.connect();
  try {
    await acked(one, row);
    const { outcome } = await write(one, row, AbortSignal.timeout(actWithinMs));
    const times = timesOf(await rowsOf(await again()), row);
    require(outcome !== 'acked' ||
      times ===
        2, `row 7 of client 1 was acknowledged twice, and is read back ${times === 1 ? 'once' : `${times} times`}`);
    require(outcome !== 'refused' || times === 1, `a refused second row 7 is read back, ${times} times`);
  } finally {
    one.close();
  }
}

/** The rows of a run are its own, and `create` and `drop` may be repeated. */
async function ownStore({ path, again, other }: Opened): Promise<void> {
  const signal = AbortSignal.timeout(actWithinMs);
  const one = path.connect();
  try {
    await acked(one, { client: 1, number: 1 });
  } finally {
    one.close();
  }
  await named('create', async () => path.create(signal));
  requireRows(await rowsOf(path), 1, [1]);
  const others = await other();
  await named('create', async () => others.create(signal));
  try {
    const seen = await rowsOf(others);
    require(seen.size === 0, 'a new store has the rows of another store: use `ctx.store` as its name');
  } finally {
    for (const _ of [1, 2]) await named('drop', async () => others.drop(signal));
  }
  requireRows(await rowsOf(path), 1, [1]);
  await named('drop', async () => path.drop(signal));
  const fresh = await again();
  await named('create', async () => fresh.create(signal));
  require((await rowsOf(fresh)).size === 0, 'rows are still there after `drop`');
}

async function aborted({ path }: Opened): Promise<void> {
  const one = path.connect();
  try {
    for (const reason of [new ProbeTimeout(100), new Error('the run stops')]) {
      const { outcome } = await write(
        one,
        { client: 1, number: 1 },
        AbortSignal.abort(reason),
        abortWithinMs,
      );
      require(outcome !== 'acked', 'a write whose signal had aborted is acked');
      const rows = await resultOf(actWithinMs, 'rows', async () => one.rows(AbortSignal.abort(reason)));
      if ('value' in rows)
        throw new Broken(`\`rows\` returns ${sizeText(rows.value)} although its signal had aborted`);
    }
    await acked(one, { client: 1, number: 2 });
  } finally {
    one.close();
  }
}

async function closes({ path }: Opened): Promise<void> {
  const sockets = watchClientSockets();
  try {
    const one = path.connect();
    await acked(one, { client: 1, number: 1 });
    const running = write(one, { client: 1, number: 2 }, AbortSignal.timeout(timeoutMs));
    one.close();
    one.close();
    await running;
    one.close();
    const left = await sockets.left();
    require(left.length === 0, `2 s after \`close\`: ${connectionsText(left)}`);
  } finally {
    sockets.stop();
  }
}

/** Times for a request to reach the store, ms: the next one if it did not arrive, because the machine is slow. */
const arrivalsMs = [200, 800, 3200];

/** Repeats a trial with more time until its request reaches the store. `first` is the number of its first row. */
async function untilArrived(trial: (arriveMs: number, first: number) => Promise<boolean>): Promise<void> {
  for (const [i, arriveMs] of arrivalsMs.entries()) if (await trial(arriveMs, i * 20 + 1)) return;
  throw new NotTried(
    `within ${arrivalsMs.at(-1)} ms, no request reached the store while answers were held back`,
    'Let `holdAnswers` pass on what the writer sends.',
  );
}

/** The request arrives, and the answer does not come before the timeout. */
async function lostAnswer(on: Opened, connection: Connection): Promise<void> {
  const one = on.path.connect();
  try {
    await untilArrived(async (arriveMs, first) => {
      const lost = { client: 1, number: first + 1 };
      await acked(one, { client: 1, number: first });
      await hold(connection);
      const written = await unanswered(one, lost, arriveMs);
      await restore(connection);
      const isTrue = await requireTrue(on, lost, written);
      await writesAgain(one, { client: 1, number: first + 2 });
      return isTrue;
    });
  } finally {
    one.close();
  }
}

/** The answer of a write comes after its timeout, and before that of the next write. */
async function lateAnswer({ path }: Opened, connection: Connection): Promise<void> {
  const one = path.connect();
  try {
    await acked(one, { client: 1, number: 1 });
    for (const [i, arriveMs] of arrivalsMs.slice(0, 2).entries()) {
      await hold(connection);
      await unanswered(one, { client: 1, number: 2 + i * 2 }, arriveMs);
      await restore(connection);
      await sleep(arriveMs);
      await hold(connection);
      const { outcome } = await write(one, { client: 1, number: 3 + i * 2 }, AbortSignal.timeout(arriveMs));
      require(outcome !==
        'acked', 'the late answer to the write before acknowledged a row whose own answer was held back');
      await restore(connection);
    }
  } finally {
    await restore(connection);
    one.close();
  }
}

/** The connection breaks after the request has arrived. */
async function brokenWrite(on: Opened, connection: Connection): Promise<void> {
  const one = on.path.connect();
  try {
    await untilArrived(async (arriveMs, first) => {
      const broken = { client: 1, number: first + 1 };
      await acked(one, { client: 1, number: first });
      await hold(connection);
      const running = write(one, broken, AbortSignal.timeout(arriveMs + timeoutMs));
      await sleep(arriveMs);
      await cut(connection);
      const written = await running;
      require(written.outcome !==
        'acked', `row ${broken.number} is \`acked\` although its answer was held back and the connection broke`);
      await restore(connection);
      const isTrue = await requireTrue(on, broken, written);
      await writesAgain(one, { client: 1, number: first + 2 });
      requireAtMostOnce(await rowsOf(await on.again()), broken);
      return isTrue;
    });
  } finally {
    one.close();
  }
}

const hold = (connection: Connection): Promise<void> =>
  ofTest('connection.holdAnswers', async () => connection.holdAnswers?.());
const cut = (connection: Connection): Promise<void> => ofTest('connection.cut', async () => connection.cut());
const restore = (connection: Connection): Promise<void> =>
  ofTest('connection.restore', async () => connection.restore());

/** Nothing is known of a store that cannot be reached. Acknowledged rows are in it. */
async function unreachable(on: Opened, connection: Connection): Promise<void> {
  const one = on.path.connect();
  const signal = AbortSignal.timeout(actWithinMs);
  try {
    await acked(one, { client: 1, number: 1 });
    await cut(connection);
    const written = await write(one, { client: 1, number: 2 }, AbortSignal.timeout(timeoutMs));
    require(written.outcome !== 'acked', 'a write without a connection is acked');
    const rows = await resultOf(actWithinMs, 'rows', async () => one.rows(AbortSignal.timeout(timeoutMs)));
    if ('value' in rows)
      throw new Broken(`\`rows\` returns ${sizeText(rows.value)} without a connection; it must throw`);
    for (const method of ['create', 'drop'] as const) {
      const done = await resultOf(actWithinMs, method, async () =>
        on.path[method](AbortSignal.timeout(timeoutMs)),
      );
      require(!('value' in done), `\`${method}\` succeeds without a connection; it must throw`);
    }
    await restore(connection);
    requireRows(await rowsOf(await on.again()), 1, [
      1,
      ...(timesOf(await one.rows(signal), { client: 1, number: 2 }) > 0 ? [2] : []),
    ]);
    await writesAgain(one, { client: 1, number: 3 });
  } finally {
    one.close();
  }
}

function connectionOf({ stand: { connection } }: Opened, needs?: 'holdAnswers'): Connection {
  if (connection !== undefined && (needs === undefined || connection[needs] !== undefined)) return connection;
  throw new NotTried(
    `the result of \`setUp\` has no \`connection\`${needs === undefined ? '' : ` with \`${needs}\``}`,
    'Put `proxyTo(port)` between the writer and its store, and return it as `connection`.',
  );
}

/** A write whose answer is held back. */
async function unanswered(one: RowClient, row: Row, ms: number): Promise<Written> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new ProbeTimeout(ms)), ms);
  try {
    const written = await write(one, row, limit.signal, ms + abortWithinMs);
    require(written.outcome !== 'acked', `row ${row.number} is \`acked\` although its answer was held back`);
    return written;
  } finally {
    clearTimeout(timer);
  }
}

/** What the writer says of a write is true of the store. Returns whether the row is in the store. */
async function requireTrue({ again }: Opened, row: Row, { outcome, message }: Written): Promise<boolean> {
  // The store may get the request after its connection has ended. A second one would come then, too.
  await sleep(repeatMs);
  const rows = await rowsOf(await again());
  requireAtMostOnce(rows, row);
  const isStored = timesOf(rows, row) > 0;
  require(!isStored ||
    outcome !==
      'refused', `row ${row.number} is in the store, and its write is \`refused\`: ${message ?? 'no message'}`);
  return isStored;
}

function requireAtMostOnce(rows: Rows, row: Row): void {
  const times = timesOf(rows, row);
  require(times <= 1, `a write is made once, and row ${row.number} is in the store ${times} times`);
}

/** The client connects again. The engine makes a write at each slot. */
async function writesAgain(one: RowClient, first: Row): Promise<void> {
  let last: Written | undefined;
  for (let n = 0; n < 5; n += 1) {
    last = await write(one, { ...first, number: first.number + n }, AbortSignal.timeout(againMs));
    if (last.outcome === 'acked') return;
    await sleep(repeatMs);
  }
  throw new Broken(`after the connection was restored, the fifth write is ${shown(last)}`);
}

const outcomes: readonly unknown[] = ['acked', 'refused', 'indeterminate'];

async function write(
  one: RowClient,
  row: Row,
  signal: AbortSignal,
  ms = actWithinMs + abortWithinMs,
): Promise<Written> {
  const written: Written | undefined = await named('write', async () =>
    within(ms, 'the write', one.write(row, signal)),
  );
  require(outcomes.includes(written?.outcome), `the outcome of the write is ${shown(written?.outcome)}`);
  if (written.outcome !== 'acked')
    requireText(written.message, `the message of a write that is ${written.outcome}`);
  return written;
}

async function acked(one: RowClient, row: Row): Promise<void> {
  const written = await write(one, row, AbortSignal.timeout(actWithinMs));
  require(written.outcome === 'acked', `a write to a good store is ${shown(written)}`);
}

/** The rows as a new client reads them. */
async function rowsOf(path: WriterPath): Promise<Rows> {
  const reader = path.connect();
  try {
    const rows = await named('rows', async () =>
      within(actWithinMs, '`rows`', reader.rows(AbortSignal.timeout(actWithinMs))),
    );
    require(rows instanceof Map, `\`rows\` returned ${shown(rows)}, and not a Map`);
    for (const [client, ranges] of rows) requireRanges(client, ranges);
    return rows;
  } finally {
    reader.close();
  }
}

function requireRanges(client: unknown, ranges: readonly RowRange[]): void {
  require(Number.isInteger(client), `\`rows\` has the client ${shown(client)}, and not a number`);
  let last = 0;
  for (const range of ranges) {
    const { from, to, times } = range;
    const isRange = [from, to, times].every(Number.isInteger) && from > last && to >= from && times > 0;
    require(isRange, `\`rows\` has the range ${shown(range)} after ${last}: expected whole numbers in ascending order`);
    last = to;
  }
}

function requireRows(rows: Rows, client: number, expected: readonly number[]): void {
  const found = rows.get(client) ?? [];
  const wrote = rangesText(rangesOf(expected));
  const text = rangesText(rangesOf(numbersOf(found)));
  require(text ===
    wrote, `client ${client} wrote ${wrote}: it reads back ${text || 'none'} of client ${client}`);
}

function numbersOf(ranges: readonly RowRange[]): number[] {
  return ranges.flatMap(({ from, to, times }) =>
    Array.from({ length: (to - from + 1) * times }, (_, i) => from + Math.floor(i / times)),
  );
}

function timesOf(rows: Rows, { client, number }: Row): number {
  return rows.get(client)?.find(({ from, to }) => from <= number && number <= to)?.times ?? 0;
}

function sizeText(value: unknown): string {
  return value instanceof Map ? `${value.size} clients` : shown(value);
}

/** The value, or nothing if it throws. @throws Broken if it does not end */
async function resultOf<T>(
  ms: number,
  name: string,
  act: () => Promise<T>,
): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await within(ms, `\`${name}\``, act()) };
  } catch (error) {
    if (error instanceof Broken) throw error;
    return { error };
  }
}

/** Names the method in the message of what it throws. */
async function named<T>(method: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof Broken ? error : new Broken(threw(`\`${method}\``, error));
  }
}

async function onStore(
  kind: WriterKind<unknown>,
  test: WriterTest,
  work: (on: Opened) => Promise<void>,
): Promise<void> {
  await withStand(test, async (stand) => {
    const params = parsedParams(kind.params, stand.params);
    for (const [name, text] of Object.entries(kind.describe(params))) requireText(text, `describe().${name}`);
    require([0, 1].includes(kind.newConnections(params)), '`newConnections` is neither 0 nor 1');
    const store = `firedrill_test_${process.pid}_${Date.now()}`;
    const open = (name: string): Promise<WriterPath> =>
      named('open', async () =>
        within(actWithinMs, '`open`', kind.open(params, { ...contextFor(undefined), store: name })),
      );
    const path = await open(store);
    const signal = (): AbortSignal => AbortSignal.timeout(actWithinMs);
    await named('create', async () => within(actWithinMs, '`create`', path.create(signal())));
    try {
      await work({ path, again: () => open(store), other: () => open(`${store}_b`), stand });
    } finally {
      await named('drop', async () => within(actWithinMs, '`drop`', path.drop(signal())));
    }
  });
}
