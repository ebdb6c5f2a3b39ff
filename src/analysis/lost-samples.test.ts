import { describe, expect, test } from 'vitest';
import type { Check, Plan } from '../core/plan.ts';
import type { Summary } from '../core/summary.ts';
import { runMs } from '../core/time.ts';
import { SlotTracker } from './slots.ts';
import { summarize } from './summarize.ts';
import { LogBuilder, planWith, probeOf, readLines, type Answer } from './testing/log-builder.ts';

describe('slots', () => {
  const tracked = (slots: readonly number[], nowMs = 1e6) => {
    const tracker = new SlotTracker(900);
    for (const slot of slots) tracker.note(slot, runMs(slot * 1000));
    return tracker.lostBy(runMs(nowMs));
  };

  test('that are all in the log, in any order of answers, are not lost', () => {
    expect(tracked([0, 1, 2, 5, 4, 3, 6])).toEqual([]);
    expect(tracked([3, 4, 5])).toEqual([]);
    // A log that was joined from two has numbers twice.
    expect(tracked([0, 1, 2, 0, 1, 2, 3])).toEqual([]);
    expect(tracked([])).toEqual([]);
  });

  test('that are missing were due between the slots around them', () => {
    expect(tracked([0, 1, 4, 5, 7])).toEqual([
      { count: 2, fromMs: 1000, toMs: 4000 },
      { count: 1, fromMs: 5000, toMs: 7000 },
    ]);
    expect(tracked([0, 9, 4])).toEqual([
      { count: 3, fromMs: 0, toMs: 4000 },
      { count: 4, fromMs: 4000, toMs: 9000 },
    ]);
  });

  test('may be in flight until their timeout', () => {
    expect(tracked([0, 2], 3900)).toEqual([]);
    expect(tracked([0, 2], 3901)).toEqual([{ count: 1, fromMs: 0, toMs: 2000 }]);
  });

  test('of a log with every second one make few gaps, not millions', () => {
    const lost = tracked(
      Array.from({ length: 30_000 }, (_, i) => 2 * i),
      1e9,
    );
    expect(lost).toHaveLength(10_000);
    expect(lost.at(-1)?.toMs).toBe(59_998_000);
  });
});

/** A service that stays up during its fault; samples sent in [fromMs, toMs) are missing from the log. */
function drill(
  lost: { fromMs: number; toMs: number; probe: string },
  checks: readonly Check[],
  parts: Partial<Plan> = {},
): Summary {
  const answer =
    (value?: string) =>
    (ms: number): Answer => ({
      status: 'ok',
      finishMs: ms + 5,
      ...(value === undefined ? {} : { value }),
    });
  const builder = new LogBuilder(
    planWith({
      probes: [
        probeOf('health', { intervalMs: 200 }),
        probeOf('role@a', { kind: 'sql' }),
        probeOf('role@b', { kind: 'sql' }),
      ],
      checks,
      faults: [{ id: 'fault-1', kind: 'process.kill', on: { host: 'a' }, atMs: 0, params: {} }],
      ...parts,
    }),
  )
    .at(8000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .probing('health', 0, 60_000, 200, answer())
    .probing('role@a', 0, 60_000, 1000, answer('primary'))
    .probing('role@b', 300, 60_000, 1000, answer('standby'))
    .fault(10_000, { host: 'a', healedMs: 50_000 })
    .at(16_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(60_000, { type: 'run.ended' });
  const lines = builder.lines().filter((line) => {
    const { type, probe, sendMs } = JSON.parse(line) as { type: string; probe?: string; sendMs?: number };
    return !(type === 'sample' && probe === lost.probe && sendMs! >= lost.fromMs && sendMs! < lost.toMs);
  });
  return summarize(readLines(lines));
}

const nothing = { fromMs: 0, toMs: 0, probe: 'health' };
const downtime: Check = { kind: 'downtime', name: 'no outage', maxMs: 500 };
const never: Check = {
  kind: 'never',
  name: 'two primaries',
  condition: { probe: 'role', is: ['primary'], count: { min: 2 } },
  toleranceMs: 0,
};

describe('samples that a log lost', () => {
  test('do not exist in a complete log', () => {
    const summary = drill(nothing, [downtime, never]);
    expect(summary.checks.map(({ status }) => status)).toEqual(['pass', 'pass']);
    expect(summary.probes.some((probe) => 'lost' in probe)).toBe(false);
    expect(summary.notes.join()).not.toContain('lacks');
  });

  test('give a note, may have been an outage, and make a check inconclusive that depends on them', () => {
    const summary = drill({ fromMs: 30_000, toMs: 31_000, probe: 'health' }, [downtime]);
    expect(summary.notes).toContain(
      'the event log lacks 5 samples of health (1.20 s): their slot numbers are missing, and no event gives a reason; their results are unknown',
    );
    const health = summary.probes.find(({ id }) => id === 'health');
    expect(health).toMatchObject({ lost: 5, samples: 295, failed: 0, unknown: 0 });
    expect(health?.windows).toMatchObject([{ state: 'uncertain', minMs: 0, causes: { lost: 1 } }]);
    expect(summary.downtime?.minMs).toBe(0);
    expect(summary.downtime?.maxMs).toBeGreaterThanOrEqual(1200);
    expect(summary.checks).toMatchObject([{ status: 'inconclusive' }]);
    expect(summary.verdict).toBe('inconclusive');
  });

  test('do not change a check that does not depend on them', () => {
    const lenient: Check = { kind: 'downtime', name: 'short', maxMs: 5000 };
    const summary = drill({ fromMs: 30_000, toMs: 31_000, probe: 'health' }, [lenient]);
    expect(summary.checks).toMatchObject([{ status: 'pass' }]);
    expect(summary.verdict).toBe('pass');
  });

  test('of a role make its owner unknown', () => {
    const summary = drill({ fromMs: 30_000, toMs: 33_000, probe: 'role@b' }, [never]);
    expect(summary.checks).toMatchObject([{ status: 'inconclusive' }]);
    expect(summary.notes.join()).toContain('3 samples of role@b');
  });

  test('at the end of a killed run may have been in flight', () => {
    const summary = drill({ fromMs: 59_200, toMs: 59_400, probe: 'health' }, [downtime]);
    expect(summary.notes.join()).not.toContain('lacks');
  });

  test('are found in a long log whose samples are not all stored', () => {
    const builder = new LogBuilder(planWith({ probes: [probeOf('health')] }))
      .probing('health', 0, 3_600_000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 5 }))
      .at(3_600_000, { type: 'run.ended' });
    const lines = builder.lines().filter((line) => !line.includes('"slot":1800,'));
    const [health] = summarize(readLines(lines)).probes;
    expect(health).toMatchObject({ lost: 1, samples: 3599 });
    expect(health?.windows).toMatchObject([{ state: 'uncertain', minMs: 0, maxMs: 2005 }]);
    expect(summarize(readLines(lines))).toMatchObject({ verdict: 'inconclusive' });
  });
});
