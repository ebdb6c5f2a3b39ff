import { describe, expect, test } from 'vitest';
import type { PlannedProbe } from '../core/plan.ts';
import { builtInKinds } from '../extension/kinds.ts';
import { countCommands } from '../hosts/count-commands.ts';
import { scriptedHost } from '../faults/testing/scripted-host.ts';
import { readCpuTimes } from './cpu-times.ts';
import { meterHarness } from './harness-cost.ts';

function probe(id: string, kind: string, params: PlannedProbe['params'] = {}): PlannedProbe {
  return { id, name: id, kind, params, intervalMs: 1000, timeoutMs: 900 };
}

describe('the meter of the harness', () => {
  test('counts from its start, including the connections of the samples', () => {
    let ownMs = 5000;
    let commands = 0;
    const meter = meterHarness({
      kinds: builtInKinds,
      probes: [
        probe('tcp', 'tcp'),
        probe('kept', 'sql', { connection: 'kept' }),
        probe('new', 'sql', { connection: 'new' }),
        probe('gone', 'telepathy'),
      ],
      cpu: () => ({ ownMs, childrenMs: ownMs / 10 }),
      commands: () => commands,
    });
    for (const id of ['tcp', 'tcp', 'kept', 'new', 'gone', 'firedrill:canary']) meter.countSample(id);
    ownMs += 1000;
    commands = 3;
    expect(meter.read()).toEqual({
      cpuMs: 1000,
      childCpuMs: 100,
      samples: 5,
      newConnections: 3,
      commands: 3,
    });
  });

  test('omits the children’s CPU time if the system does not report it', () => {
    const cpu = () => ({ ownMs: 0, childrenMs: undefined });
    expect(
      meterHarness({ probes: [], kinds: builtInKinds, cpu, commands: () => 0 }).read(),
    ).not.toHaveProperty('childCpuMs');
  });

  test('reads increasing times', () => {
    const before = readCpuTimes();
    let after = before;
    // It ends because the reading grows. On a busy machine, the second one may be 5 ms later already.
    while (after.ownMs < before.ownMs + 5) after = readCpuTimes();
    expect(before.childrenMs).toBeGreaterThanOrEqual(0);
    expect(after.childrenMs).toBeGreaterThanOrEqual(before.childrenMs ?? NaN);
  });
});

describe('counted hosts', () => {
  test('count run, followed, and piped commands on all hosts, and change no behavior', async () => {
    const count = countCommands();
    const inner = scriptedHost(() => ({ stdout: 'out' }));
    const alpha = count.counted({
      ...inner,
      async *follow() {
        yield 'line';
        return { exitCode: 0, stderr: '' };
      },
      pipe: () => ({ write: () => {}, onData: () => {}, onEnd: () => {}, close: () => {} }),
    });
    const beta = count.counted(inner);
    const options = { timeoutMs: 1, signal: new AbortController().signal };
    expect(await alpha.exec(['a'], options)).toMatchObject({ stdout: 'out' });
    await beta.exec(['b'], options);
    for await (const line of alpha.follow(['c'], options.signal)) expect(line).toBe('line');
    alpha.pipe?.(['d']).close();
    expect(count.commands).toBe(4);
    expect(beta.pipe).toBeUndefined();
    expect(inner.commands).toEqual(['a', 'b']);
  });
});
