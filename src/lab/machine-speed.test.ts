import { describe, expect, test } from 'vitest';
import {
  judgeSpeed,
  labLimits,
  measureSpeed,
  speedText,
  type MachineSpeed,
  type SpeedDeps,
} from './machine-speed.ts';

const { signal } = new AbortController();

/** A simulated machine, whose time advances only with its work: a process starts in `startMs`, a shell in 20 ms. */
function machine(startMs: number, exitCode = 0): { deps: SpeedDeps; ran: string[]; elapsedMs: () => number } {
  let nowMs = 0;
  let cpuMs = 0;
  let stats = 0;
  const ran: string[] = [];
  const deps: SpeedDeps = {
    signal,
    nowMs: () => nowMs,
    cpuMs: () => cpuMs,
    sleep: async (ms) => void (nowMs += ms),
    work: () => {
      nowMs += 41;
      cpuMs += 20.5;
    },
    run: async (argv) => {
      ran.push(argv.slice(0, 2).join(' '));
      nowMs += 20 + Number(argv.at(-1)) * startMs;
      return { exitCode, stdout: '', stderr: '', timedOut: false, startError: undefined };
    },
    read: async (path) => {
      if (path === '/proc/stat') return `cpu  ${stats++ * 30} 0 0 ${stats * 70}\n`;
      if (path === '/proc/pressure/cpu') return 'some avg10=12.50 avg60=0 avg300=0 total=0\n';
      if (path === '/proc/self/status') return 'Cpus_allowed_list:\t0-1\n';
      if (path === '/proc/self/cgroup') return '0::/\n';
      if (path === '/sys/fs/cgroup/cpu.max') return '150000 100000\n';
      return undefined;
    },
  };
  return { deps, ran, elapsedMs: () => nowMs };
}

const quick: MachineSpeed = {
  processStartMs: 0.6,
  coreWorkMs: 24,
  dilation: 1.1,
  cpus: 2,
  effectiveCpus: 2,
  busyShare: 0.1,
  pressureShare: 0.05,
};

describe('the speed of a machine', () => {
  test('excludes the start of the shell that starts the processes', async () => {
    const speed = await measureSpeed(machine(2.5).deps);
    expect(speed.processStartMs).toBeCloseTo(2.5);
    expect(speed).toMatchObject({ coreWorkMs: 41, dilation: 2, cpus: 2, effectiveCpus: 1.5 });
    expect(speed.pressureShare).toBe(0.125);
    expect(speed.busyShare).toBeCloseTo(0.3);
  });

  test('takes about 2 s, also with slow process starts', async () => {
    const slow = machine(20);
    await measureSpeed(slow.deps);
    expect(slow.elapsedMs()).toBeLessThan(2500);
  });

  test('is known without process starts if there is no shell', async () => {
    const speed = await measureSpeed(machine(1, 127).deps);
    expect(speed.processStartMs).toBeUndefined();
    expect(speed.coreWorkMs).toBe(41);
  });

  test('is one line', () => {
    expect(speedText({ ...quick, effectiveCpus: 0.7 })).toBe(
      '2 CPUs (a quota leaves 0.7 of them), a process starts in 0.6 ms (fork and exec of /bin/true), 16 million steps of arithmetic take 24 ms on one core; now 10 % busy, CPU pressure 5 %',
    );
    expect(
      speedText({
        processStartMs: undefined,
        coreWorkMs: 24,
        dilation: 1,
        cpus: undefined,
        effectiveCpus: undefined,
        busyShare: undefined,
        pressureShare: undefined,
      }),
    ).toBe(
      'an unknown number of CPUs, process start unknown, 16 million steps of arithmetic take 24 ms on one core',
    );
  });
});

describe('a machine for a lab', () => {
  const slow = {
    processStartMs: labLimits.slowProcessStartMs + 0.1,
    effectiveCpus: labLimits.effectiveCpus - 0.1,
  };

  test.each([
    [
      'less than a CPU and slow starts',
      slow,
      /^less than 1 CPU, and processes that start in more than 5 ms: /,
    ],
    [
      'no room beside other work',
      { busyShare: labLimits.busyShare, dilation: 3.04 },
      /^other programs take 90 % of the CPUs or more, and work takes 3 x its CPU time \(limit 2 x\): /,
    ],
  ])('is refused with %s, with figures and what to do', (_, over, words) => {
    const finding = judgeSpeed({ ...quick, ...over }, false);
    expect(finding).toMatchObject({ name: 'speed', status: 'fail' });
    expect(finding.observed).toMatch(words);
    expect(finding.hint).toContain('`firedrill doctor`');
  });

  test.each([
    ['is quick', {}],
    ['has less than a CPU, a quick one', { effectiveCpus: 0.9 }],
    ['starts processes slowly, on two CPUs', { processStartMs: 9 }],
    ['is busy with work that holds nothing up', { busyShare: 1, dilation: 1.2 }],
    ['does not tell', { effectiveCpus: undefined, busyShare: undefined, processStartMs: undefined }],
  ])('is taken where it %s', (_, over) => {
    expect(judgeSpeed({ ...quick, ...over }, false).status).toBe('ok');
  });

  test('does not fail because of its own running lab', () => {
    expect(judgeSpeed({ ...quick, ...slow, busyShare: 1, dilation: 9 }, true).status).toBe('ok');
  });
});
