import { describe, expect, test } from 'vitest';
import { scriptedHost } from '../faults/testing/scripted-host.ts';
import type { LedgerRecord } from './ledger.ts';
import { makeRepair } from './repair.ts';
import { lateHost } from './testing/late-host.ts';
import { simulatedClock } from './testing/simulated-clock.ts';

const clock = simulatedClock();
const owed: LedgerRecord = {
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

/** A host whose commands exit with what they are told to, one after the other; the last for ever. */
function hostWith(codes: Readonly<Record<string, readonly number[]>>) {
  const ran: string[] = [];
  const host = scriptedHost(([word = '']) => {
    ran.push(word);
    const turn = ran.filter((one) => one === word).length - 1;
    const exitCode = codes[word]?.[turn] ?? codes[word]?.at(-1) ?? 0;
    return { exitCode, stdout: word === 'cat' ? 'machine\nboot\n' : '' };
  });
  return { ...host, ran };
}

describe('a repair that is owed', () => {
  test('is made from its record', async () => {
    const host = hostWith({});
    await makeRepair(owed, { host, server: undefined }, clock);
    expect(host.ran).toEqual(['sweep']);
  });

  test('is tried again while it fails', async () => {
    const host = hostWith({ sweep: [1, 1, 0] });
    await makeRepair(owed, { host, server: undefined }, clock);
    expect(host.ran).toEqual(['sweep', 'sweep', 'sweep']);
  });

  test('is not made twice where its effect can be told', async () => {
    const params = { run: ['sweep', 'floor'], effect: ['is', 'clean'], timeout: 1000 };
    const clean = hostWith({ is: [0] });
    await makeRepair({ ...owed, params }, { host: clean, server: undefined }, clock);
    expect(clean.ran).toEqual(['is']);
    const dirty = hostWith({ is: [1, 1, 0] });
    await makeRepair({ ...owed, params }, { host: dirty, server: undefined }, clock);
    expect(dirty.ran).toEqual(['is', 'is', 'sweep', 'is']);
  });

  test('is not made on another machine', async () => {
    const host = hostWith({});
    const machine = { id: 'another', bootId: 'boot' };
    await expect(makeRepair({ ...owed, machine }, { host, server: undefined }, clock)).rejects.toMatchObject({
      code: 'heal-failed',
    });
    expect(host.ran).toEqual(['cat']);
  });

  describe('on a starved machine', () => {
    const never = Number.MAX_SAFE_INTEGER;
    const alone = () => {
      const alike = simulatedClock();
      const ran: string[] = [];
      const hostThat = (delayMs: (nowMs: number) => number) =>
        lateHost(
          alike,
          () => delayMs(alike.nowMs()),
          ([word = '']) => {
            ran.push(word);
            return {};
          },
        );
      return { alike, ran, hostThat };
    };

    test('is made once, when the host answers at last', async () => {
      const { alike, ran, hostThat } = alone();
      const host = hostThat((nowMs) => (nowMs < 300_000 ? never : 10));
      await makeRepair(owed, { host, server: undefined }, alike);
      expect(ran).toEqual(['sweep']);
    });

    test('is not made again while its effect is waited for', async () => {
      const { alike, ran } = alone();
      const params = { run: ['sweep', 'floor'], effect: ['is', 'clean'], timeout: 1000 };
      const host = scriptedHost(([word = '']) => {
        ran.push(word);
        return { exitCode: word === 'is' && alike.nowMs() < 120_000 ? 1 : 0 };
      });
      await makeRepair({ ...owed, params }, { host, server: undefined }, alike);
      expect(ran.filter((word) => word === 'sweep')).toHaveLength(1);
      expect(alike.nowMs()).toBeGreaterThanOrEqual(120_000);
    });

    test('stays owed where the host never answers, and says that it could not look', async () => {
      const { alike, ran, hostThat } = alone();
      await expect(
        makeRepair(owed, { host: hostThat(() => never), server: undefined }, alike),
      ).rejects.toThrow(
        /the repair repair-1 \(command on alpha\) is still owed after \d+ completed attempts in 15 min 00 s: alpha could not be checked/,
      );
      expect(ran).toEqual([]);
    });
  });
});
