import { expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import { scriptedHost } from '../faults/testing/scripted-host.ts';
import { persist } from './persist.ts';
import { simulatedClock } from './testing/simulated-clock.ts';

/** Timeouts of the attempts, ms, for a command with a timeout of 10 s. Each attempt fails without an answer after `failsAfterMs`. */
async function timeouts(failsAfterMs: (timeoutMs: number) => number, withinMs: number): Promise<number[]> {
  const clock = simulatedClock();
  const asked: number[] = [];
  const host = {
    ...scriptedHost(() => ({})),
    exec: async (
      _: readonly string[],
      options: { readonly timeoutMs: number; readonly signal: AbortSignal },
    ) => {
      asked.push(options.timeoutMs);
      await clock.sleep(failsAfterMs(options.timeoutMs), options.signal).catch(() => undefined);
      throw new DrillError('host-unreachable', 'no answer');
    },
  };
  await persist({
    clock,
    access: { host, server: undefined },
    withinMs,
    notDone: 'not done',
    attempt: async (ctx) =>
      (await ctx.host.exec(['true'], { timeoutMs: 10_000, signal: ctx.signal })).exitCode === 0,
  });
  return asked;
}

test('after an attempt without an answer from a slow host, the next one has twice the time', async () => {
  expect(await timeouts((timeoutMs) => timeoutMs, 90_000)).toEqual([10_000, 20_000, 40_000, 80_000]);
});

test('after fast failures the timeouts stay, so that a command that hangs later is retried', async () => {
  const asked = await timeouts(() => 20, 60_000);
  expect(asked.length).toBeGreaterThan(10);
  expect(new Set(asked)).toEqual(new Set([10_000]));
});
