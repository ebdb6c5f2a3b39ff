import { describe, expect, test } from 'vitest';
import type { PlannedHost, PlannedProbe } from '../core/plan.ts';
import { scriptedHost } from '../faults/testing/scripted-host.ts';
import { simulatedClock, timersOn } from './testing/simulated-clock.ts';
import { awaitGate } from './watch.ts';

const hosts: readonly PlannedHost[] = [{ name: 'a', transport: { kind: 'local' } }];

function probe(name: string, kind: string, params: PlannedProbe['params']): PlannedProbe {
  return { id: `${name}@a`, name, host: 'a', kind, params, intervalMs: 50, timeoutMs: 50 };
}

const exec = (name: string): PlannedProbe => probe(name, 'exec', { argv: [name], expectExit: 0 });

describe('waiting for a gate alone', () => {
  test('runs the probes that the gate reads, and no others', async () => {
    const host = scriptedHost((argv) => ({ stdout: argv[0] === 'role' ? 'primary' : '' }));
    const plan = {
      hosts,
      // Opening an `icmp` probe runs a command on its host, even before its first sample.
      probes: [
        exec('health'),
        exec('role'),
        probe('spare', 'icmp', { address: '198.18.9.1', dataBytes: 56 }),
      ],
      roles: { primary: { probe: 'role', is: ['primary'] }, other: { probe: 'spare' } },
    };
    const gate = { require: [{ probe: 'health', role: 'primary' }], forMs: 0, withinMs: 10_000 };
    const { signal } = new AbortController();
    const clock = simulatedClock();
    const { met } = await awaitGate(
      plan,
      gate,
      { clock, timers: timersOn(clock), createHost: () => host },
      signal,
    );
    expect(met).toBe(true);
    expect(new Set(host.commands)).toEqual(new Set(['health', 'role']));
  });
});
