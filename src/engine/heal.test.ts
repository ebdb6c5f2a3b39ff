import { describe, expect, test } from 'vitest';
import { exitCodeOf } from '../core/errors.ts';
import type { NewEvent } from '../core/event.ts';
import { runMs } from '../core/time.ts';
import { faultKind } from '../faults/catalog.ts';
import { unkindHost } from '../extension/conformance/disturbance.ts';
import { scriptedHost } from '../faults/testing/scripted-host.ts';
import { healFault, healOpen, type HealOptions } from './heal.ts';
import type { FailedAttempt } from './persist.ts';
import type { OpenFault } from './run-state.ts';
import { simulatedClock } from './testing/simulated-clock.ts';
import { undoRecord } from './testing/undo-record.ts';

const minuteMs = 60_000;
const never = Number.MAX_SAFE_INTEGER;

const record = undoRecord({
  params: { run: ['touch', '/x'], undo: ['rm', '/x'], undone: ['test', '!', '-e', '/x'], timeout: 1000 },
  lease: { tag: 'ab12cd34', ms: 30_000 },
  machine: { id: 'm1', bootId: 'b1' },
});

/** A machine with the fault's file and timer. */
function machine(id: string) {
  let there = true;
  let armed = true;
  return scriptedHost((argv) => {
    const command = argv.join(' ');
    if (argv[0] === 'cat') return { stdout: `${id}\nb2\n` };
    if (command === 'test ! -e /x') return { exitCode: there ? 1 : 0 };
    if (command === 'rm /x') there = false;
    if (command.startsWith('systemctl stop')) armed = false;
    if (command.startsWith('systemctl list-units')) return { stdout: armed ? 'a timer\n' : '' };
    return {};
  });
}

const heal = (host: ReturnType<typeof machine>, options: HealOptions = {}) =>
  healFault(record, { host, server: undefined }, simulatedClock(), options);

describe('healFault', () => {
  test('undoes, proves it, and stops the timer last', async () => {
    const host = machine('m1');
    const seen: string[] = [];
    await heal(host, {
      releaseLease: async () => void seen.push(...host.commands.filter((one) => !one.startsWith('cat'))),
    });
    expect(seen).toEqual(['test ! -e /x', 'test ! -e /x', 'rm /x', 'test ! -e /x']);
    expect(host.commands).toContain('systemctl stop firedrill-ab12cd34-*.timer');
  });

  test('does nothing the second time', async () => {
    const host = machine('m1');
    await heal(host);
    const before = host.commands.filter((command) => command === 'rm /x').length;
    await heal(host);
    expect(host.commands.filter((command) => command === 'rm /x')).toHaveLength(before);
  });

  test('of a kind that this version lacks names the version that knows it, and runs no command', async () => {
    const host = machine('m1');
    const run = healFault({ ...record, kind: 'later.kind' }, { host, server: undefined }, simulatedClock());
    await expect(run).rejects.toMatchObject({
      message: expect.stringContaining('has no fault kind later.kind') as string,
      hint: 'Run `heal` of the version of firedrill that injected the fault.',
    });
    expect(host.commands).toEqual([]);
  });

  test('does not require the machine-id of a host that does not answer, because its power may be off', async () => {
    const host = unkindHost(machine('m1'), (_, [word]) => (word === 'cat' ? 'lost before' : undefined));
    await heal(host);
    expect(host.commands).toContain('rm /x');
  });

  test('does nothing on another machine under the same host name', async () => {
    const host = machine('m2');
    await expect(heal(host)).rejects.toMatchObject({
      code: 'heal-failed',
      message: 'alpha is another machine now: its machine-id is m2, and the fault was injected on m1',
      hint: 'If the old machine is gone for good, drop the record: `firedrill heal --forget r/cut`.',
    });
    expect(host.commands).toEqual(['cat /etc/machine-id /proc/sys/kernel/random/boot_id']);
  });
});

