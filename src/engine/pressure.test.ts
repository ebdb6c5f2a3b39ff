import { expect, test } from 'vitest';
import type { Clock } from '../core/clock.ts';
import { DrillError } from '../core/errors.ts';
import type { MachinePressure } from '../core/event.ts';
import type { Host } from '../core/host.ts';
import type { LocalMachine } from './local-machine.ts';
import type { MachineReading } from './pressure-reading.ts';
import { startPressure } from './pressure.ts';
import { simulatedClock } from './testing/simulated-clock.ts';

/** A reading of a machine with two cores, 50 % busy, CPU pressure 30 %. */
const reading = (upMs: number): MachineReading => ({
  upMs,
  stalls: {
    cpu: { some: upMs * 300, full: 0 },
    memory: { some: 0, full: 0 },
    io: { some: null, full: null },
  },
  ticks: { busy: upMs / 10, steal: 0, total: upMs / 5 },
  runQueue: 2,
});

function local(clock: Clock): LocalMachine {
  return {
    bootId: 'local-boot-id',
    cores: 2,
    read: () => reading(clock.nowMs()),
    ownCpuMs: () => clock.nowMs() / 20,
  };
}

/** A host that prints one line per second, as long as `line` returns one for that moment. */
function host(
  clock: Clock,
  bootId: string,
  line: (nowMs: number) => string | undefined,
): Pick<Host, 'follow'> {
  return {
    async *follow(_, signal) {
      if (line(clock.nowMs()) === undefined) throw new DrillError('host-unreachable', 'off');
      yield `boot ${bootId} ${clock.nowMs() < 8000 ? 1000 : 9000}`;
      for (;;) {
        const said = line(clock.nowMs());
        if (said === undefined) return { exitCode: 137, stderr: '' };
        yield said;
        try {
          await clock.sleep(1000, signal);
        } catch {
          return { exitCode: 0, stderr: '' };
        }
      }
    },
  };
}

/** The events for the machines of those hosts until that moment. */
async function reported(
  hosts: Readonly<Record<string, (clock: Clock) => Pick<Host, 'follow'>>>,
  untilMs: number,
  made = local,
): Promise<(MachinePressure & { readonly t: number })[]> {
  const clock = simulatedClock();
  const events: (MachinePressure & { readonly t: number })[] = [];
  const watch = startPressure({
    hosts: Object.keys(hosts),
    host: (name) => hosts[name]!(clock),
    clock,
    local: made(clock),
    onPressure: (pressure) => events.push({ t: clock.nowMs(), ...pressure }),
  });
  await clock.sleep(untilMs, new AbortController().signal);
  await watch.stop();
  return events;
}

const own =
  (usedNs: (nowMs: number) => string | undefined) =>
  (clock: Clock): Pick<Host, 'follow'> =>
    host(clock, 'local-boot-id', (ms) => {
      const used = usedNs(ms);
      return used === undefined ? undefined : `at ${ms / 1000} ${used}`;
    });

test('reports the prober’s machine once per second, with the CPU time of the hosts on it', async () => {
  const events = await reported(
    { 'node-a': own((ms) => String(ms * 200_000)), 'node-b': own((ms) => String(ms * 100_000)) },
    5500,
  );
  expect(events).toHaveLength(5);
  expect(events[3]).toEqual({
    t: 4000,
    machine: 'local-bo',
    prober: true,
    hosts: ['node-a', 'node-b'],
    overMs: 1000,
    cpu: { somePct: 30, busyPct: 50, stealPct: 0, runQueue: 2, cores: 2 },
    memory: { somePct: 0, fullPct: 0 },
    io: { somePct: null, fullPct: null },
    targetCpuPct: 30,
    harnessCpuPct: 5,
  });
});

test('has null for the hosts’ CPU time if one of them cannot read it', async () => {
  const events = await reported(
    { 'node-a': own((ms) => String(ms * 200_000)), 'node-b': own(() => '-') },
    3500,
  );
  expect(events.map((e) => e.targetCpuPct)).toEqual([null, null, null]);
  const alone = await reported({}, 1500);
  expect(alone).toMatchObject([{ hosts: [], targetCpuPct: null, harnessCpuPct: 5 }]);
});

test('has null for the hosts’ CPU time while the machine of one host is unknown', async () => {
  const silent = () => ({
    // oxlint-disable-next-line require-yield
    async *follow(): AsyncGenerator<string, { exitCode: number; stderr: string }, void> {
      throw new DrillError('host-unreachable', 'no shell here');
    },
  });
  const events = await reported({ 'node-a': own((ms) => String(ms * 200_000)), 'node-b': silent }, 3500);
  expect(events.map((e) => [e.hosts, e.targetCpuPct])).toEqual(
    Array.from({ length: 3 }, () => [['node-a'], null]),
  );
});

/** The hosts' CPU time in each event: [t in s, percent of one core, hosts not read, ms read late]. */
const usedOf = (events: readonly (MachinePressure & { readonly t: number })[]) =>
  events.map((e) => [
    e.t / 1000,
    e.targetCpuPct,
    e.unreadHosts ?? [],
    (e.readLate ?? []).map(({ usedMs }) => Math.round(usedMs)),
  ]);

