import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folderFinding, judgeRoom } from './this-machine.ts';
import { sharedTemporaryFolder } from '../../test/temporary-folder.ts';

const folder = sharedTemporaryFolder();

describe('a folder for runs', () => {
  test('that does not exist yet may be created if its parent is writable', () => {
    const { observed } = folderFinding('runs', join(folder, 'a', 'b'));
    expect(observed).toMatch(/a\/b: writable, \d+ MiB free$/);
  });

  test('that is not writable is a failure', () => {
    // Root may write everywhere except in /proc.
    const closed = process.getuid?.() === 0 ? '/proc' : folder;
    if (closed === folder) chmodSync(folder, 0o500);
    expect(folderFinding('runs', join(closed, 'runs'))).toMatchObject({ name: 'runs', status: 'fail' });
  });

  test.each([
    [2000, 'ok'],
    [1023, 'warn'],
    [99, 'fail'],
  ])('with %d MiB free: %s', (free, status) => {
    expect(judgeRoom('runs', '/x', free).status).toBe(status);
  });
});
