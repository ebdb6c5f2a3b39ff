import { describe, expect, test } from 'vitest';
import { unkindHost } from '../extension/conformance/disturbance.ts';
import { scriptedHost } from '../faults/testing/scripted-host.ts';
import type { LedgerRecord } from './ledger.ts';
import { makeRepair } from './repair.ts';
import { simulatedClock } from './testing/simulated-clock.ts';

const clock = simulatedClock();
const pendingRepairs: LedgerRecord = {
  version: 1,
  runId: 'r',
  target: 't',
  faultId: 'repair-1',
  kind: 'command',
  host: { name: 'alpha', transport: { kind: 'local' } },
  params: { run: ['sweep', 'floor'], timeout: 1000 },
  before: null,
  repair: true,
  openedAt: '2026-01-01T00:00:00Z',
};

/** A host whose commands exit with these codes in order; the last code repeats. */
function hostWith(codes: Readonly<Record<string, readonly number[]>>) {
  const ran: string[] = [];
  const host = scriptedHost(([word = '']) => {
    if (word !== 'true') ran.push(word);
    const turn = ran.filter((one) => one === word).length - 1;
    const exitCode = codes[word]?.[turn] ?? codes[word]?.at(-1) ?? 0;
    return { exitCode, stdout: word === 'cat' ? 'machine\nboot\n' : '' };
  });
  return { ...host, ran };
}

