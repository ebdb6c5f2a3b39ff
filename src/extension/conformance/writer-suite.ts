import { ProbeTimeout } from '../../core/probe.ts';
import type { RowClient, Rows, WriterKind, WriterPath } from '../../core/writer.ts';
import type { WriterTest } from '../define-tests.ts';
import { check, parsedParams, type Report, require, within } from './check.ts';
import { contextFor } from './probe-suite.ts';

/** Longest time of one action on the store, ms. */
const actWithinMs = 10_000;
/** Longest time from an abort to the end of a write, ms. */
const abortWithinMs = 500;
const rowCount = 5;

/** Tries what a writer kind promises, on the stores of its author's test. */
export async function tryWriter(kind: WriterKind<unknown>, test: WriterTest, report: Report): Promise<void> {
  const attempt = (promise: string, work: (path: WriterPath) => Promise<void>): Promise<boolean> =>
    check(report, kind.kind, promise, () => onStore(kind, test, work));
  await attempt(`acknowledged rows are read back, once each and by client`, async (path) => {
    const clients = [path.connect(), path.connect()];
    try {
      for (const [i, client] of clients.entries()) await writeRows(client, i + 1);
      const rows = await client(clients).rows(AbortSignal.timeout(actWithinMs));
      for (const n of [1, 2]) requireRows(rows, n);
    } finally {
      for (const one of clients) one.close();
    }
  });
  await attempt('an aborted write never throws, and is not acknowledged', async (path) => {
    const one = path.connect();
    try {
      for (const reason of [new ProbeTimeout(100), new Error('the run stops')]) {
        const write = one.write({ client: 1, number: 1 }, AbortSignal.abort(reason));
        const { outcome } = await within(abortWithinMs, 'the write', write);
        require(outcome !== 'acked', 'a write whose signal had aborted is acked');
      }
    } finally {
      one.close();
    }
  });
  await attempt('a client may be closed twice', async (path) => {
    const one = path.connect();
    await writeRows(one, 1);
    one.close();
    one.close();
  });
  report({
    kind: kind.kind,
    promise: 'a write whose answer is lost is `indeterminate`',
    status: 'not-tried',
    seen: 'the suite cannot cut the connection to the store; drill it with a network fault',
  });
}

function client(clients: readonly RowClient[]): RowClient {
  const [first] = clients;
  require(first !== undefined, 'no client');
  return first;
}

async function writeRows(one: RowClient, id: number): Promise<void> {
  for (let number = 1; number <= rowCount; number += 1) {
    const written = await one.write({ client: id, number }, AbortSignal.timeout(actWithinMs));
    require(written.outcome === 'acked', `a write to a good store is ${JSON.stringify(written)}`);
  }
}

function requireRows(rows: Rows, id: number): void {
  const text = JSON.stringify(rows.get(id) ?? []);
  const first = rows.get(id)?.[0];
  require(rows.get(id)?.length === 1 &&
    first !== undefined &&
    first.from === 1 &&
    first.to === rowCount, `of the rows 1 to ${rowCount} of client ${id}, it reads back ${text}`);
}

async function onStore(
  kind: WriterKind<unknown>,
  test: WriterTest,
  work: (path: WriterPath) => Promise<void>,
): Promise<void> {
  const stand = await test.setUp();
  try {
    const params = parsedParams(kind.params, stand.params);
    for (const [name, text] of Object.entries(kind.describe(params)))
      require(text !== '', `describe().${name} is empty`);
    require([0, 1].includes(kind.newConnections(params)), '`newConnections` is neither 0 nor 1');
    const store = `firedrill_test_${process.pid}_${Date.now()}`;
    const path = await kind.open(params, { ...contextFor(undefined), store });
    await path.create(AbortSignal.timeout(actWithinMs));
    try {
      await work(path);
    } finally {
      await path.drop(AbortSignal.timeout(actWithinMs));
    }
  } finally {
    await stand.tearDown?.();
  }
}