describe('a heal on a starved machine', () => {
  const identity = { id: 'm1', bootId: 'b1' };

  /** A machine with the fault's file, whose answers take `delayMs`. */
  function starved(delayMs: (nowMs: number) => number, removes = true) {
    const clock = simulatedClock();
    let there = true;
    const prompt = scriptedHost(([word, ...rest]) => {
      if (word === 'cat') return { stdout: `${identity.id}\nb1\n` };
      if (word === 'test') return { exitCode: there ? 1 : 0 };
      if (word === 'rm' && removes) there = false;
      if (word === 'rm' && !removes) return { exitCode: 1, stderr: `rm: cannot remove ${rest.join(' ')}` };
      return {};
    });
    const host = unkindHost(prompt, () => ({ lateMs: delayMs(clock.nowMs()) }), clock);
    const failed: FailedAttempt[] = [];
    const params = { run: ['touch', '/x'], undo: ['rm', '/x'], undone: ['test', '!', '-e', '/x'] };
    const run = (options: HealOptions = {}) =>
      healFault(
        undoRecord({ params: { ...params, timeout: minuteMs }, machine: identity }),
        { host, server: undefined },
        clock,
        { onFailed: (one) => failed.push(one), ...options },
      );
    return { clock, host, failed, run };
  }
  const thrownBy = (promise: Promise<void>) => promise.then(() => undefined).catch((error: unknown) => error);

  test('waits for a host that answers only after five minutes', async () => {
    const { clock, host, failed, run } = starved((nowMs) => (nowMs < 5 * minuteMs ? never : 10));
    await run();
    expect(clock.nowMs()).toBeGreaterThan(5 * minuteMs);
    expect(failed.map(({ observed }) => observed)).not.toContain(true);
    expect(host.commands.filter((command) => command === 'rm /x')).toHaveLength(1);
  });

  test('gives each attempt more time if the host answers too late for the first one', async () => {
    const { host, failed, run } = starved(() => 100_000);
    await run();
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.every(({ why }) => /did not end within|had no answer within/.test(why))).toBe(true);
    expect(host.commands.filter((command) => command === 'rm /x')).toHaveLength(1);
  });

  test('reports a host that never answers as unchecked, and leaves the fault open', async () => {
    const { clock, host, failed, run } = starved(() => never);
    const error = await thrownBy(run());
    expect(error).toMatchObject({ code: 'heal-failed', observed: false });
    expect(String(error)).toMatch(
      /cut \(command on alpha\) is not proven healed after \d+ completed attempts in 15 min 00.0 s: alpha could not be checked: /,
    );
    expect(clock.nowMs()).toBe(15 * minuteMs);
    expect(failed.length).toBeGreaterThan(2);
    expect(host.commands).toEqual([]);
    expect(exitCodeOf('heal-failed')).toBe(4);
  });

  test('reports a fault that is still in effect as observed', async () => {
    const { clock, failed, run } = starved(() => 10, false);
    const error = await thrownBy(run());
    expect(error).toMatchObject({ code: 'heal-failed', observed: true });
    expect(String(error)).toMatch(
      /not proven healed after \d+ completed attempts in 15 min 00.0 s: .*rm: cannot remove/,
    );
    // Reports are limited: not one for each of some 200 attempts.
    expect(failed.length).toBeGreaterThan(30);
    expect(failed.length).toBeLessThan(70);
    expect(failed[0]?.elapsedMs).toBeGreaterThanOrEqual(15_000);
    expect(clock.nowMs()).toBeGreaterThanOrEqual(15 * minuteMs);
  });

  test('reports when a host gave its last answer', async () => {
    const { run } = starved((nowMs) => (nowMs < minuteMs ? 10 : never), false);
    await expect(run()).rejects.toThrow(
      /alpha could not be checked \(its last answer came 5\d\.\d\d s after the first attempt began/,
    );
  });

  test('stops renewing the lease if the heal takes long, because the host’s timer may succeed', async () => {
    const { clock, run } = starved(() => 10, false);
    const released: number[] = [];
    const releaseLease = async (): Promise<void> => void released.push(clock.nowMs());
    await thrownBy(run({ releaseLease }));
    expect(released[0]).toBeGreaterThanOrEqual(minuteMs);
    expect(released[0]).toBeLessThan(1.2 * minuteMs);
  });

  test('ends at once when it is abandoned, and reports that', async () => {
    const abandon = new AbortController();
    const { clock, run } = starved(() => never);
    const healing = thrownBy(run({ abandon: abandon.signal }));
    await clock.sleep(90_000, new AbortController().signal);
    abandon.abort();
    const error = await healing;
    expect(String(error)).toContain('in 90.00 s, ended by a second Ctrl-C');
    expect(error).toMatchObject({ code: 'heal-failed', observed: false });
    expect(clock.nowMs()).toBe(90_000);
  });
});

/** A run with these open faults, on a host whose answers take `delayMs`. */
function runWith(faults: readonly string[], delayMs: (nowMs: number) => number, undo = 0) {
  const clock = simulatedClock();
  const events: NewEvent[] = [];
  const closed: string[] = [];
  const prompt = scriptedHost(([word]) => ({ exitCode: word === 'rm' ? undo : 0 }));
  const host = unkindHost(prompt, () => ({ lateMs: delayMs(clock.nowMs()) }), clock);
  const params = { run: ['true'], undo: ['rm', '/x'], timeout: minuteMs };
  const open: OpenFault[] = faults.map((faultId) => ({
    record: undoRecord({ faultId, params }),
    kind: { ...faultKind('command')!, healAfter: 'redundancy' },
    sinceMs: runMs(0),
  }));
  const run = {
    clock,
    log: {
      append(event: NewEvent) {
        events.push(event);
        return { ...event, t: clock.nowMs() };
      },
    },
    ledger: { close: ({ faultId }: { faultId: string }) => void closed.push(faultId) },
    activeFaults: open,
    off: new Set(open.map(({ record }) => record.host.name)),
    signal: new AbortController().signal,
    healing: { spentMs: 0 },
    accessTo: () => ({ host, server: undefined }),
    releaseLease: async () => {},
  };
  const heal = () => healOpen(run, () => true);
  return { clock, events, closed, run, heal };
}

