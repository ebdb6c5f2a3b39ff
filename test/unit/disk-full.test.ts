import { execa } from 'execa';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mountTmpfs, type SmallDisk, whyNoTmpfs } from '../../src/engine/testing/small-disk.ts';
import { drillOnDisk } from '../disk-full/drill-on-disk.ts';

// A few points of the sweep that `npm run test:disk-full` makes, and the standard streams.

const noTmpfs = whyNoTmpfs();
/** Each drill is four starts of the command line, all drills at the same time: a busy machine takes its time. */
const drillsWithinMs = 120_000;

describe.skipIf(noTmpfs !== undefined)(
  `a disk that fills up in a drill${noTmpfs ? ` (${noTmpfs})` : ''}`,
  () => {
    test.concurrent.each([
      {
        when: 'the run is to be kept: nothing is touched, and no folder left',
        point: { from: 'openSync .*events', at: 1, mode: 'full' },
        seenToBe: { acted: false, runs: 0 },
        says: ['events.ndjson with 256 KiB in reserve', 'Free some space there, then start again'],
        proven: false,
      },
      {
        when: 'the undo record is written: nothing is touched',
        point: { from: 'openSync .*json.tmp', at: 2, mode: 'full' },
        seenToBe: { acted: false, records: 0 },
        says: ['cannot write the undo record', 'start again: the fault was not injected'],
        proven: false,
      },
      {
        when: 'the fault is there: healed at once, to the end of the log',
        point: { from: 'events.ndjson fault.effect', at: 1, mode: 'full' },
        seenToBe: { acted: true, records: 0 },
        says: ['aborted: cannot write', 'events.ndjson: ENOSPC'],
        proven: true,
      },
      {
        when: 'the fault is there, and cannot be written at all: healed, with its record',
        point: { from: 'events.ndjson fault.effect', at: 1, mode: 'EROFS' },
        seenToBe: { acted: true, records: 1 },
        says: ['healed, proven: only the log could not take it', 'its undo record could not be removed'],
        proven: false,
      },
      {
        when: 'the reports are made: the verdict is told, and is no pass',
        point: { from: 'openSync .*samples.csv', at: 1, mode: 'EROFS' },
        seenToBe: { acted: true, records: 0 },
        says: ['summary.json: EROFS', 'make it with `firedrill report`', 'downtime '],
        proven: true,
      },
    ] as const)(
      'when $when',
      async ({ point, seenToBe, says, proven }) => {
        const disk = mountTmpfs(1024);
        try {
          const seen = await drillOnDisk(disk, point);
          expect(seen, seen.output).toMatchObject({
            exitCode: 3,
            left: false,
            torn: 'no',
            broken: [],
            ...seenToBe,
          });
          for (const words of says) expect(seen.output).toContain(words);
          expect(seen.types.includes('heal.proven'), seen.types.join(' ')).toBe(proven);
        } finally {
          disk.unmount();
        }
      },
      drillsWithinMs,
    );
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
