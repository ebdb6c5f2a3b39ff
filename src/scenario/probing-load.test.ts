import { describe, expect, it } from 'vitest';
import type { PlannedProbe, PlannedWriter } from '../core/plan.ts';
import { probingLoad, type Load, type LoadPlan } from './probing-load.ts';

const nothing: Load = {
  samplesPerSecond: 0,
  newConnectionsPerSecond: 0,
  commandsPerSecond: 0,
  processesPerSecond: 0,
  rowsPerSecond: 0,
};

function probe(kind: string, more: Partial<PlannedProbe> = {}): PlannedProbe {
  return { id: kind, name: kind, kind, params: {}, intervalMs: 1000, timeoutMs: 900, ...more };
}

function plan(probes: readonly PlannedProbe[], writers: readonly PlannedWriter[] = []): LoadPlan {
  const hosts = ['a', 'b'].map((name) => ({ name, transport: { kind: 'local' } as const }));
  return { hosts, probes, writers };
}

describe('probing load', () => {
  it('counts samples and new connections at the base and the burst rate', () => {
    // The probes of a target that left two cores 1 % idle: two at 50 ms and four at 200 ms in the burst.
    const probes = [
      probe('sql', { id: 'write', burstIntervalMs: 50 }),
      probe('http', { id: 'proxy', params: { connection: 'kept-alive' }, burstIntervalMs: 50 }),
      ...['1', '2', '3', '4'].map((id) =>
        probe('http', { id, params: { connection: 'new' }, burstIntervalMs: 200 }),
      ),
    ];
    const { base, burst, hosts } = probingLoad(plan(probes));
    expect(base).toEqual({ ...nothing, samplesPerSecond: 6, newConnectionsPerSecond: 5 });
    expect(burst).toEqual({ ...nothing, samplesPerSecond: 60, newConnectionsPerSecond: 40 });
    expect(hosts).toEqual([]);
  });

  it('counts connections on the probe’s host, and commands on the host where they run', () => {
    const probes = [
      probe('exec', { host: 'a', intervalMs: 500, burstIntervalMs: 100 }),
      probe('icmp', { host: 'a', from: 'b' }),
      probe('tcp', { host: 'b' }),
    ];
    const { base, hosts } = probingLoad(plan(probes));
    expect(base).toEqual({
      ...nothing,
      samplesPerSecond: 4,
      newConnectionsPerSecond: 1,
      commandsPerSecond: 3,
      processesPerSecond: 3,
    });
    expect(
      hosts.map(({ host, base: load }) => [host, load.samplesPerSecond, load.commandsPerSecond]),
    ).toEqual([
      ['a', 3, 2],
      ['b', 1, 1],
    ]);
    expect(hosts[0]?.burst.commandsPerSecond).toBe(10);
  });

  it('counts a command that instances share once', () => {
    const attempts = ['a', 'b'].flatMap((host) => [
      probe('arp', { id: `arp@${host}`, host, from: 'b' }),
      probe('vrrp', { id: `vrrp@${host}`, host, from: 'b' }),
    ]);
    const { base } = probingLoad(plan(attempts));
    expect(base).toEqual({
      ...nothing,
      samplesPerSecond: 4,
      commandsPerSecond: 1,
      // A round of arping, and the heartbeat of one capture.
      processesPerSecond: 5 + 4,
    });
  });

  it('counts the writers in the burst, with a connection per request if they keep none', () => {
    const writer = (kind: string): PlannedWriter => ({
      id: kind,
      kind,
      paths: [{ id: `${kind}@a`, host: 'a', params: {} }],
      clients: 2,
      intervalMs: 100,
      timeoutMs: 2000,
      readIntervalMs: 500,
    });
    const { base, burst, hosts } = probingLoad(plan([probe('tcp')], [writer('sql'), writer('http')]));
    expect(base.rowsPerSecond).toBe(0);
    expect(burst).toEqual({
      ...nothing,
      samplesPerSecond: 1,
      newConnectionsPerSecond: 1 + 22,
      rowsPerSecond: 40,
    });
    expect(hosts.map(({ host, burst: load }) => [host, load.rowsPerSecond])).toEqual([['a', 40]]);
  });

  it('counts the samples of an unknown kind', () => {
    expect(probingLoad(plan([probe('telepathy')])).base).toEqual({ ...nothing, samplesPerSecond: 1 });
  });
});