/** A fault that lasts until its heal, whose effect was seen, on a host whose check of the effect exits with `gone`. */
function healSeen(gone: number, delayMs: (argv: readonly string[]) => number) {
  const { clock, events, run } = runWith(['f'], () => 10);
  const prompt = scriptedHost(([word]) => ({ exitCode: word === 'is-broken' ? gone : 0 }));
  const host = unkindHost(prompt, (_, argv) => ({ lateMs: delayMs(argv) }), clock);
  const params = { run: ['true'], undo: ['rm', '/x'], effect: ['is-broken'], timeout: minuteMs };
  const open = {
    record: undoRecord({ faultId: 'f', params }),
    kind: faultKind('command')!,
    sinceMs: runMs(0),
  };
  const heal = (effectSeen?: true) => {
    run.activeFaults.splice(0, 1, { ...open, ...(effectSeen === undefined ? {} : { effectSeen }) });
    return healOpen({ ...run, accessTo: () => ({ host, server: undefined }) }, () => true);
  };
  return { clock, events, host, heal };
}

describe('before a heal', () => {
  const gone = { type: 'log', level: 'info', text: 'f: its effect was gone before the heal' };

  test('the log says that an observed effect is gone', async () => {
    const { events, heal } = healSeen(1, () => 10);
    await heal(true);
    expect(events[0]).toEqual(gone);
    expect(events.at(-1)).toMatchObject({ type: 'heal.proven' });
  });

  test('the log says nothing of an effect that is there, or that was never observed', async () => {
    const there = healSeen(0, () => 10);
    await there.heal(true);
    const unseen = healSeen(1, () => 10);
    await unseen.heal();
    expect([there.events[0], unseen.events[0]].map((event) => event?.type)).toEqual([
      'heal.started',
      'heal.started',
    ]);
  });

  test('the check for the effect delays the heal by at most 5 s', async () => {
    const started: number[] = [];
    const { clock, events, heal } = healSeen(1, ([word]) => {
      started.push(clock.nowMs());
      return word === 'is-broken' ? never : 0;
    });
    await heal(true);
    expect(started.slice(0, 2)).toEqual([0, 5000]);
    expect(events.map(({ type }) => type)).toEqual(['heal.started', 'heal.proven']);
  });
});

describe('healing what is open', () => {
  test('goes on until the host answers, logs the unchecked attempts, and closes the record', async () => {
    const { events, closed, run, heal } = runWith(['f'], (nowMs) => (nowMs < 5 * minuteMs ? never : 10));
    await heal();
    const attempts = events.filter((event) => event.type === 'heal.attempted');
    expect(attempts.length).toBeGreaterThan(0);
    expect(attempts.map(({ observed }) => observed)).not.toContain(true);
    expect(events.at(-1)).toEqual({ type: 'heal.proven', fault: 'f' });
    expect([closed, run.activeFaults]).toEqual([['f'], []]);
    // From the heal on, a failed sample of the host no longer shows that its power is off.
    expect(run.off).toEqual(new Set());
  });

  test('leaves a fault open if its host never answers, and logs that it was not observed', async () => {
    const { events, closed, run, heal } = runWith(['f'], () => never);
    await heal();
    expect(events.at(-1)).toMatchObject({ type: 'heal.failed', fault: 'f', observed: false });
    expect([closed, run.activeFaults.length]).toEqual([[], 1]);
  });

  test('leaves a fault open that is still in effect, and logs that it was observed', async () => {
    const { events, heal } = runWith(['f'], () => 10, 1);
    await heal();
    expect(events.at(-1)).toMatchObject({ type: 'heal.failed', fault: 'f', observed: true });
  });

  test('has one limit for all heals of a run, and at least a minute for each', async () => {
    const { clock, events, heal } = runWith(['a', 'b'], () => never);
    await heal();
    expect(clock.nowMs()).toBe(16 * minuteMs);
    await heal();
    expect(clock.nowMs()).toBe(18 * minuteMs);
    expect(events.filter(({ type }) => type === 'heal.failed')).toHaveLength(4);
  });
});
