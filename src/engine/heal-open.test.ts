import { describe, expect, test } from 'vitest';
import type { NewEvent } from '../core/event.ts';
import { faultKind } from '../faults/catalog.ts';
import type { Host } from '../core/host.ts';
import { healOpen } from './heal-open.ts';
import { lateHost } from './testing/late-host.ts';
import { simulatedClock } from './testing/simulated-clock.ts';
import { undoRecord } from './testing/undo-record.ts';

const minuteMs = 60_000;
const never = Number.MAX_SAFE_INTEGER;

/** A run with so many faults open, on a host that takes so long for an answer. */
function runWith(faults: readonly string[], delayMs: (nowMs: number) => number, undo = 0) {
  const clock = simulatedClock();
  const events: NewEvent[] = [];
  const closed: string[] = [];
  const host: Host = lateHost(
    clock,
    () => delayMs(clock.nowMs()),
    ([word]) => ({ exitCode: word === 'rm' ? undo : 0 }),
  );
  const params = { run: ['true'], undo: ['rm', '/x'], timeout: minuteMs };
  const open = faults.map((faultId) => ({
    record: undoRecord({ faultId, params }),
    kind: { ...faultKind('command')!, healAfter: 'redundancy' as const },
    sinceMs: 0,
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
    open,
    off: new Set(open.map(({ record }) => record.host.name)),
    signal: new AbortController().signal,
    healing: { spentMs: 0 },
    reach: () => ({ host, server: undefined }),
    releaseLease: async () => {},
  };
  const heal = () => healOpen(run, () => true);
  return { clock, events, closed, run, heal };
}

describe('healing what is open', () => {
  test('goes on until the host answers, records what it could not see, and closes the record', async () => {
    const { events, closed, run, heal } = runWith(['f'], (nowMs) => (nowMs < 5 * minuteMs ? never : 10));
    await heal();
    const attempts = events.filter((event) => event.type === 'heal.attempted');
    expect(attempts.length).toBeGreaterThan(0);
    expect(attempts.map(({ observed }) => observed)).not.toContain(true);
    expect(events.at(-1)).toEqual({ type: 'heal.proven', fault: 'f' });
    expect([closed, run.open]).toEqual([['f'], []]);
    // From the heal on, what fails on the host no longer shows that its power is off.
    expect(run.off).toEqual(new Set());
  });

  test('leaves open what never answered, and says that nothing was seen of it', async () => {
    const { events, closed, run, heal } = runWith(['f'], () => never);
    await heal();
    expect(events.at(-1)).toMatchObject({ type: 'heal.failed', fault: 'f', observed: false });
    expect([closed, run.open.length]).toEqual([[], 1]);
  });

  test('leaves open what was seen to be there still, and says so', async () => {
    const { events, heal } = runWith(['f'], () => 10, 1);
    await heal();
    expect(events.at(-1)).toMatchObject({ type: 'heal.failed', fault: 'f', observed: true });
  });

  test('has one limit for all heals of a run, and a minute for each in any case', async () => {
    const { clock, events, heal } = runWith(['a', 'b'], () => never);
    await heal();
    expect(clock.nowMs()).toBe(16 * minuteMs);
    await heal();
    expect(clock.nowMs()).toBe(18 * minuteMs);
    expect(events.filter(({ type }) => type === 'heal.failed')).toHaveLength(4);
  });
});