test('reads a host again after it was off, and does not count it as idle meanwhile', async () => {
  // Off from 3 s to 8 s; its new control group has used 0.4 s when it is read again at 13 s.
  const events = await reported(
    {
      'node-a': own((ms) =>
        ms < 3000 ? String(ms * 200_000) : ms < 8000 ? undefined : String((ms - 8000) * 100_000 + 4e8),
      ),
    },
    16_500,
  );
  const unread = usedOf(events).filter(([, , hosts]) => (hosts as string[]).length > 0);
  expect(unread.map(([t]) => t)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  // CPU time from before the first new reading does not count for the last second.
  expect(usedOf(events).slice(-2)).toEqual([
    [15, 10, [], []],
    [16, 10, [], []],
  ]);
  expect(events.every((e) => (e.targetCpuPct ?? 0) <= 20 && e.hosts.length === 1)).toBe(true);
});

test('reports the CPU time of an unread period once the host is read again', async () => {
  // Its command ends at 3 s, and is started again at 13 s; the host uses 20 % of a core all the time.
  const events = await reported(
    {
      'node-a': (clock) => ({
        async *follow(_, signal) {
          yield 'boot local-boot-id 1000';
          for (;;) {
            const ms = clock.nowMs();
            if (ms >= 3000 && ms < 8000) return { exitCode: 1, stderr: '' };
            yield `at ${ms / 1000} ${ms * 200_000}`;
            await clock.sleep(1000, signal).catch(() => undefined);
            if (signal.aborted) return { exitCode: 0, stderr: '' };
          }
        },
      }),
    },
    16_500,
  );
  const late = usedOf(events).filter(([, , , ms]) => (ms as number[]).length > 0);
  expect(late).toHaveLength(1);
  const total = events.reduce(
    (sum, e) => sum + ((e.targetCpuPct ?? 0) / 100) * e.overMs + (e.readLate?.[0]?.usedMs ?? 0),
    0,
  );
  const endMs = Math.max(...events.map((e) => e.t));
  expect(Math.abs(total - endMs * 0.2)).toBeLessThanOrEqual(200);
  expect(events.every((e) => (e.targetCpuPct ?? 0) <= 40)).toBe(true);
});

test('does not count a host as idle while its command prints nothing', async () => {
  const events = await reported(
    {
      'node-a': (clock) => ({
        async *follow(_, signal) {
          yield 'boot local-boot-id 1000';
          for (;;) {
            const ms = clock.nowMs();
            yield `at ${ms / 1000} ${ms * 200_000}`;
            await clock.sleep(ms === 4000 ? 6000 : 1000, signal).catch(() => undefined);
            if (signal.aborted) return { exitCode: 0, stderr: '' };
          }
        },
      }),
    },
    12_500,
  );
  const unread = usedOf(events).filter(([, , hosts]) => (hosts as string[]).length > 0);
  expect(unread.map(([t]) => t)).toEqual([8, 9]);
  expect(usedOf(events).find(([t]) => t === 10)).toEqual([10, 0, [], [1200]]);
});

test('reports other machines separately, with all hosts of one kernel together', async () => {
  const line = (ms: number) => {
    const up = ms + 50_000;
    return `at ${up / 1000} ${ms * 100_000} ${up * 800} 0 0 0 0 0 ${up / 10} 0 0 ${up / 10} 0 0 0 0 9`;
  };
  const vm = (clock: Clock) => host(clock, 'vm-boot-id-1', line);
  const events = (await reported({ 'vm-a': vm, 'vm-b': vm }, 4500)).filter((e) => !e.prober);
  expect(events.length).toBeGreaterThanOrEqual(2);
  expect(new Set(events.map((e) => e.t)).size).toBe(events.length);
  expect(events.at(-1)).toMatchObject({
    machine: 'vm-boot-',
    prober: false,
    hosts: ['vm-a', 'vm-b'],
    cpu: { somePct: 80, busyPct: 50, runQueue: 9, cores: null },
    targetCpuPct: 20,
  });
  expect(events.at(-1)).not.toHaveProperty('harnessCpuPct');
});

test('reports nothing if nothing can be read', async () => {
  const none = (): LocalMachine => ({
    bootId: undefined,
    cores: 2,
    read: () => null,
    ownCpuMs: () => null,
  });
  const silent = () => ({
    // oxlint-disable-next-line require-yield
    async *follow(): AsyncGenerator<string, { exitCode: number; stderr: string }, void> {
      throw new DrillError('host-unreachable', 'no shell here');
    },
  });
  expect(await reported({ box: silent }, 25_000, none)).toEqual([]);
});

test('reports a defect, because the machine would seem to be fit', async () => {
  const clock = simulatedClock();
  const broken = Promise.withResolvers<unknown>();
  const defect = new TypeError('a defect');
  const watch = startPressure({
    hosts: [],
    host: () => host(clock, 'local-boot-id', () => undefined),
    clock,
    local: local(clock),
    onPressure: () => {
      throw defect;
    },
    onBroken: broken.resolve,
  });
  await clock.sleep(5000, new AbortController().signal);
  expect(await broken.promise).toBe(defect);
  await watch.stop();
});
