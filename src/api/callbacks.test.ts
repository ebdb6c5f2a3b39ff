import { expect, test } from 'vitest';
import { guardCallbacks } from './callbacks.ts';

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('passes values on, and throws nothing if nothing failed', async () => {
  const callbacks = guardCallbacks();
  const seen: number[] = [];
  callbacks.guard<number>((value) => seen.push(value))(1);
  callbacks.guard<number>(undefined)(2);
  await settled();
  expect(seen).toEqual([1]);
  expect(() => callbacks.throwFirst()).not.toThrow();
});

test.each<readonly [string, () => unknown]>([
  [
    'throws',
    () => {
      throw new Error('boom');
    },
  ],
  ['is rejected', async () => Promise.reject(new Error('boom'))],
])('keeps the error of a function that %s, and calls none again', async (_name, callback) => {
  const callbacks = guardCallbacks();
  let calls = 0;
  const guarded = callbacks.guard(() => {
    calls += 1;
    return callback();
  });
  expect(() => guarded('a')).not.toThrow();
  await settled();
  guarded('b');
  callbacks.guard(() => (calls += 1))('c');
  expect(calls).toBe(1);
  expect(() => callbacks.throwFirst()).toThrow('boom');
});

test('keeps an error that is undefined', () => {
  const callbacks = guardCallbacks();
  callbacks.guard(() => {
    throw undefined;
  })(1);
  let thrown: unknown = 'nothing';
  try {
    callbacks.throwFirst();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeUndefined();
});
