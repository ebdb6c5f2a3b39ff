import { expect, test } from 'vitest';
import { createPool } from './ssh-pool.ts';
import type { SshConnection } from './ssh-connection.ts';

test('opens a connection with the highest patience of the waiting commands', async () => {
  const opened: number[] = [];
  const connection = {
    isOpen: () => true,
    hold: () => {},
    release: () => {},
    lost: new Promise<never>(() => {}),
  } as unknown as SshConnection;
  const pool = createPool(async (timeoutFactor) => {
    opened.push(timeoutFactor);
    return connection;
  });
  const { signal } = new AbortController();
  const { release } = await pool.take(signal, 8);
  release();
  await pool.take(signal);
  expect(opened).toEqual([8]);
  const plain = createPool(async (timeoutFactor) => {
    opened.push(timeoutFactor);
    return connection;
  });
  await plain.take(signal);
  expect(opened).toEqual([8, 1]);
});
