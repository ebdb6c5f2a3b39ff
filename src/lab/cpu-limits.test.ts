import { describe, expect, test } from 'vitest';
import { busyShareBetween, cgroupCpus, cpuPressure, cpusAllowed } from './cpu-limits.ts';

describe('CPUs that a process may run on', () => {
  test.each([
    ['0-1', 2],
    ['0', 1],
    ['0-3,8,10-11', 7],
  ])('%s are %i', (list, count) => {
    expect(cpusAllowed(`Name:\tsh\nCpus_allowed:\t3\nCpus_allowed_list:\t${list}\n`)).toBe(count);
  });

  test.each([undefined, '', 'Cpus_allowed_list:\tall\n'])('are unknown for %j', (status) => {
    expect(cpusAllowed(status)).toBeUndefined();
  });
});

describe('the CPU quota of a cgroup', () => {
  const files = (texts: Readonly<Record<string, string>>) => (path: string) => Promise.resolve(texts[path]);

  test('is the lowest of its own and its parents’', async () => {
    const read = files({
      '/proc/self/cgroup': '0::/ci/job\n',
      '/sys/fs/cgroup/ci/job/cpu.max': '200000 100000\n',
      '/sys/fs/cgroup/ci/cpu.max': '70000 100000\n',
    });
    expect(await cgroupCpus(read)).toBe(0.7);
  });

  test('is read at the root in a container, where only the root is visible', async () => {
    const read = files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '150000 100000\n' });
    expect(await cgroupCpus(read)).toBe(1.5);
  });

  test('is read from the cpu controller of v1', async () => {
    const read = files({
      '/proc/self/cgroup': '3:memory:/job\n2:cpu,cpuacct:/job\n0::/\n',
      '/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us': '50000\n',
      '/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us': '100000\n',
    });
    expect(await cgroupCpus(read)).toBe(0.5);
  });

  test.each([
    ['max', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }],
    [
      '-1',
      {
        '/proc/self/cgroup': '1:cpu:/\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
    ],
    ['nothing to read', {}],
  ])('is none with %s', async (_, texts) => {
    expect(await cgroupCpus(files(texts))).toBeUndefined();
  });
});

describe('how busy the CPUs are', () => {
  test('is the busy share between two readings, with steal and without iowait', () => {
    const before = 'cpu  100 0 100 1000 100 0 0 0 0 0\ncpu0 1 2 3 4\n';
    const after = 'cpu  130 0 110 1040 110 0 0 10 0 0\ncpu0 1 2 3 4\n';
    expect(busyShareBetween(before, after)).toBeCloseTo(0.5);
  });

  test.each([
    [undefined, undefined],
    ['cpu  1 2 3 4\n', 'cpu  1 2 3 4\n'],
    ['cpu  a b c d\n', 'cpu  1 2 3 4\n'],
  ])('is unknown between %j and %j', (before, after) => {
    expect(busyShareBetween(before, after)).toBeUndefined();
  });

  test('pressure is a share, if the kernel has PSI', () => {
    expect(cpuPressure('some avg10=75.29 avg60=69.59 avg300=61.48 total=539682604\n')).toBeCloseTo(0.7529);
    expect(cpuPressure(undefined)).toBeUndefined();
  });
});
