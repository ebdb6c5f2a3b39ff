import { expect, test } from 'vitest';
import { type Cleanup, withCleanup } from './cleanup.ts';

/** Opens three things, of which the given ones fail to close. `closed` lists the attempts to close them. */
function open(cleanup: Cleanup, failing: readonly string[], closed: string[]): void {
  for (const name of ['first', 'second', 'third']) {
    cleanup.defer(async () => {
      closed.push(name);
      if (failing.includes(name)) throw new Error(`cannot close the ${name}`);
    });
  }
}

test.each<[failing: readonly string[], body: () => Promise<string>, error: string]>([
  [['third', 'second'], async () => 'done', 'cannot close the third'],
  [['second', 'first'], async () => 'done', 'cannot close the second'],
  [['third', 'first'], () => Promise.reject(new Error('broke')), 'broke'],
  [[], () => Promise.reject(new Error('broke')), 'broke'],
])('if %j fail to close, all are closed and the first error is thrown', async (failing, body, error) => {
  const closed: string[] = [];
  const run = withCleanup(async (cleanup) => {
    open(cleanup, failing, closed);
    return body();
  });
  await expect(run).rejects.toThrow(error);
  expect(closed).toEqual(['third', 'second', 'first']);
});

test('a moved stack stays open until it is closed, once', async () => {
  const closed: string[] = [];
  const opened = await withCleanup(async (cleanup) => {
    open(cleanup, ['third', 'first'], closed);
    return cleanup.move();
  });
  expect(closed).toEqual([]);
  await expect(opened.close()).rejects.toThrow('cannot close the third');
  await opened.close();
  expect(closed).toEqual(['third', 'second', 'first']);
});
