import { describe, expect, it } from 'vitest';
import type { Plan, PlannedProbe } from '../core/plan.ts';
import { loadAdvice, loadText } from './load-text.ts';
import { probingLoad, type LoadPlan } from './probing-load.ts';

function probe(name: string, kind: string, more: Partial<PlannedProbe> = {}): PlannedProbe {
  return { id: name, name, kind, params: {}, intervalMs: 1000, timeoutMs: 900, ...more };
}

function plan(...probes: readonly PlannedProbe[]): LoadPlan & Pick<Plan, 'recovery'> {
  return {
    hosts: [],
    probes,
    writers: [],
    recovery: { probe: 'service', withinMs: 60_000, stableForMs: 5000 },
  };
}

describe('load in words', () => {
  it('has samples, new connections, and commands a second', () => {
    const { base } = probingLoad(
      plan(probe('a', 'tcp'), probe('b', 'exec', { from: 'x', intervalMs: 2000 })),
    );
    expect(loadText(base)).toBe('1.5 samples, 1 new connection, and 0.5 commands a second');
  });

  it('has processes if commands start more than one, and rows if a writer runs', () => {
    const load = probingLoad(plan()).base;
    expect(loadText({ ...load, commandsPerSecond: 2, processesPerSecond: 10.04, rowsPerSecond: 40 })).toBe(
      '0 samples, 0 new connections, and 2 commands (at least 10 processes) a second; 40 rows written',
    );
  });
});

describe('advice on the load', () => {
  it('is empty below the limits', () => {
    expect(loadAdvice(plan(probe('service', 'tcp', { burstIntervalMs: 50 })))).toEqual([]);
  });

  it('names bursts of other probes first, because the RTO does not depend on them', () => {
    const own = probe('service', 'http', { burstIntervalMs: 50 });
    const other = probe('write', 'sql', { burstIntervalMs: 50 });
    expect(loadAdvice(plan(own, other))).toEqual([
      {
        text: 'probing itself may be the load: 40 new connections a second in the burst (limit: 20)',
        hint: 'remove `burst`, or set a longer one, for `write` (50 ms: 20 a second); only the recovery probe `service` sets the bounds of the RTO',
      },
    ]);
  });

  it('names the burst of the recovery probe if it is the only one', () => {
    const [advice] = loadAdvice(plan(probe('service', 'http', { burstIntervalMs: 20 })));
    expect(advice?.hint).toBe('set a longer `burst` for `service` (20 ms: 50 a second)');
  });

  it('also names the writers if only the recovery probe has a burst', () => {
    const writer = {
      id: 'notes',
      kind: 'http',
      paths: [{ id: 'notes', params: {} }],
      clients: 1,
      intervalMs: 100,
      timeoutMs: 2000,
      readIntervalMs: 500,
    };
    const own = plan(probe('service', 'http', { burstIntervalMs: 100 }));
    expect(loadAdvice({ ...own, writers: [writer] })[0]?.hint).toBe(
      'set a longer `burst` for `service` (100 ms: 10 a second), or a longer `interval` for the writer `notes` (100 ms: 12 a second)',
    );
  });

  it('names the intervals if the base rate is above the limit, and then gives no advice on the burst', () => {
    const busy = probe('state', 'exec', { intervalMs: 40, burstIntervalMs: 20, from: 'x' });
    expect(loadAdvice(plan(probe('service', 'tcp'), busy))).toEqual([
      {
        text: 'probing itself may be the load: 25 processes on hosts a second at the base rate (limit: 20)',
        hint: 'set a longer `interval` for `state` (40 ms: 25 a second)',
      },
    ]);
  });
});
