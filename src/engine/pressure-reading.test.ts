import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { markedArgv, newMark } from '../hosts/command-marks.ts';
import { createLocalHost } from '../hosts/local.ts';
import { localMachine } from './local-machine.ts';
import { pressureBetween, readPressureLine, usedBetween } from './pressure-reading.ts';
import { pressureScript } from './pressure-script.ts';
import { createSystemClock } from './system-clock.ts';

const line = 'at 569.96 1500000000 124094592 0 10 5 4776215 2477328 100 10 50 800 30 2 8 0 7';

describe('a line of a host', () => {
  test('has the host’s own CPU time, and the counters of its machine', () => {
    expect(readPressureLine(line)).toEqual({
      usedMs: 1500,
      machine: {
        upMs: 569_960,
        stalls: {
          cpu: { some: 124_094_592, full: 0 },
          memory: { some: 10, full: 5 },
          io: { some: 4_776_215, full: 2_477_328 },
        },
        ticks: { busy: 170, steal: 0, total: 1000 },
        runQueue: 7,
      },
    });
  });

  test('has null for values that could not be read, never 0', () => {
    expect(readPressureLine('at 569.96 - - - - - - - 100 10 50 800 30 2 8 - -')).toEqual({
      usedMs: null,
      machine: {
        upMs: 569_960,
        stalls: {
          cpu: { some: null, full: null },
          memory: { some: null, full: null },
          io: { some: null, full: null },
        },
        ticks: null,
        runQueue: null,
      },
    });
    expect(readPressureLine('at 569.96 77000000')).toEqual({ usedMs: 77, machine: null });
    expect(readPressureLine('at - -')).toEqual({ usedMs: null, machine: null });
    expect(readPressureLine('boot 757f4631')).toBeUndefined();
  });
});

describe('two readings', () => {
  const reading = (text: string) => readPressureLine(text)?.machine ?? expect.fail('no reading');
  const before = reading(line);

  test('give the shares of the time between them', () => {
    const after = reading('at 570.96 1500000000 124594592 0 10 5 4876215 2502328 200 10 70 860 30 2 8 20 3');
    expect(pressureBetween(before, after)).toEqual({
      overMs: 1000,
      cpu: { somePct: 50, busyPct: 60, stealPct: 10, runQueue: 3, cores: null },
      memory: { somePct: 0, fullPct: 0 },
      io: { somePct: 10, fullPct: 2.5 },
    });
  });

  test('give null for values that one of them lacks, and null in total for equal times or another boot', () => {
    const blind = reading('at 570.96 - - - - - - - - - - - - - - - -');
    expect(pressureBetween(before, blind)).toEqual({
      overMs: 1000,
      cpu: { somePct: null, busyPct: null, stealPct: null, runQueue: null, cores: null },
      memory: { somePct: null, fullPct: null },
      io: { somePct: null, fullPct: null },
    });
    expect(pressureBetween(before, before)).toBeNull();
    expect(pressureBetween(before, reading(line.replace('569.96', '3.00')))).toBeNull();
  });

  test('of a new control group count from its creation', () => {
    expect(usedBetween(1000, 1250)).toBe(250);
    expect(usedBetween(1000, 40)).toBe(40);
  });
});

test.each([
  ['sh', ['sh']],
  ['bash', ['bash']],
  // Without bash and sleep it prints lines one second apart, or none.
  ['a bare sh', ['env', 'PATH=/nonexistent', '/bin/sh']],
])('a real host prints such lines with %s, never more than one a second', async (_, shell) => {
  const stop = new AbortController();
  const argv = [...shell, '-c', pressureScript, pressureScript, 'another boot'];
  const lines: string[] = [];
  for await (const said of createLocalHost('here').follow(argv, stop.signal)) {
    lines.push(said);
    if (lines.length === 4) break;
  }
  const [boot, ...rest] = lines;
  expect(boot).toMatch(new RegExp(`^boot ${localMachine().bootId} \\d+$`));
  const readings = rest.map((said) => readPressureLine(said)?.machine);
  for (const [index, reading] of readings.entries()) {
    expect(reading?.ticks?.total).toBeGreaterThan(0);
    expect(reading?.runQueue).toBeGreaterThan(0);
    const before = readings[index - 1];
    if (before === undefined || before === null || reading == null) continue;
    // At least 900 ms apart, so the loop does not spin, even on a busy machine.
    expect(reading.upMs - before.upMs).toBeGreaterThanOrEqual(900);
  }
});

