import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Unavailable } from './lab-cgroup.ts';
import { cpuQuota, type InForce, limitCpus, limitWrites } from './limits.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
function inForce(limit: InForce | Unavailable): InForce {
  if ('unavailable' in limit) throw new Error(limit.unavailable);
  return limit;
}

describe('a CPU quota', () => {
  test('v1: sets a share of the period, and restores the old value', () => {
    write('cpu.cfs_quota_us', '-1\n');
    write('cpu.cfs_period_us', '50000\n');
    const cgroup = { version: 1, folder } as const;
    expect(cpuQuota(cgroup)).toBeNull();
    const limit = inForce(limitCpus(cgroup, 0.7));
    expect(read('cpu.cfs_quota_us')).toBe('35000');
    expect(limit.holds()).toBe(true);
    limit.undo();
    limit.undo();
    expect(read('cpu.cfs_quota_us')).toBe('-1');
    expect(limit.holds()).toBe(false);
  });

  test('v2: quota and period in one file', () => {
    write('cpu.max', 'max 100000\n');
    const cgroup = { version: 2, folder } as const;
    const limit = inForce(limitCpus(cgroup, 0.5));
    expect(read('cpu.max')).toBe('50000 100000');
    expect(cpuQuota(cgroup)).toBe(0.5);
    expect(limit.holds()).toBe(true);
    limit.undo();
    expect(read('cpu.max')).toBe('max 100000');
    expect(cpuQuota(cgroup)).toBeNull();
  });

  test.each([1, 2] as const)('v%i: reports a missing file', (version) => {
    expect(limitCpus({ version, folder }, 1)).toEqual({
      unavailable: expect.stringContaining('is missing') as string,
    });
  });
});

describe('a limit on writes', () => {
  const name = 'blkio.throttle.write_iops_device';

  test('v1: is set on each group below, and ignores groups that are gone', () => {
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    for (const below of ['', 'a/', 'a/b/']) write(`${below}${name}`, '');
    write(name, '8:0 500\n');
    const limit = inForce(limitWrites({ version: 1, folder }, '8:0', 20));
    for (const below of ['', 'a/', 'a/b/']) expect(read(`${below}${name}`)).toBe('8:0 20');
    expect(limit.holds()).toBe(true);
    rmSync(join(folder, 'a/b'), { recursive: true });
    limit.undo();
    expect(read(name)).toBe('8:0 500');
    expect(read(`a/${name}`)).toBe('8:0 0');
    expect(limit.holds()).toBe(false);
  });

  test('v2: is set on the single group, and only for the disk', () => {
    write('io.max', '8:0 rbps=1 wbps=max riops=max wiops=300\n8:16 rbps=max wbps=max riops=max wiops=7\n');
    const limit = inForce(limitWrites({ version: 2, folder }, '8:0', 20));
    expect(read('io.max')).toBe('8:0 wiops=20');
    expect(limit.holds()).toBe(true);
    limit.undo();
    expect(read('io.max')).toBe('8:0 wiops=300');
  });

  test('v2: leaves no limit if there was none before', () => {
    write('io.max', '');
    const limit = inForce(limitWrites({ version: 2, folder }, '8:0', 20));
    limit.undo();
    expect(read('io.max')).toBe('8:0 wiops=max');
    expect(limit.holds()).toBe(false);
  });

  test.each([1, 2] as const)('v%i: reports a missing file', (version) => {
    expect(limitWrites({ version, folder }, '8:0', 20)).toEqual({
      unavailable: expect.stringContaining('is missing') as string,
    });
  });
});
