import { expect, test } from 'vitest';
import type { NewEvent } from '../core/event.ts';
import type { Summary } from '../core/summary.ts';
import { figureOf, timedFigure } from './figures.ts';
import { asKeptRun, keptRun } from './kept-run.ts';
import { summarize } from './summarize.ts';
import { LogBuilder, planWith, probeOf, type Answer } from './testing/log-builder.ts';

/** Down from 10.1 s on. The wait ends at 40 s, and the run ends with the given events. */
function down(upMs: number, ...ends: readonly (readonly [number, NewEvent])[]): Summary {
  const recovery = { probe: 'health', withinMs: 30_000, stableForMs: 5000 };
  const checks = [{ kind: 'rto' as const, name: 'back soon', maxMs: 20_000 }];
  const plan = planWith({ probes: [probeOf('health', { intervalMs: 200 })], recovery, checks });
  const answer = (ms: number): Answer =>
    ms >= 10_100 && ms < upMs
      ? { status: 'fail', cause: 'refused', finishMs: ms + 2 }
      : { status: 'ok', finishMs: ms + 20 };
  const builder = new LogBuilder(plan);
  builder.at(9000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] });
  builder.probing('health', 0, 50_000, 200, answer).fault(10_000);
  for (const [t, event] of ends) builder.at(t, event);
  return summarize(builder.read());
}

const timeout = [40_000, { type: 'gate', gate: 'recovery', state: 'timeout', unmet: ['health'] }] as const;
const end = [50_000, { type: 'run.ended' }] as const;

test('a service that did not recover has an RTO longer than the wait, and an open downtime', () => {
  const summary = down(Infinity, timeout, end);
  expect(summary.rto).toBeNull();
  expect(summary.longerThan).toMatchObject({
    rto: expect.closeTo(29_850, -2),
    downtime: expect.closeTo(39_600, -2),
  });
  expect(summary.cutShort).toBeUndefined();
  expect(timedFigure('rto', summary)).toMatchObject({ ms: Infinity, maxMs: Infinity });
  expect(timedFigure('rto', keptRun(summary))).toEqual(timedFigure('rto', summary));
});

test('a run that was cut short has a downtime longer than measured, closed or not', () => {
  const stopped = [30_000, { type: 'run.aborted', reason: 'stopped by SIGINT' }] as const;
  const open = down(Infinity, stopped, end);
  expect(open.cutShort).toBe(true);
  expect(figureOf('downtime', open)?.maxMs).toBeLessThan(Infinity);
  expect(timedFigure('downtime', open)?.maxMs).toBe(Infinity);
  expect(timedFigure('rto', open)?.maxMs).toBe(Infinity);
  const closed = down(14_000, stopped, end);
  expect(closed.longerThan).toEqual({ downtime: closed.downtime?.minMs });
});

test('a complete drill has no lower bounds', () => {
  const summary = down(14_000, [20_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] }], end);
  expect(summary.longerThan).toBeUndefined();
  expect(summary.cutShort).toBeUndefined();
  expect(timedFigure('rto', summary)).toEqual(summary.rto);
});

test('a failed check of a missing RTO in an older summary gives its limit as the lower bound', () => {
  const { longerThan, ...older } = down(Infinity, timeout, end);
  expect(longerThan).toBeDefined();
  const run = asKeptRun(JSON.parse(JSON.stringify(older)));
  expect(run).toMatchObject({ longerThan: { rto: 20_000, downtime: older.downtime?.minMs } });
  // Without a failed check it is unknown whether the run waited for the recovery.
  expect(asKeptRun(JSON.parse(JSON.stringify({ ...older, checks: [] })))).not.toHaveProperty('longerThan');
});
