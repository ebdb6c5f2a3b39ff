import { expect, test } from 'vitest';
import {
  distantFuture,
  distantPast,
  type DurationMs,
  earlier,
  earliest,
  later,
  latest,
  type RunMs,
  runMs,
  type WallMs,
  wallMs,
} from './time.ts';

const takesRun = (moment: RunMs): number => moment;
const takesWall = (moment: WallMs): number => moment;
const takesDuration = (ms: DurationMs): number => ms;

// `npm run types` checks this test: each expected error must be one.
test('the compiler keeps the clocks and durations apart', () => {
  const [run, wall] = [runMs(5), wallMs(7)];
  // @ts-expect-error: a moment on the wall clock
  expect(takesRun(wall)).toBe(7);
  // @ts-expect-error: a moment on the run clock
  expect(takesWall(run)).toBe(5);
  // @ts-expect-error: a plain number is no moment
  expect(takesRun(5)).toBe(5);
  // @ts-expect-error: a difference is no moment
  expect(takesRun(run - run)).toBe(0);
  // @ts-expect-error: a moment is no duration
  expect(takesDuration(run)).toBe(5);
  // @ts-expect-error: neither is one of the other clock
  expect(takesDuration(wall)).toBe(7);
  // @ts-expect-error: moments of two clocks have no order
  expect(latest<RunMs>(run, wall)).toBe(7);
  // @ts-expect-error: a moment is not a length by which to move another
  expect(later(run, run)).toBe(10);
  expect(takesDuration(run - runMs(2))).toBe(3);
  expect(takesRun(later(run, takesDuration(2)))).toBe(7);
  expect(takesWall(earlier(wall, 2))).toBe(5);
});

test('the latest and the earliest moment, also of none', () => {
  expect(latest(runMs(1), runMs(3), runMs(2))).toBe(3);
  expect(earliest(wallMs(2), wallMs(1))).toBe(1);
  expect(latest()).toBe(distantPast);
  expect(earliest()).toBe(distantFuture);
});
