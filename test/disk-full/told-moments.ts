import { expect } from 'vitest';
import { mountTmpfs } from '../../src/engine/testing/small-disk.ts';
import { drillOnDisk, type Seen, type WritePoint } from './drill-on-disk.ts';

/** A moment of a drill at which its disk takes no more, and what the user has to be told then. */
export interface ToldMoment {
  readonly when: string;
  readonly point: WritePoint;
  readonly seenToBe: Partial<Seen>;
  readonly says: readonly string[];
  /** Whether the log has the heal. */
  readonly proven: boolean;
}

/** Each drill is four starts of the command line: a busy machine takes its time. */
export const drillWithinMs = 900_000;

/** The moments of which `npm test` makes sure. */
export const essentialMoments: readonly ToldMoment[] = [
  {
    when: 'the run is to be kept: nothing is touched, and no folder left',
    point: { from: 'openSync .*events', at: 1, mode: 'full' },
    seenToBe: { acted: false, runs: 0 },
    says: ['events.ndjson with 256 KiB in reserve', 'Free space on that disk, then start again'],
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
];

/** Those that the long tests have besides. */
export const furtherMoments: readonly ToldMoment[] = [
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
];

/**
 * So few looks, each of which starts a process, that a busy machine keeps up with them; and a fault so long that the log needs
 * another block of the disk all the same.
 */
const unhurried = { faultFor: '5s', interval: '150ms' };

/** Runs a drill on a disk of its own that takes no more from that moment on. */
export async function expectTold({ point, seenToBe, says, proven }: ToldMoment): Promise<void> {
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