/** Processes of a session, by their commands (proc_pid_stat(5)). */
function inSession(session: number): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const stat = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
      const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)/s.exec(stat) ?? [];
      return rest.split(' ')[3] === String(session) ? [name] : [];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
}

test('the script ends with its follower, even if its output is still read', { timeout: 60_000 }, async () => {
  const followed = ['sh', '-c', pressureScript, pressureScript, 'another boot'];
  const [shell = '', ...argv] = markedArgv(followed, newMark(), 'follow');
  const child = spawn(shell, argv, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  const session = child.pid ?? Number.NaN;
  const clock = createSystemClock();
  const signal = AbortSignal.timeout(50_000);
  try {
    // The wrapper, its guard, the script and its loop.
    while (inSession(session).length < 4) await clock.sleep(20, signal);
    child.stdin.end();
    while (inSession(session).length > 0) await clock.sleep(20, signal);
    expect(inSession(session)).toEqual([]);
  } finally {
    if (inSession(session).length > 0) process.kill(-session, 'SIGKILL');
  }
});

test('a host on the prober’s machine prints only its own CPU time', async () => {
  const stop = new AbortController();
  const argv = ['sh', '-c', pressureScript, pressureScript, localMachine().bootId ?? ''];
  for await (const said of createLocalHost('here').follow(argv, stop.signal)) {
    if (!said.startsWith('at ')) continue;
    expect(said).toMatch(/^at \d+\.\d+ (-|\d+)$/);
    break;
  }
});

/** The CPU time that the script prints, us, with the control groups of an SSH host, where the login has its own group. */
async function usedUs(isContainer: boolean): Promise<number | string> {
  const folder = mkdtempSync(join(tmpdir(), 'firedrill-cgroup-'));
  try {
    const group = (path: string, us: number, files = ['cgroup.type']): void => {
      mkdirSync(join(folder, path), { recursive: true });
      for (const file of files) writeFileSync(join(folder, path, file), 'domain\n');
      writeFileSync(join(folder, path, 'cpu.stat'), `usage_usec ${us}\n`);
    };
    const login = 'user.slice/user-0.slice/session-7.scope';
    group('', 5_000_000, isContainer ? ['cgroup.type'] : []);
    group('init.scope', 40_000);
    group(login, 700);
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const script = pressureScript
      .replaceAll('/sys/fs/cgroup', folder)
      .replaceAll('/proc/self/cgroup', file('self', `0::/${login}\n`))
      .replaceAll('/proc/1/cgroup', file('init', '0::/init.scope\n'));
    const argv = ['sh', '-c', script, script, localMachine().bootId ?? ''];
    for await (const said of createLocalHost('here').follow(argv, new AbortController().signal)) {
      if (!said.startsWith('at ')) continue;
      const used = said.split(' ')[2] ?? '';
      return used === '-' ? used : Number(used) / 1000;
    }
    return 'no reading';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('an SSH host prints the CPU time of its whole control group, not of its login’s', async () => {
  expect(await usedUs(true)).toBe(5_000_000);
  // The root group contains everything on the machine.
  expect(await usedUs(false)).toBe('-');
});

test('the prober reads its machine and itself', () => {
  const machine = localMachine();
  expect(machine.cores).toBeGreaterThan(0);
  const reading = machine.read();
  expect(reading?.ticks?.busy).toBeGreaterThan(0);
  const used = machine.ownCpuMs();
  expect(used).toBeGreaterThan(0);
});

test('a prober on another system reads nothing', () => {
  const none = localMachine(() => {
    throw new Error('ENOENT');
  });
  expect(none).toMatchObject({ bootId: undefined });
  expect(none.read()).toBeNull();
  expect(none.ownCpuMs()).toBeNull();
});
