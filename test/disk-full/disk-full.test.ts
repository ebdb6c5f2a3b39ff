import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { mountExt4, mountTmpfs, type SmallDisk } from '../../src/engine/testing/small-disk.ts';
import { drillOnDisk, type ObservedState, type WritePoint } from './drill-on-disk.ts';
import { drillWithinMs, expectReported, furtherMoments } from './reported-moments.ts';

// Complete drills of the command line. One sweep fills up or fails the disk at each write point of the drill. Another sweep has
// every amount of free space, from none to enough. Mounting the disks needs root. DISK_FULL_REPORT names a file for the counts.

const reportPath = process.env['DISK_FULL_REPORT'];
/** Tests only every n-th write point, to save time. */
const stride = Number(process.env['DISK_FULL_STRIDE'] ?? 1);
/** Parallel drills. With more drills than processors the prober is degraded, and few drills reach a fault. */
const atOnce = 2;
const stepKib = 4;
const freeSpace = 'free space';
const diskKib = 2048;
const diskMib = 8;

interface Done {
  readonly sweep: string;
  readonly what: string;
  readonly seen: ObservedState;
}
const done: Done[] = [];
let points = 0;

const tmpfs = (): SmallDisk => mountTmpfs(diskKib);
const ext4 = (): SmallDisk => mountExt4(diskMib);

async function drill(
  sweep: string,
  mount: () => SmallDisk,
  how: WritePoint | number,
): Promise<ObservedState> {
  const disk = mount();
  try {
    if (typeof how === 'number') disk.fill(how * 1024);
    const seen = await drillOnDisk(disk, typeof how === 'number' ? undefined : how);
    const what = typeof how === 'number' ? `${how} KiB free` : `point ${how.at}: ${seen.points[how.at - 1]}`;
    done.push({ sweep, what, seen });
    return seen;
  } finally {
    disk.unmount();
  }
}

/** Runs `act` for the items in order, `atOnce` in parallel. */
async function each<T>(items: Iterable<T>, act: (item: T) => Promise<unknown>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await act(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

const wrongIn = (sweep: string): string[] =>
  done
    .filter((one) => one.sweep === sweep && one.seen.broken.length > 0)
    .map(({ what, seen }) => `${what}: ${seen.broken.join('; ')}`);

beforeAll(async () => {
  const disk = tmpfs();
  try {
    const seen = await drillOnDisk(disk);
    if (seen.exitCode !== 0)
      throw new Error(`run a drill on a disk with enough space: exit code ${seen.exitCode}:\n${seen.output}`);
    // The number of samples varies from drill to drill.
    points = seen.points.length + 5;
  } finally {
    disk.unmount();
  }
});

test.each(furtherMoments)('when $when', async (moment) => expectReported(moment), drillWithinMs);

describe('no undo record is lost, every heal runs, and the log stays readable', () => {
  test.each([
    { sweep: 'full', mount: tmpfs, mode: 'full', every: 1 },
    { sweep: 'full, and freed space is taken immediately', mount: tmpfs, mode: 'thief', every: 1 },
    { sweep: 'quota used up (EDQUOT)', mount: tmpfs, mode: 'EDQUOT', every: 1 },
    { sweep: 'read-only (EROFS)', mount: tmpfs, mode: 'EROFS', every: 1 },
    { sweep: 'one error (EIO)', mount: tmpfs, mode: 'EIO once', every: 1 },
    { sweep: 'killed during the write', mount: tmpfs, mode: 'torn', every: 1 },
    { sweep: 'full, on ext4', mount: ext4, mode: 'full', every: 3 },
    { sweep: 'full, and freed space is taken immediately, on ext4', mount: ext4, mode: 'thief', every: 3 },
  ] as const)('at each write point: $sweep', async ({ sweep, mount, mode, every }) => {
    const step = every * stride;
    const numbers = Array.from({ length: Math.ceil(points / step) }, (_, index) => 1 + index * step);
    await each(numbers, (at) => drill(sweep, mount, { at, mode }));
    expect(wrongIn(sweep)).toEqual([]);
  });

  test('with every amount of free space, from none to enough', async () => {
    const sweep = freeSpace;
    let enough = 0;
    function* sizes(): Generator<number> {
      for (let kib = 0; kib < diskKib; kib += stepKib) {
        if (enough >= 2 * atOnce) return;
        yield kib;
      }
    }
    await each(sizes(), async (kib) => {
      const { exitCode } = await drill(sweep, tmpfs, kib);
      enough = exitCode === 0 ? enough + 1 : 0;
    });
    expect(wrongIn(sweep)).toEqual([]);
    expect(enough).toBeGreaterThan(0);
  });

  test('the sweeps reached each of the expected outcomes', () => {
    const count = (is: (seen: ObservedState) => boolean): number =>
      done.filter(({ seen }) => is(seen)).length;
    expect(count(({ acted }) => !acted)).toBeGreaterThan(10);
    expect(count(({ acted, exitCode }) => acted && exitCode === 3)).toBeGreaterThan(10);
    expect(count(({ left }) => left)).toBeGreaterThan(5);
    expect(count(({ torn }) => torn === 'last line')).toBeGreaterThan(5);
    expect(count(({ exitCode }) => exitCode === 0)).toBeGreaterThan(10);
  });
});

function report(): string {
  const sweeps = [...new Set(done.map(({ sweep }) => sweep))];
  const rows = sweeps.map((sweep) => {
    const own = done.flatMap((one) => (one.sweep === sweep ? [one.seen] : []));
    const count = (is: (seen: ObservedState) => boolean): number => own.filter(is).length;
    return [
      sweep,
      own.length,
      count(({ acted }) => !acted),
      count(({ acted, exitCode, left }) => acted && exitCode === 3 && !left),
      count(({ exitCode }) => exitCode === 0),
      count(({ left }) => left),
      count(({ acted, types }) => acted && types.includes('heal.proven')),
      count(({ torn }) => torn === 'last line'),
      count(({ broken }) => broken.length > 0),
    ];
  });
  const total = (is: (seen: ObservedState) => boolean): number => done.filter(({ seen }) => is(seen)).length;
  return [
    '# Disk full',
    '',
    `${done.length} drills of the command line, each with all of its files on its own small disk. The disk is full or fails, or`,
    `the process is killed, from ${stride === 1 ? 'each' : `each ${stride}th`} of the ${points} writes of a drill on (on ext4 from a third of them).`,
    `The sweep \`${freeSpace}\` goes from no space to enough in steps of ${stepKib} KiB. After each drill, with the disk unchanged,`,
    '`heal` runs (with a record left also `status` before it and `heal` again after it). Then, with enough space, `report` runs.',
    `A sweep that is not in the table was not run. Broken guarantees: ${total(({ broken }) => broken.length > 0)}.`,
    '',
    '| disk | drills | fault not injected | fault injected, healed by the drill, exit 3 | exit 0 | left to `heal` (killed) | heal proven in the log | torn last line | broken guarantee |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
    'Undo records lost: ' +
      `${total(({ left, records }) => left && records === 0)}. Torn lines within a log: ${total(({ torn }) => torn === 'WITHIN')}.`,
    '',
  ].join('\n');
}

// Written after each sweep, so that an interrupted run keeps the counts of the completed sweeps.
afterEach(() => {
  if (reportPath === undefined) return;
  mkdirSync(dirname(reportPath), { recursive: true });
  writeFileSync(reportPath, report());
});
