import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { controlHealth, type ControlSample, dilationOf } from '../core/control.ts';
import { controlSilenceMs, controlWorkMs } from '../core/starvation-limits.ts';
import { runMs } from '../core/time.ts';
import { fromPlain } from '../core/testing/plain.ts';
import { type Control, sampleOf, startControl, startControlProgram } from './control.ts';
import { createMachineHealth } from './machine-health.ts';
import { createSystemClock } from './system-clock.ts';

const running: Control[] = [];
afterEach(async () => {
  for (const control of running.splice(0)) await control.stop();
});

/** A running control, with functions that wait for its samples. */
async function start() {
  const clock = createSystemClock();
  const samples: ControlSample[] = [];
  const ends: string[] = [];
  let wake = (): void => {};
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  const control = await startControl({
    clock,
    onSample: (sample) => {
      samples.push(sample);
      wake();
    },
    onEnd: (why) => {
      ends.push(why);
      wake();
    },
  });
  running.push(control);
  const seen = async (count: number): Promise<void> => {
    while (samples.length < count) await next();
  };
  return { clock, control, samples, ends, seen, next };
}

describe('the control', () => {
  test.each([
    ["console.error('no room'); process.exit(7)", 'exit code 7: no room'],
    ["process.kill(process.pid, 'SIGKILL')", 'SIGKILL'],
  ])('fails to start with the reason if its process ends at once (%s)', async (text, why) => {
    const folder = mkdtempSync(join(tmpdir(), 'control-'));
    const path = join(folder, 'program.mjs');
    writeFileSync(path, text);
    const never = (): never => {
      throw new Error('called');
    };
    const options = { clock: createSystemClock(), onSample: never, onEnd: never };
    await expect(startControlProgram(path, options)).rejects.toMatchObject({
      code: 'harness',
      message: `cannot start the control: its process ended at once: ${why}`,
    });
    rmSync(folder, { recursive: true });
  });

  test('repeats its work and reports the time of each piece', { timeout: 60_000 }, async () => {
    const { clock, samples, seen } = await start();
    await seen(3);
    for (const sample of samples) {
      expect(sample.cpuMs).toBeGreaterThanOrEqual(controlWorkMs);
      // The two clocks are not read at the same moment.
      expect(sample.wallMs).toBeGreaterThan(sample.cpuMs * 0.9);
      expect(dilationOf(sample)).toBeGreaterThanOrEqual(1);
      expect(sample.finishMs).toBeLessThanOrEqual(clock.nowMs());
    }
    const finished = samples.map((s) => s.finishMs);
    expect(finished).toEqual([...finished].sort((a, b) => a - b));
  });

  test('runs in its own session, and ends when it is stopped', { timeout: 60_000 }, async () => {
    const { control, ends, seen } = await start();
    await seen(1);
    // proc_pid_stat(5): after the name come the state, the parent, the group and the session.
    const stat = readFileSync(`/proc/${control.pid}/stat`, 'utf8');
    expect(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]).toBe(String(control.pid));
    await control.stop();
    expect(() => process.kill(control.pid, 0)).toThrow('ESRCH');
    expect(ends).toEqual([]);
  });

  test('reports nothing without CPU time, and the machine is not fit', { timeout: 60_000 }, async () => {
    const { clock, control, samples, seen } = await start();
    const machine = createMachineHealth();
    machine.startControl(clock.nowMs());
    await seen(1);
    process.kill(control.pid, 'SIGSTOP');
    while (!/\) T /.test(readFileSync(`/proc/${control.pid}/stat`, 'utf8')))
      await clock.sleep(5, AbortSignal.timeout(30_000));
    const reported = samples.length;
    for (const sample of samples) machine.addSample(sample);
    const lastMs = samples.at(-1)?.finishMs ?? runMs(0);
    await clock.sleep(lastMs + controlSilenceMs + 1 - clock.nowMs(), AbortSignal.timeout(30_000));
    // At most one line that it had written before it was stopped.
    expect(samples.length - reported).toBeLessThanOrEqual(1);
    expect(machine.unmet(runMs(lastMs + controlSilenceMs + 1), 1000)).toEqual([
      expect.stringMatching(
        /^the control on the prober's machine reported nothing for 2\.00 s: .*quieter machine/,
      ),
    ]);
    process.kill(control.pid, 'SIGCONT');
    await seen(reported + 2);
  });

  test('reports an unexpected end of its process', { timeout: 60_000 }, async () => {
    const { control, ends, next } = await start();
    const ended = next();
    process.kill(control.pid, 'SIGKILL');
    while (ends.length === 0) await Promise.race([ended, next()]);
    expect(ends).toEqual(['SIGKILL']);
  });

  test('has sample times on the run clock, even if a line is read late', () => {
    expect(sampleOf('5000000000 16250.6 8040', 5_250_000_000n, runMs(900))).toEqual({
      finishMs: 650,
      wallMs: 16.251,
      cpuMs: 8.04,
    });
    expect(sampleOf('no line of ours', 1n, runMs(1))).toBeUndefined();
  });
});

describe('the health of a machine by its control', () => {
  const at = (finishMs: number, dilation: number) =>
    fromPlain<ControlSample>({ finishMs, cpuMs: 8, wallMs: 8 * dilation });
  const list = (...dilations: number[]) => dilations.map((d, i) => at((i + 1) * 500, d));
  const healthOf = (samples: readonly ControlSample[], nowMs: number) =>
    controlHealth(samples, runMs(nowMs), runMs(0));

  test('depends on the median, or on one piece of work that stood still', () => {
    expect(healthOf(list(1, 1.6, 1.2, 1.1, 1), 2600)).toEqual({ state: 'ok', dilation: 1.1 });
    // Two interrupted pieces of work are not starvation.
    expect(healthOf(list(1, 3.9, 1.2, 3.8, 1), 2600).state).toBe('ok');
    expect(healthOf(list(1, 3.9, 3.8, 3.8, 1), 2600)).toEqual({ state: 'starved', dilation: 3.8 });
    expect(healthOf(list(1, 1, 1, 1, 60), 2600).state).toBe('starved');
  });

  test('is unknown without a sample for 2 s', () => {
    expect(healthOf(list(1, 1), 3000).state).toBe('ok');
    expect(healthOf(list(1, 1), 3001)).toEqual({ state: 'silent', dilation: 1 });
    expect(healthOf([], 1000)).toEqual({ state: 'ok', dilation: null });
    expect(healthOf([], 2001)).toEqual({ state: 'silent', dilation: null });
  });
});
