import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readLog } from '../analysis/read-log.ts';
import { summarize } from '../analysis/summarize.ts';
import type { DrillEvent } from '../core/event.ts';
import type { Plan } from '../core/plan.ts';
import { createSystemClock } from './system-clock.ts';
import { drillOn, type Outcome } from './testing/fake-machine.ts';
import { WebMachine } from './testing/web-machine.ts';

let folder: string;
let machine: WebMachine;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drill-'));
  machine = new WebMachine();
  await machine.boot();
});
afterEach(async () => {
  await machine.halt();
  rmSync(folder, { recursive: true });
});

const run = (plan: Plan, signal?: AbortSignal, onEvent?: (event: DrillEvent) => void): Promise<Outcome> =>
  drillOn(machine, folder, plan, {
    signal,
    onEvent,
    clock: createSystemClock(),
    timers: globalThis,
  });

describe('a drill with writers', () => {
  const withWriter = (): Plan => {
    const url = `${machine.url}rows/\${rows}`;
    const call = { url, headers: {} };
    return {
      ...machine.plan(),
      writers: [
        {
          id: 'rows',
          kind: 'http',
          paths: [
            {
              id: 'rows',
              params: {
                insecureSkipVerify: false,
                write: { ...call, method: 'POST', url: `${url}?\${row}`, acked: [200], refused: [] },
                read: { ...call, method: 'GET', rows: '@', maxBodyBytes: 100_000 },
                remove: { ...call, method: 'DELETE', status: [200] },
              },
            },
          ],
          clients: 1,
          intervalMs: 20,
          // Late answers of a busy machine must still count as acknowledgements.
          timeoutMs: 30_000,
          readIntervalMs: 50,
        },
      ],
      checks: [{ kind: 'rpo', name: 'nothing is lost', of: 'rows', maxMs: 0 }],
    };
  };
  const summaryOf = ({ events }: Outcome) =>
    summarize(readLog(events.map((event) => Buffer.from(`${JSON.stringify(event)}\n`))));
  test('finds lost acknowledged rows, and removes all rows', async () => {
    const refused = Promise.withResolvers<void>();
    machine.startWhen = refused.promise;
    const outcome = await run(withWriter(), undefined, (event) => {
      if (event.type === 'row.written' && event.outcome === 'refused') refused.resolve();
    });
    const { rpo, writers, checks } = summaryOf(outcome);
    expect(rpo).toMatchObject({ lost: 1, duplicated: 0 });
    expect(writers[0]?.refused).toBeGreaterThan(0);
    expect(writers[0]?.losses).toMatchObject([{ path: 'rows', rows: 1 }]);
    expect(checks).toMatchObject([{ status: 'fail', limit: 'no acknowledged write lost' }]);
    expect(machine.removed).toBe(1);
    const phases = outcome.events.flatMap((event) => (event.type === 'phase.started' ? [event.phase] : []));
    expect(phases).toEqual(['steady', 'fault', 'recovery', 'heal', 'redundancy', 'read-back']);
    // Writing starts in the steady state.
    const [first] = outcome.events.filter((event) => event.type === 'row.written');
    const issued = outcome.events.find((event) => event.type === 'fault.issued');
    expect(first?.t).toBeLessThan(issued?.t ?? 0);
  });

  test('reports no loss if no row is lost', async () => {
    const { faults, ...plan } = withWriter();
    const unfelt = faults.map((fault) => ({
      ...fault,
      kind: 'command',
      params: { run: ['true'], timeout: 1000 },
    }));
    const { rpo, checks } = summaryOf(
      await run({ ...plan, faults: unfelt, recovery: { ...plan.recovery, quietForMs: 300 } }),
    );
    expect(rpo).toMatchObject({ lost: 0, ms: 0 });
    expect(checks).toMatchObject([{ status: 'pass' }]);
  });

  test('removes the rows when it is stopped, without a judgment', async () => {
    const stop = new AbortController();
    const outcome = await run(withWriter(), stop.signal, (event) => {
      if (event.type === 'fault.effect') stop.abort(new Error('stopped'));
    });
    // The heal comes first, because the rows cannot be removed without the service.
    expect(machine.removed).toBe(1);
    expect(summaryOf(outcome)).toMatchObject({ rpo: null, checks: [{ status: 'inconclusive' }] });
    expect(outcome.events.some((event) => event.type === 'rows.read' && event.moment === 'end')).toBe(false);
  });

  test('injects nothing if its writer cannot start', async () => {
    const plan = withWriter();
    const [writer] = plan.writers;
    const { types } = await run({ ...plan, writers: [{ ...writer!, kind: 'unknown' }] });
    expect(types).toContain('run.aborted');
    expect(types).not.toContain('fault.issued');
  });
});
