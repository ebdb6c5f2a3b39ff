import { execa } from 'execa';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mountTmpfs, type SmallDisk, whyNoTmpfs } from '../../src/engine/testing/small-disk.ts';
import { drillWithinMs, essentialMoments, expectReported } from '../disk-full/reported-moments.ts';

// A few moments of the sweep of `npm run test:disk-full`, and the standard streams.

const noTmpfs = whyNoTmpfs();

describe.skipIf(noTmpfs !== undefined)(
  `a disk that fills up during a drill${noTmpfs ? ` (${noTmpfs})` : ''}`,
  () => {
    // Sequential: parallel drills starve each other's probers on a small machine.
    test.each(essentialMoments)('when $when', async (moment) => expectReported(moment), drillWithinMs);
  },
);

const bin = join(import.meta.dirname, '../../bin/firedrill.mjs');

/** Runs the command line in a script, as `"$@"`. */
const inScript = (script: string, ...args: readonly string[]) =>
  execa('bash', ['-c', script, 'bash', process.execPath, bin, ...args], { reject: false });

describe('a standard stream that rejects writes', () => {
  test('stdout: firedrill reports the error and exits with 3', async () => {
    const { exitCode, stderr } = await inScript('"$@" >/dev/full', 'schema', 'scenario');
    expect(stderr).toContain('cannot write to stdout: ENOSPC');
    expect(exitCode).toBe(3);
  });

  test('stderr: the exit code does not change', async () => {
    const { exitCode } = await inScript('"$@" 2>/dev/full', 'run', 'nowhere.yaml');
    expect(exitCode).toBe(2);
  });

  test('stdout: a reader that closes the pipe is not an error', async () => {
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

    test('with space for a part: firedrill reports the error and exits with 3', async () => {
      disk.fill(8192);
      const script = `"$@" >${join(disk.folder, 'schema.json')}`;
      const { exitCode, stderr } = await inScript(script, 'schema', 'scenario');
      expect(stderr).toContain('cannot write to stdout: ENOSPC');
      expect(exitCode).toBe(3);
    });
  });
});
