import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { vipFailover } from '../analysis/testing/vip-failover.ts';
import { DrillError } from '../core/errors.ts';
import type { DrillEvent } from '../core/event.ts';
import { runMs } from '../core/time.ts';
import { reportToAll } from './all.ts';
import type { Reporter } from './reporter.ts';
import { finished } from './testing/received.ts';

const event: DrillEvent = { t: runMs(1), type: 'run.ended' };
const drill = finished(vipFailover());
const methods = ['event', 'drillEnded', 'runEnded'] as const;

/** A reporter that records its calls. */
function witness(): { readonly reporter: Reporter; readonly seen: string[] } {
  const seen: string[] = [];
  return {
    seen,
    reporter: {
      event: ({ type }) => void seen.push(type),
      drillEnded: async ({ summary }) => void seen.push(summary.runId),
      runEnded: ({ drills, exitCode }) => void seen.push(`end ${exitCode} of ${drills.length}`),
    },
  };
}

/** Runs a command of two drills with these reporters. Returns the lines on stderr, and the reporters whose signal was aborted. */
async function reported(reporters: Record<string, Reporter>) {
  const said: string[] = [];
  const named = Object.entries(reporters).map(([name, reporter]) => ({
    name,
    reporter,
    left: new AbortController(),
  }));
  const all = reportToAll(named, { say: (line) => said.push(line) });
  for (let i = 0; i < 2; i++) {
    all.event(event);
    await all.drillEnded(drill);
  }
  await all.runEnded({ exitCode: 0 });
  const left = named.flatMap((one) => (one.left.signal.aborted ? [one.name] : []));
  return { said, left, unwritten: all.unwritten() };
}

const everything = ['run.ended', 'run-1', 'run.ended', 'run-1', 'end 0 of 2'];

describe('multiple reporters', () => {
  test('each get all events and results, without a message on stderr', async () => {
    const [one, other] = [witness(), witness()];
    expect(await reported({ one: one.reporter, other: other.reporter, deaf: {} })).toEqual({
      said: [],
      left: [],
      unwritten: false,
    });
    expect([one.seen, other.seen]).toEqual([everything, everything]);
  });

  const failures: readonly (readonly [string, () => unknown])[] = [
    [
      'throws',
      () => {
        throw new Error('burnt');
      },
    ],
    ['rejects', () => Promise.reject(new Error('burnt'))],
  ];
  test.each(failures.flatMap(([how, fail]) => methods.map((method) => [method, how, fail] as const)))(
    'a reporter whose %s %s is reported once and stopped; the others are not affected',
    async (method, _, fail) => {
      const [before, after] = [witness(), witness()];
      let calls = 0;
      const bad: Reporter = {
        ...witness().reporter,
        [method]: () => {
          calls++;
          return fail();
        },
      };
      const { said, left, unwritten } = await reported({
        before: before.reporter,
        bad,
        after: after.reporter,
      });
      expect(said).toEqual(['reporter bad stopped after an error: burnt']);
      expect({ calls, left, unwritten }).toEqual({ calls: 1, left: ['bad'], unwritten: false });
      expect([before.seen, after.seen]).toEqual([everything, everything]);
    },
  );

  test.each(['drillEnded', 'runEnded'] as const)(
    'a reporter whose %s hangs has its signal aborted and is stopped; its later error is ignored',
    async (method) => {
      const other = witness();
      let giveUp: (error: Error) => void = () => {};
      const hangs = () => new Promise<void>((_, reject) => (giveUp = reject));
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      onTestFinished(() => void vi.useRealTimers());
      const reporting = reported({ slow: { [method]: hangs }, other: other.reporter });
      await vi.advanceTimersByTimeAsync(30_000);
      const { said, left } = await reporting;
      giveUp(new Error('late'));
      await new Promise((resolve) => setImmediate(resolve));
      expect(said).toEqual(['reporter slow stopped after an error: it did not finish within 30 s']);
      expect(left).toEqual(['slow']);
      expect(other.seen).toEqual(everything);
    },
  );

  test('reports a rejection once, even if more events came before it', async () => {
    const said: string[] = [];
    const fail = (): unknown => Promise.reject(new Error('burnt'));
    const bad = { name: 'bad', reporter: { event: fail } as Reporter, left: new AbortController() };
    const all = reportToAll([bad], { say: (line) => said.push(line) });
    for (let i = 0; i < 3; i++) all.event(event);
    await new Promise((resolve) => setImmediate(resolve));
    expect(said).toEqual(['reporter bad stopped after an error: burnt']);
  });

  test('a file that could not be written sets `unwritten`, with a hint', async () => {
    const fail = () => {
      throw new DrillError('harness', 'cannot write x.xml', { hint: 'Free some space there.' });
    };
    expect(await reported({ junit: { runEnded: fail } })).toEqual({
      said: ['reporter junit stopped after an error: cannot write x.xml', '  Free some space there.'],
      left: ['junit'],
      unwritten: true,
    });
  });
});
