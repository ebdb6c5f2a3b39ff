import { describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { Summary } from '../core/summary.ts';
import { later, runMs } from '../core/time.ts';
import { summarize } from '../analysis/summarize.ts';
import { nodeLoss } from '../analysis/testing/node-loss.ts';
import { planWith } from '../analysis/testing/log-builder.ts';
import { runTable, type TableDeps, type TableJob } from './table-run.ts';

const summary = summarize(nodeLoss().read());

function job(name: string, rowIndex: number): TableJob {
  const scenario = { name, title: name, path: `${name}.yaml`, sha256: '', variables: {} };
  return {
    number: rowIndex + 1,
    rowIndices: [rowIndex],
    label: String(rowIndex + 1),
    plan: planWith({ scenario }),
    round: 0,
  };
}

const jobs = [job('a', 0), job('b', 1), job('c', 2)];

/** A stack with its own clock: a drill takes 60 s, and the return to the steady state 7 s more. */
function fakes(parts: Partial<TableDeps> = {}): TableDeps & { readonly steps: string[] } {
  const steps: string[] = [];
  let now = runMs(0);
  return {
    steps,
    signal: new AbortController().signal,
    nowMs: () => now,
    say: () => undefined,
    keep: () => undefined,
    async settle({ plan }) {
      steps.push(`settle ${plan.scenario.name}`);
      now = later(now, 7000);
      const sinceMs = now;
      now = later(now, 2000);
      return { met: true, unmet: [], sinceMs };
    },
    async run({ plan }) {
      steps.push(`run ${plan.scenario.name}`);
      now = later(now, 60_000);
      return { summary, steady: false };
    },
    ...parts,
  };
}

const unsteady = { met: false, unmet: ['pg-role is standby on exactly 1'], sinceMs: runMs(0) };

describe('a table', () => {
  test('runs each drill from the steady state, and records how long each return took', async () => {
    const deps = fakes();
    const { drills, complete } = await runTable(jobs, deps);
    expect(deps.steps).toEqual(['settle a', 'run a', 'settle b', 'run b', 'settle c', 'run c', 'settle c']);
    expect(drills.map((d) => [d.number, d.name, d.rowIndices, d.backToSteadyMs, d.notRun])).toEqual([
      [1, 'a', [0], 7000, null],
      [2, 'b', [1], 7000, null],
      [3, 'c', [2], 7000, null],
    ]);
    expect(complete).toBe(true);
  });

  test('does not wait after a drill that ended in the steady state', async () => {
    const steady = fakes();
    const deps = fakes({
      run: async (of) => ({ ...(await steady.run(of)), steady: of.plan.scenario.name !== 'b' }),
    });
    const { drills, complete } = await runTable(jobs, deps);
    expect(deps.steps).toEqual(['settle a', 'settle c']);
    expect(drills.map((d) => d.backToSteadyMs)).toEqual([0, 7000, 0]);
    expect(complete).toBe(true);
  });

  test('ends if the stack is not steady, and records the unmet condition for each drill that did not run', async () => {
    const steady = fakes();
    const deps = fakes({
      settle: async (of) => (of.plan.scenario.name === 'b' ? unsteady : steady.settle(of)),
    });
    const { drills, complete } = await runTable(jobs, deps);
    expect(deps.steps).toEqual(['run a']);
    expect(drills.map((d) => [d.name, d.summary?.verdict, d.backToSteadyMs, d.notRun])).toEqual([
      ['a', 'pass', null, null],
      ['b', undefined, null, 'not steady (pg-role is standby on exactly 1)'],
      ['c', undefined, null, 'not steady (pg-role is standby on exactly 1)'],
    ]);
    expect(complete).toBe(false);
  });

  test('is not complete if the stack does not return to the steady state after the last drill', async () => {
    let waits = 0;
    const steady = fakes();
    const deps = fakes({ settle: async (of) => (++waits === 2 ? unsteady : steady.settle(of)) });
    const { drills, complete } = await runTable(jobs.slice(0, 1), deps);
    expect(drills).toMatchObject([{ name: 'a', summary: { verdict: 'pass' }, backToSteadyMs: null }]);
    expect(complete).toBe(false);
  });

  test('injects no further fault once a fault is not proven healed', async () => {
    const left: Summary = { ...summary, healed: false, verdict: 'inconclusive' };
    const deps = fakes({ run: async () => ({ summary: left, steady: false }) });
    const { drills } = await runTable(jobs, deps);
    expect(deps.steps).toEqual(['settle a']);
    expect(drills.map((d) => d.notRun)).toEqual([
      null,
      'a fault of a is not proven healed',
      'a fault of a is not proven healed',
    ]);
  });

  test('ends at a drill without disk space, and keeps the drills before it', async () => {
    const steady = fakes();
    const deps = fakes({
      run: async (of) => {
        if (of.plan.scenario.name === 'b') throw new DrillError('harness', 'cannot write b: ENOSPC');
        return steady.run(of);
      },
    });
    const { drills, complete } = await runTable(jobs, deps);
    expect(drills.map((d) => [d.summary?.verdict, d.notRun])).toEqual([
      ['pass', null],
      [undefined, 'cannot write b: ENOSPC'],
      [undefined, 'cannot write b: ENOSPC'],
    ]);
    expect(complete).toBe(false);
  });

  test('keeps finished drills when it is stopped in a drill', async () => {
    const stop = new AbortController();
    const steady = fakes();
    const deps = fakes({
      signal: stop.signal,
      run: async (of) => {
        if (of.plan.scenario.name === 'b') stop.abort(new Error('stopped by SIGINT'));
        return steady.run(of);
      },
    });
    const { drills, complete } = await runTable(jobs, deps);
    expect(drills.map((d) => [d.summary === null, d.notRun])).toEqual([
      [false, null],
      [false, null],
      [true, 'stopped by SIGINT'],
    ]);
    expect(deps.steps).toEqual(['settle a', 'settle b']);
    expect(complete).toBe(false);
  });

  test('keeps finished drills when it is stopped while it waits', async () => {
    const stop = new AbortController();
    const steady = fakes();
    const deps = fakes({
      signal: stop.signal,
      settle: async (of) => {
        if (of.plan.scenario.name === 'a') return steady.settle(of);
        stop.abort(new Error('stopped by SIGTERM'));
        return Promise.reject(new Error('aborted'));
      },
    });
    const { drills } = await runTable(jobs, deps);
    expect(drills.map((d) => d.notRun)).toEqual([null, 'stopped by SIGTERM', 'stopped by SIGTERM']);
  });

  test('rejects if the harness fails while it waits, and has saved the finished drills', async () => {
    const kept: string[][] = [];
    const steady = fakes();
    const deps = fakes({
      keep: (drills) => kept.push(drills.map((d) => d.name)),
      settle: async (of) =>
        of.plan.scenario.name === 'a' ? steady.settle(of) : Promise.reject(new Error('no such container')),
    });
    await expect(runTable(jobs, deps)).rejects.toThrow('no such container');
    expect(kept).toEqual([['a']]);
  });
});
