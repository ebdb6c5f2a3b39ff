import { execa } from 'execa';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mountTmpfs, type SmallDisk, whyNoTmpfs } from '../../src/engine/testing/small-disk.ts';
import { drillWithinMs, essentialMoments, expectTold } from '../disk-full/told-moments.ts';

// A few points of the sweep that `npm run test:disk-full` makes, and the standard streams.

const noTmpfs = whyNoTmpfs();

describe.skipIf(noTmpfs !== undefined)(
  `a disk that fills up in a drill${noTmpfs ? ` (${noTmpfs})` : ''}`,
  () => {
    // One after the other: in parallel they would starve each other's probers on a small machine.
    test.each(essentialMoments)('when $when', async (moment) => expectTold(moment), drillWithinMs);
  },
);

const bin = join(import.meta.dirname, '../../bin/firedrill.mjs');

/** Runs the command line in a script, as `"$@"`. */
const inScript = (script: string, ...args: readonly string[]) =>
  execa('bash', ['-c', script, 'bash', process.execPath, bin, ...args], { reject: false });

describe('a standard stream that takes no more', () => {
  test('stdout: says so, and is no pass', async () => {
    const { exitCode, stderr } = await inScript('"$@" >/dev/full', 'schema', 'scenario');
    expect(stderr).toContain('cannot write to stdout: ENOSPC');
    expect(exitCode).toBe(3);
  });

  test('stderr: nothing depends on it', async () => {
    const { exitCode } = await inScript('"$@" 2>/dev/full', 'run', 'nowhere.yaml');
    expect(exitCode).toBe(2);
  });

  test('whoever reads stdout having gone is no error', async () => {
    const script = '"$@" | head -c 1 >/dev/null; exit "${PIPESTATUS[0]}"';
    const { exitCode, stderr } = await inScript(script, 'schema', 'scenario');
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  describe.skipIf(noTmpfs !== undefined)('a file', () => {
    let disk: SmallDisk;
    beforeEach(() => {
      disk = mountTmpfs(64);
    });
    afterEach(() => disk.unmount());

    test('with room for a part: says so, and is no pass', async () => {
      disk.fill(8192);
      const script = `"$@" >${join(disk.folder, 'schema.json')}`;
      const { exitCode, stderr } = await inScript(script, 'schema', 'scenario');
      expect(stderr).toContain('cannot write to stdout: ENOSPC');
      expect(exitCode).toBe(3);
    });
  });
});
