import { type BaselineGate, gateOf } from '../../src/analysis/gate.ts';
import { type KeptRun, keptRun } from '../../src/analysis/kept-run.ts';
import { shiftOf } from '../../src/analysis/rank-test.ts';
import { summarize } from '../../src/analysis/summarize.ts';
import { LogBuilder, planWith, probeOf, seeded } from '../../src/analysis/testing/log-builder.ts';
import { allowedMs, defaultTolerance, type Tolerance } from '../../src/analysis/tolerance.ts';
import { median } from '../../src/analysis/repeats.ts';
import type { BenchContext } from './part.ts';

/** Number of simulated nights with an alarm. */
export interface AlarmCount {
  readonly alarms: number;
  readonly of: number;
}

/** One design of a nightly comparison, and its alarms for different true changes. */
export interface NightsRow {
  readonly baselineNights: number;
  readonly nowNights: number;
  /** Runs of a drill in one night: in the baseline, and now. */
  readonly runs: readonly [number, number];
  readonly drills: number;
  /** No change. */
  readonly unchanged: AlarmCount;
  /** No change, without a tolerance. */
  readonly unchangedStrict: AlarmCount;
  /** No change, with the default tolerance and without one. Each run counts as a value, and each figure is judged alone. */
  readonly byRuns: AlarmCount;
  readonly byRunsStrict: AlarmCount;
  /** Every drill takes 10 %, 25 % longer. */
  readonly all10: AlarmCount;
  readonly all25: AlarmCount;
  /** One drill takes 50 % longer. An alarm of any drill or of all drills together counts. */
  readonly one50: AlarmCount;
  /** One drill recovers only in half of its runs. */
  readonly oneStuck: AlarmCount;
}

/** Alarms of the nightly gate for known true changes. */
export interface NightsResult {
  readonly trials: number;
  readonly nightEffect: number;
  readonly runNoise: number;
  readonly rows: readonly NightsRow[];
}

/** Standard deviation of ln(time) that all runs of a night share: a slow disk, a busy host. */
const nightEffect = 0.08;
/** Standard deviation of ln(time) of one run: the phase at which the fault hits. */
const runNoise = 0.15;
const waitedMs = 180_000;
const dayMs = 24 * 3_600_000;

const designs = [
  { baselineNights: 1, nowNights: 1, runs: [4, 4], drills: 24 },
  { baselineNights: 4, nowNights: 4, runs: [1, 1], drills: 1 },
  { baselineNights: 7, nowNights: 7, runs: [1, 1], drills: 1 },
  { baselineNights: 4, nowNights: 4, runs: [1, 1], drills: 24 },
  { baselineNights: 4, nowNights: 4, runs: [3, 3], drills: 24 },
  { baselineNights: 7, nowNights: 7, runs: [1, 1], drills: 24 },
  { baselineNights: 14, nowNights: 7, runs: [1, 3], drills: 24 },
  { baselineNights: 14, nowNights: 14, runs: [1, 1], drills: 24 },
  { baselineNights: 28, nowNights: 14, runs: [1, 1], drills: 24 },
  { baselineNights: 66, nowNights: 1, runs: [1, 1], drills: 24 },
] as const;

const strict: Tolerance = { share: 0, ms: 0 };

type Design = (typeof designs)[number];

