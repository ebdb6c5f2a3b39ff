import { expect, test } from 'vitest';
import type { Clock } from '../core/clock.ts';
import { DrillError } from '../core/errors.ts';
import type { MachinePressure } from '../core/event.ts';
import type { Host } from '../core/host.ts';
import type { LocalMachine } from './local-machine.ts';
import type { MachineReading } from './pressure-reading.ts';
import { startPressure } from './pressure.ts';
import { simulatedClock } from './testing/simulated-clock.ts';

/** Half of two cores busy, CPU pressure 30 %, at that moment. */
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

/** A host that says a line a second, as long as `line` has one for that moment. */
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

/** What is told of the machines of those hosts until that moment. */
async function told(
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

test('tells of the prober’s machine once a second, with what the hosts on it used', async () => {
  const events = await told(
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

test('does not know what hosts used of which one cannot say it', async () => {
  const events = await told({ 'node-a': own((ms) => String(ms * 200_000)), 'node-b': own(() => '-') }, 3500);
  expect(events.map((e) => e.targetCpuPct)).toEqual([null, null, null]);
  const alone = await told({}, 1500);
  expect(alone).toMatchObject([{ hosts: [], targetCpuPct: null, harnessCpuPct: 5 }]);
});

test('does not know what hosts used while one has never said which machine it runs on', async () => {
  const silent = () => ({
    // oxlint-disable-next-line require-yield
    async *follow(): AsyncGenerator<string, { exitCode: number; stderr: string }, void> {
      throw new DrillError('host-unreachable', 'no shell here');
    },
  });
  const events = await told({ 'node-a': own((ms) => String(ms * 200_000)), 'node-b': silent }, 3500);
  expect(events.map((e) => [e.hosts, e.targetCpuPct])).toEqual(
    Array.from({ length: 3 }, () => [['node-a'], null]),
  );
});

/** Events with what is known of the hosts' CPU time: [t in s, percent of one core, hosts not read, ms read late]. */
const usedOf = (events: readonly (MachinePressure & { readonly t: number })[]) =>
  events.map((e) => [
    e.t / 1000,
    e.targetCpuPct,
    e.unreadHosts ?? [],
    (e.readLate ?? []).map(({ usedMs }) => Math.round(usedMs)),
  ]);

test('asks a host that went off again, and does not count it as idle meanwhile', async () => {
  // Off from 3 s to 8 s; its new control group has used 0.4 s when it is asked again at 13 s.
  const events = await told(
    {
      'node-a': own((ms) =>
        ms < 3000 ? String(ms * 200_000) : ms < 8000 ? undefined : String((ms - 8000) * 100_000 + 4e8),
      ),
    },
    16_500,
  );
  const unread = usedOf(events).filter(([, , hosts]) => (hosts as string[]).length > 0);
  expect(unread.map(([t]) => t)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  // What it used while it was off, or before it was read again, is not counted as if it had used that just now.
  expect(usedOf(events).slice(-2)).toEqual([
    [15, 10, [], []],
    [16, 10, [], []],
  ]);
  expect(events.every((e) => (e.targetCpuPct ?? 0) <= 20 && e.hosts.length === 1)).toBe(true);
});

test('gives what a host used while nothing came from it, once it is read again', async () => {
  // Its command breaks off at 3 s, and goes on at 13 s; the host itself uses 20 % of a core all the time.
  const events = await told(
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

test('does not count a host as idle from which nothing comes for some seconds', async () => {
  const events = await told(
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

test('tells of other machines by themselves, hosts with one kernel together', async () => {
  const line = (ms: number) => {
    const up = ms + 50_000;
    return `at ${up / 1000} ${ms * 100_000} ${up * 800} 0 0 0 0 0 ${up / 10} 0 0 ${up / 10} 0 0 0 0 9`;
  };
  const vm = (clock: Clock) => host(clock, 'vm-boot-id-1', line);
  const events = (await told({ 'vm-a': vm, 'vm-b': vm }, 4500)).filter((e) => !e.prober);
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

test('says nothing of what it cannot read', async () => {
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
  expect(await told({ box: silent }, 25_000, none)).toEqual([]);
});

test('says so when it breaks: the machine would look as if nothing were the matter', async () => {
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
