import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { mountTmpfs, whyNoTmpfs } from '../engine/testing/small-disk.ts';
import { holderOf, lockTargets } from './target-lock.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

/** Why no process can be started in a PID namespace of its own. */
function whyNoNamespace(): string | undefined {
  const { status, stderr, error } = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true'], {
    encoding: 'utf8',
  });
  return status === 0 ? undefined : (error?.message ?? stderr);
}

const pathOf = (target: string): string => join(folder, `${target}.lock`);
/** Writes the lock of another process over ours. */
function foreign(target: string, change: object): void {
  lockTargets(folder, [target], 'run');
  const own: unknown = JSON.parse(readFileSync(pathOf(target), 'utf8'));
  writeFileSync(pathOf(target), JSON.stringify({ ...Object(own), ...change }));
}

/** Whether this process can take the lock now. The lock is released again. */
function isFree(target: string): boolean {
  lockTargets(folder, [target], 'run')();
  return !existsSync(pathOf(target));
}

describe('the lock of a target', () => {
  test('keeps other processes out, and names its holder', () => {
    const unlock = lockTargets(folder, ['lab'], 'run');
    expect(() => lockTargets(folder, ['lab'], 'table')).toThrow(
      expect.objectContaining({
        code: 'refused',
        message: expect.stringMatching(
          new RegExp(`^target lab is locked: \`run\` by .+@.+, process ${process.pid}, since 20`),
        ) as string,
      }),
    );
    unlock();
    expect(existsSync(pathOf('lab'))).toBe(false);
    lockTargets(folder, ['lab'], 'table')();
  });

  test('names its holder as long as it is held', () => {
    expect(holderOf(folder, 'lab')).toBeUndefined();
    const unlock = lockTargets(folder, ['lab'], 'table');
    expect(holderOf(folder, 'lab')?.words).toMatch(
      new RegExp(`^\`table\` by .+@.+, process ${process.pid}, since 20`),
    );
    unlock();
    expect(holderOf(folder, 'lab')).toBeUndefined();
    foreign('lab', { startedTicks: '1' });
    expect(holderOf(folder, 'lab')).toBeUndefined();
  });

  test('covers all targets or none', () => {
    const unlock = lockTargets(folder, ['b'], 'run');
    expect(() => lockTargets(folder, ['a', 'b'], 'run')).toThrow(/target b is locked/);
    expect(existsSync(pathOf('a'))).toBe(false);
    unlock();
    lockTargets(folder, ['a', 'a'], 'run')();
    expect(existsSync(pathOf('a'))).toBe(false);
  });

  test('is taken over from a process that has ended', () => {
    const { pid } = spawnSync('true');
    foreign('lab', { pid });
    expect(isFree('lab')).toBe(true);
  });

  test('is taken over from a zombie process', async () => {
    // The child is a zombie once the shell has become another program, which does not wait for it.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(said.toString());
    const stat = (): string => readFileSync(`/proc/${pid}/stat`, 'utf8');
    await vi.waitFor(() => expect(stat()).toContain(') Z '));
    foreign('lab', { pid, startedTicks: stat().split(') ')[1]?.split(' ')[19] });
    expect(isFree('lab')).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });

  test('leaves no other file, whether taken or refused', () => {
    const unlock = lockTargets(folder, ['lab'], 'run');
    expect(() => lockTargets(folder, ['lab'], 'run')).toThrow(/is locked/);
    expect(readdirSync(folder)).toEqual(['lab.lock']);
    unlock();
    writeFileSync(pathOf('lab'), '{"pid":');
    expect(isFree('lab')).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is taken over from a process whose PID was reused, and from another boot', () => {
    foreign('lab', { startedTicks: '1' });
    expect(isFree('lab')).toBe(true);
    foreign('lab', { bootId: 'another' });
    expect(isFree('lab')).toBe(true);
  });

  test.each<[what: string, change: object, why: string]>([
    [
      'another container, whose PIDs are different',
      { pidNamespace: 'pid:[4026539999]', pid: 2 ** 22 },
      'it runs in another container (PID namespace) and cannot be checked from here',
    ],
    [
      'another machine that shares the folder',
      { bootId: 'another', host: 'elsewhere' },
      'its lock was taken on another machine, or before this one last booted',
    ],
    [
      'a clone of this machine',
      { bootId: 'another', machineId: 'another' },
      'its lock was taken on another machine, or before this one last booted',
    ],
    ['another version', { startedTicks: 5 }, 'its lock was written by another version of firedrill'],
  ])('counts as held if its state cannot be checked: by %s', (_what, change, why) => {
    foreign('lab', change);
    const hint = `If you are sure that this process has ended, delete its lock: rm ${pathOf('lab')}`;
    expect(holderOf(folder, 'lab')).toEqual({ words: expect.stringContaining(why) as string, hint: hint });
    expect(() => lockTargets(folder, ['lab'], 'run')).toThrow(
      expect.objectContaining({
        code: 'refused',
        message: expect.stringContaining(why) as string,
        hint: hint,
      }),
    );
    rmSync(pathOf('lab'));
    expect(isFree('lab')).toBe(true);
  });

  test('counts as held if it cannot be read', () => {
    mkdirSync(pathOf('lab'));
    expect(holderOf(folder, 'lab')?.words).toMatch(/^the lock .*lab\.lock cannot be read: EISDIR/);
    expect(() => lockTargets(folder, ['lab'], 'run')).toThrow(/target lab is locked: the lock .* cannot be/);
    rmSync(pathOf('lab'), { recursive: true });
  });

  test.skipIf(whyNoNamespace() !== undefined)('keeps a process of another PID namespace out', () => {
    const program = `
      const { lockTargets } = await import(${JSON.stringify(new URL('./target-lock.ts', import.meta.url).href)});
      try { lockTargets(${JSON.stringify(folder)}, ['lab'], 'run'); console.log('locked'); }
      catch (error) { console.log(error.message); }`;
    const elsewhere = () =>
      spawnSync(
        'unshare',
        ['--pid', '--fork', '--mount-proc', process.execPath, '--input-type=module', '--eval', program],
        { encoding: 'utf8' },
      ).stdout;
    const unlock = lockTargets(folder, ['lab'], 'run');
    expect(elsewhere()).toMatch(/^target lab is locked: .*; it runs in another container/);
    unlock();
    // After that process has ended, its lock cannot be checked from here, either.
    expect(elsewhere()).toBe('locked\n');
    expect(() => lockTargets(folder, ['lab'], 'run')).toThrow(/it runs in another container/);
  });

  test('is taken over if its writer was interrupted', () => {
    writeFileSync(pathOf('lab'), '{"pid":');
    expect(isFree('lab')).toBe(true);
  });
});

const noTmpfs = whyNoTmpfs();

test.skipIf(noTmpfs !== undefined)(
  'a disk without room for a lock: nothing is locked, and nothing left',
  () => {
    const disk = mountTmpfs(64);
    try {
      mkdirSync(join(disk.folder, 'locks'));
      disk.fill();
      const locks = join(disk.folder, 'locks');
      expect(() => lockTargets(locks, ['lab'], 'run')).toThrow(
        expect.objectContaining({
          code: 'harness',
          message: `cannot write the locks in ${locks}: ENOSPC: no space left on device, write`,
          hint: 'Free space on that disk, then start again: nothing was touched.',
        }),
      );
      expect(readdirSync(locks)).toEqual([]);
    } finally {
      disk.unmount();
    }
  },
);