/** Simulates nights of drills with random times, and counts the alarms. */
export async function runNights({ seed, quick, report }: BenchContext): Promise<NightsResult> {
  const trials = quick ? 20 : 4000;
  const random = seeded(seed);
  const template = keptRun(summarize(new LogBuilder(planWith({ probes: [probeOf('health')] })).read()));
  const rows = designs.map((design): NightsRow => {
    const draw = (truth: Truth) => drawNights(template, design, truth, random);
    const powerTrials = Math.ceil(trials / 4);
    const count = (of: number, truth: Truth, isAlarm: (nights: Drawn) => boolean): AlarmCount => {
      let alarms = 0;
      for (let trial = 0; trial < of; trial++) if (isAlarm(draw(truth))) alarms++;
      return { alarms, of };
    };
    const gates = (nights: Drawn) => alarmsOf(judge(nights, defaultTolerance));
    const row = {
      ...design,
      unchanged: count(trials, {}, gates),
      unchangedStrict: count(trials, {}, (nights) => alarmsOf(judge(nights, strict))),
      byRuns: count(powerTrials, {}, (nights) => alarmsByRuns(nights, defaultTolerance)),
      byRunsStrict: count(powerTrials, {}, (nights) => alarmsByRuns(nights, strict)),
      all10: count(powerTrials, { allFactor: 1.1 }, gates),
      all25: count(powerTrials, { allFactor: 1.25 }, gates),
      one50: count(powerTrials, { oneFactor: 1.5 }, gates),
      oneStuck: count(powerTrials, { oneStuck: 0.5 }, gates),
    };
    report(
      `${design.baselineNights} nights against ${design.nowNights}, ${design.drills} drills: ${row.unchanged.alarms} of ${trials} false alarms`,
    );
    return row;
  });
  return { trials, nightEffect, runNoise, rows };
}

/** The true change. */
interface Truth {
  readonly allFactor?: number;
  readonly oneFactor?: number;
  /** The share of the first drill's runs that do not recover. */
  readonly oneStuck?: number;
}

interface Drawn {
  readonly baseline: readonly KeptRun[];
  readonly now: readonly KeptRun[];
}

function drawNights(template: KeptRun, design: Design, truth: Truth, random: () => number): Drawn {
  const side = (fromNight: number, nights: number, runs: number, now: Truth): readonly KeptRun[] =>
    Array.from({ length: nights }, (_, night) => {
      const shared = nightEffect * normal(random);
      return Array.from({ length: design.drills * runs }, (_, index): KeptRun => {
        const drill = index % design.drills;
        const isFirst = drill === 0;
        const factor = (now.allFactor ?? 1) * (isFirst ? (now.oneFactor ?? 1) : 1);
        const ms = (15_000 + 2000 * drill) * factor * Math.exp(shared + runNoise * normal(random));
        const isStuck = isFirst && random() < (now.oneStuck ?? 0);
        const startedAt = new Date((fromNight + night) * dayMs + index * 300_000).toISOString();
        return {
          ...template,
          runId: `${fromNight + night}-${index}`,
          scenario: { ...template.scenario, name: `drill-${drill}` },
          startedAt,
          endedAt: startedAt,
          ...(isStuck
            ? { rto: null, longerThan: { rto: waitedMs } }
            : { rto: { ms, minMs: ms - 100, maxMs: ms + 100, first: null } }),
        };
      });
    }).flat();
  return {
    baseline: side(0, design.baselineNights, design.runs[0], {}),
    now: side(1000, design.nowNights, design.runs[1], truth),
  };
}

/** A normal variate (Box and Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function judge({ baseline, now }: Drawn, tolerance: Tolerance): Pick<BaselineGate, 'drills' | 'together'> {
  return gateOf(
    { name: 'baseline', runs: baseline },
    { name: 'now', runs: now },
    { tolerance, figures: new Map() },
  );
}

function alarmsOf({ drills, together }: Pick<BaselineGate, 'drills' | 'together'>): boolean {
  return together?.status === 'fail' || drills.some(({ status }) => status === 'fail');
}

/** The gate of version 0.1: each run is a value, and each figure is judged alone, at 2.5 %. */
function alarmsByRuns({ baseline, now }: Drawn, tolerance: Tolerance): boolean {
  const names = new Set(now.map(({ scenario }) => scenario.name));
  return [...names].some((name) => {
    const [a, b] = [baseline, now].map((runs) =>
      runs.flatMap(({ scenario, rto }) => (scenario.name === name ? (rto ?? []) : [])),
    );
    if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return false;
    const shift = shiftOf(a, b);
    return shift.coverage !== null && shift.minMs > allowedMs(tolerance, median(a.map(({ ms }) => ms)));
  });
}
