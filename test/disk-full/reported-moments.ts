import { expect } from 'vitest';
import { mountTmpfs } from '../../src/engine/testing/small-disk.ts';
import { drillOnDisk, type ObservedState, type WritePoint } from './drill-on-disk.ts';

/** A moment of a drill at which its disk fails, and the messages that the user must get. */
export interface ReportedMoment {
  readonly when: string;
  readonly point: WritePoint;
  readonly seenToBe: Partial<ObservedState>;
  readonly says: readonly string[];
  /** Whether the log has the heal. */
  readonly proven: boolean;
}

/** Time limit of a test, ms. Each drill starts the command line four times, which is slow on a busy machine. */
export const drillWithinMs = 900_000;

/** The moments that `npm test` covers. */
export const essentialMoments: readonly ReportedMoment[] = [
  {
    when: 'the run folder is created: no change on the target, and no folder left',
    point: { from: 'openSync .*events', at: 1, mode: 'full' },
    seenToBe: { acted: false, runs: 0 },
    says: ['events.ndjson with 256 KiB in reserve', 'Free space on that disk, then start again'],
    proven: false,
  },
  {
    when: 'the undo record is written: no change on the target',
    point: { from: 'openSync .*json.tmp', at: 2, mode: 'full' },
    seenToBe: { acted: false, records: 0 },
    says: ['cannot write the undo record', 'start again: the fault was not injected'],
    proven: false,
  },
  {
    when: 'the fault has taken effect: healed immediately, with a complete log',
    point: { from: 'events.ndjson fault.effect', at: 1, mode: 'full' },
    seenToBe: { acted: true, records: 0 },
    says: ['aborted: cannot write', 'events.ndjson: ENOSPC'],
    proven: true,
  },
];

/** Additional moments of the long tests. */
export const furtherMoments: readonly ReportedMoment[] = [
  {
    when: 'the fault has taken effect and the disk is read-only: healed, but its record stays',
    point: { from: 'events.ndjson fault.effect', at: 1, mode: 'EROFS' },
    seenToBe: { acted: true, records: 1 },
    says: [
      'every fault is healed and proven; only the event log is incomplete',
      'its undo record could not be removed',
    ],
    proven: false,
  },
  {
    when: 'the reports are written: the verdict is printed, and the exit code is not a pass',
    point: { from: 'openSync .*samples.csv', at: 1, mode: 'EROFS' },
    seenToBe: { acted: true, records: 0 },
    says: ['summary.json: EROFS', 'make it with `npx firedrill report`', 'downtime '],
    proven: true,
  },
];

/**
 * Samples rare enough for a busy machine, because each one starts a process; and a fault long enough that the log still needs
 * another disk block.
 */
const unhurried = { faultFor: '5s', interval: '150ms' };

/** Runs a drill on its own disk, which fails from that moment on, and checks the outcome. */
export async function expectReported({ point, seenToBe, says, proven }: ReportedMoment): Promise<void> {
  const disk = mountTmpfs(1024);
  try {
    const seen = await drillOnDisk(disk, point, unhurried);
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
}