describe('a pending repair', () => {
  test('is made from its record', async () => {
    const host = hostWith({});
    await makeRepair(pendingRepairs, { host, server: undefined }, clock);
    expect(host.ran).toEqual(['sweep']);
  });

  test('is tried again while it fails', async () => {
    const host = hostWith({ sweep: [1, 1, 0] });
    await makeRepair(pendingRepairs, { host, server: undefined }, clock);
    expect(host.ran).toEqual(['sweep', 'sweep', 'sweep']);
  });

  test('is not made twice if its effect can be observed', async () => {
    const params = { run: ['sweep', 'floor'], effect: ['is', 'clean'], timeout: 1000 };
    const clean = hostWith({ is: [0] });
    await makeRepair({ ...pendingRepairs, params }, { host: clean, server: undefined }, clock);
    expect(clean.ran).toEqual(['is']);
    const dirty = hostWith({ is: [1, 1, 0] });
    await makeRepair({ ...pendingRepairs, params }, { host: dirty, server: undefined }, clock);
    expect(dirty.ran).toEqual(['is', 'is', 'sweep', 'is']);
  });

  test('is not made on another machine', async () => {
    const host = hostWith({});
    const machine = { id: 'another', bootId: 'boot' };
    await expect(
      makeRepair({ ...pendingRepairs, machine }, { host, server: undefined }, clock),
    ).rejects.toMatchObject({
      code: 'heal-failed',
    });
    expect(host.ran).toEqual(['cat']);
  });

  describe('whose answer was lost', () => {
    /** A host on which the answer to the first `sweep` is lost; `acts` says whether that `sweep` took effect. */
    const losing = (acts: boolean) => {
      const alike = simulatedClock();
      const ran: string[] = [];
      let swept = false;
      const kind = scriptedHost(([word]) => {
        if (word === 'sweep') swept = true;
        return { exitCode: word === 'is' && !swept ? 1 : 0 };
      });
      const host = unkindHost(kind, (_, [word = '']) => {
        if (word !== 'true') ran.push(word);
        const isFirst = word === 'sweep' && count('sweep') === 1;
        return isFirst ? (acts ? 'lost after' : 'lost before') : undefined;
      });
      const marks: LedgerRecord['issued'][] = [];
      const make = (record: LedgerRecord) =>
        makeRepair(record, { host, server: undefined }, alike, { mark: (issued) => marks.push(issued) });
      const count = (word: string) => ran.filter((one) => one === word).length;
      return { alike, marks, make, count };
    };
    const withEffect = {
      ...pendingRepairs,
      params: { run: ['sweep', 'floor'], effect: ['is', 'clean'], timeout: 1000 },
    };

    test('is not repeated without an observable effect, and the error says so', async () => {
      const { make, count, marks } = losing(true);
      await expect(make(pendingRepairs)).rejects.toMatchObject({
        code: 'heal-failed',
        message:
          'repair repair-1 (command on alpha) is not repeated: its outcome is unknown, and it has no `effect` to check (alpha: the answer was lost)',
        hint: expect.stringContaining('firedrill heal --forget r/repair-1') as string,
      });
      expect(count('sweep')).toBe(1);
      expect(marks).toEqual([{ before: null }]);
    });

    test('is not repeated by a later `heal` either', async () => {
      const { make, count } = losing(true);
      await expect(make({ ...pendingRepairs, issued: { before: null } })).rejects.toThrow(
        /its outcome is unknown, and it has no `effect` to check \(the answer to an earlier attempt was lost\)/,
      );
      expect(count('sweep')).toBe(0);
    });

    test('is repeated if the scenario says that it may run twice', async () => {
      const { make, count } = losing(true);
      await make({ ...pendingRepairs, params: { run: ['sweep', 'floor'], repeatable: true, timeout: 1000 } });
      expect(count('sweep')).toBe(2);
    });

    test('is not repeated if its effect is observed', async () => {
      const { make, count } = losing(true);
      await make(withEffect);
      expect(count('sweep')).toBe(1);
    });

    test('is repeated only after its effect stayed absent for `effectWithinMs`', async () => {
      const { make, count, alike } = losing(false);
      await make(withEffect);
      expect(count('sweep')).toBe(2);
      expect(alike.nowMs()).toBeGreaterThanOrEqual(30_000);
    });

    test('is checked against the state before it', async () => {
      const alike = simulatedClock();
      const ran: string[] = [];
      let startedAt = '2026-01-01T00:00:00Z';
      const kind = scriptedHost(([, verb = '']) => {
        ran.push(verb);
        if (verb === 'restart') startedAt = '2026-01-01T00:01:00Z';
        return { stdout: `running ${startedAt}\n` };
      });
      const host = unkindHost(kind, (_, [, verb]) => (verb === 'restart' ? 'lost after' : undefined));
      const params = { container: 'web', graceSeconds: 10 };
      await makeRepair(
        { ...pendingRepairs, kind: 'container.restart', params },
        { host, server: undefined },
        alike,
      );
      expect(ran.filter((verb) => verb === 'restart')).toHaveLength(1);
    });
  });

  test('is recorded as not issued if its host refuses it', async () => {
    const marks: LedgerRecord['issued'][] = [];
    const host = hostWith({ sweep: [1, 0] });
    await makeRepair(pendingRepairs, { host, server: undefined }, clock, {
      mark: (issued) => marks.push(issued),
    });
    expect(marks).toEqual([{ before: null }, undefined, { before: null }]);
  });

  describe('on a starved machine', () => {
    const never = Number.MAX_SAFE_INTEGER;
    const alone = () => {
      const alike = simulatedClock();
      const ran: string[] = [];
      const hostThat = (delayMs: (nowMs: number) => number) =>
        unkindHost(
          scriptedHost(([word = '']) => {
            if (word !== 'true') ran.push(word);
            return {};
          }),
          () => ({ lateMs: delayMs(alike.nowMs()) }),
          alike,
        );
      return { alike, ran, hostThat };
    };

    test('is made once, when the host finally answers', async () => {
      const { alike, ran, hostThat } = alone();
      const host = hostThat((nowMs) => (nowMs < 300_000 ? never : 10));
      await makeRepair(pendingRepairs, { host, server: undefined }, alike);
      expect(ran).toEqual(['sweep']);
    });

    test('is not repeated during the wait for its effect', async () => {
      const { alike, ran } = alone();
      const params = { run: ['sweep', 'floor'], effect: ['is', 'clean'], timeout: 1000 };
      const host = scriptedHost(([word = '']) => {
        ran.push(word);
        return { exitCode: word === 'is' && alike.nowMs() < 120_000 ? 1 : 0 };
      });
      await makeRepair({ ...pendingRepairs, params }, { host, server: undefined }, alike);
      expect(ran.filter((word) => word === 'sweep')).toHaveLength(1);
      expect(alike.nowMs()).toBeGreaterThanOrEqual(120_000);
    });

    test('stays pending if the host never answers, and the error says that it could not be checked', async () => {
      const { alike, ran, hostThat } = alone();
      await expect(
        makeRepair(pendingRepairs, { host: hostThat(() => never), server: undefined }, alike),
      ).rejects.toThrow(
        /repair repair-1 \(command on alpha\) is still pending after \d+ completed attempts in 15 min 00.0 s: alpha could not be checked/,
      );
      expect(ran).toEqual([]);
    });
  });
});
