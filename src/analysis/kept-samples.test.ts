import { describe, expect, test } from 'vitest';
import type { Check, Plan } from '../core/plan.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { countOf } from './kept-samples.ts';
import type { RunLog } from './run-log.ts';
import { summarize } from './summarize.ts';
import { type Answer, LogBuilder, planWith, probeOf, readLines, seeded } from './testing/log-builder.ts';

const minute = 60_000;
const hour = 60 * minute;

const none = { probe: 'role', is: ['primary'], count: { min: 0, max: 0 } };

const checks: readonly Check[] = [
  { kind: 'rto', name: 'rto', maxMs: 30_000 },
  { kind: 'downtime', name: 'downtime', maxMs: 30_000 },
  { kind: 'role-moved', name: 'moved', role: 'primary' },
  { kind: 'role-stays', name: 'stays', role: 'primary' },
  { kind: 'redundancy', name: 'redundancy', maxMs: 60_000 },
  {
    kind: 'never',
    name: 'split',
    condition: { probe: 'role', is: ['primary'], count: { min: 2 } },
    toleranceMs: 0,
  },
  {
    kind: 'happens',
    name: 'none',
    condition: none,
    minMs: 0,
  },
  { kind: 'finally', name: 'two', condition: { probe: 'role', count: { min: 2 } } },
];

function drillPlan(parts: Partial<Plan> = {}): Plan {
  const both = { require: [{ probe: 'role', count: { min: 2 } }], forMs: 3000, withinMs: 600_000 };
  return planWith({
    probes: [
      probeOf('health', { burstIntervalMs: 100 }),
      probeOf('other', { intervalMs: 2000 }),
      probeOf('role@node-1', { kind: 'exec' }),
      probeOf('role@node-2', { kind: 'exec' }),
    ],
    roles: { primary: { probe: 'role', is: ['primary'], count: { min: 1, max: 1 } } },
    ownership: { database: { asked: { probe: 'role', is: ['primary'] } } },
    redundancy: both,
    stages: [
      {
        name: 'notices',
        until: {
          kind: 'condition',
          condition: none,
          excludeFaultHost: false,
        },
      },
      {
        name: 'promotes',
        until: {
          kind: 'condition',
          condition: { probe: 'role', is: ['primary'], count: { min: 1 } },
          excludeFaultHost: true,
        },
      },
      { name: 'serves', until: { kind: 'recovered' } },
    ],
    // The standby is primary by then, so this never holds.
    returnStages: [{ name: 'none', until: { kind: 'condition', condition: none, excludeFaultHost: false } }],
    checks,
    ...parts,
  });
}

/** The same log with an unknown event every second, so that every sample is stored. */
function inFull(lines: readonly string[]): RunLog {
  const timed = lines.map((line) => ({ t: Number(/^\{"t":([\d.]+)/.exec(line)?.[1]), line }));
  const lastMs = timed.at(-1)?.t ?? 0;
  for (let t = 500; t < lastMs; t += 1000) timed.push({ t, line: `{"t":${t},"type":"of.tomorrow"}` });
  // run.started stays the first event.
  return readLines([
    lines[0] ?? '',
    ...timed
      .filter((x) => x.line !== lines[0])
      .sort((a, b) => a.t - b.t)
      .map((x) => x.line),
  ]);
}

const keptOf = (log: RunLog) => [...log.series.values()].reduce((sum, s) => sum + s.samples.length, 0);
const samplesOf = (log: RunLog) => [...log.series.values()].reduce((sum, s) => sum + countOf(s.samples), 0);

/** Expects the same analysis of a log and of the same log with all samples stored. Returns the former. */
function expectSame(lines: readonly string[]): RunLog {
  const log = readLines(lines);
  const full = inFull(lines);
  expect(keptOf(full)).toBe(lines.filter((l) => l.includes('"type":"sample",')).length);
  expect(samplesOf(log)).toBe(keptOf(full));
  const summary = summarize(log);
  expect(summary).toEqual(summarize(full));
  expect(renderMarkdown(summary, log)).toBe(renderMarkdown(summary, full));
  return log;
}

/** A drill with minutes before the fault, after the takeover, and after the heal, and with random further problems. */
function drawnDrill(seed: number): LogBuilder {
  const random = seeded(seed);
  const between = (lo: number, hi: number) => lo + random() * (hi - lo);
  const issued = between(3 * minute, 6 * minute);
  // No outage, a short one, a long one.
  const downMs = [0, between(2000, 40_000), between(2 * minute, 4 * minute)][seed % 3] ?? 0;
  const downUntil = issued + downMs;
  const overMs = downMs === 0 ? issued + 4 * minute : downUntil + 5500;
  const promoted = issued + between(0.2, 0.9) * (overMs - issued);
  const healed = overMs + between(20_000, 6 * minute);
  const redundant = healed + between(1000, 4 * minute);
  const end = redundant + between(10_000, 6 * minute);
  const blips = Array.from({ length: Math.floor(random() * 4) }, () => between(0, end));
  const silences = Array.from(
    { length: Math.floor(random() * 3) },
    () => [between(0, end), between(0, 4 * minute)] as const,
  );
  const builder = new LogBuilder(drillPlan());
  const rate = (sendMs: number) =>
    sendMs > issued - 2000 && sendMs < Math.min(overMs, issued + 20_000) ? 100 : 700 + random() * 1500;
  const latency = () => (random() < 0.001 ? between(100, 800) : between(1, 8));
  const target =
    (state: (s: number) => Partial<Answer>) =>
    (s: number): Answer => ({
      status: 'ok',
      finishMs: s + latency(),
      ...state(s),
      ...(random() < 0.0005 || (s > issued + 10_000 && s < issued + 15_000 && seed % 3 === 2)
        ? { status: 'unknown' }
        : {}),
    });
  const fail = (s: number, ms: number): Partial<Answer> => ({
    status: 'fail',
    cause: ms > 800 ? 'timeout' : 'refused',
    finishMs: s + ms,
  });
  const probing = (
    id: string,
    every: number | ((s: number) => number),
    state: (s: number) => Partial<Answer>,
  ) => {
    const seen = target(state);
    let at = between(0, 900);
    for (let slot = 0; at < end; slot++) {
      const answer = seen(at);
      if (!silences.some(([from, forMs]) => id !== 'health' && at > from && at < from + forMs))
        builder.sample(id, slot, at, answer);
      at += typeof every === 'number' ? every : every(at);
    }
  };
  probing('health', rate, (s) => {
    if (s > issued && s < downUntil) return fail(s, seed % 2 === 0 ? 900 : 2);
    return blips.some((b) => s > b && s < b + 1500) ? fail(s, 3) : {};
  });
  probing('other', 2000, (s) => (s > healed && s < healed + 3000 ? fail(s, 900) : {}));
  const role = (s: number, old: boolean): Partial<Answer> => {
    if (old && s > issued && s < redundant) return fail(s, 2);
    return { value: (old ? s < issued : s > promoted) ? 'primary' : 'standby' };
  };
  probing('role@node-1', 1000, (s) => role(s, true));
  probing('role@node-2', 1000, (s) => role(s, false));
  for (let t = 5000; t < end; t += 5000)
    builder.at(t, { type: 'prober.health', lane: 'network', loopMaxMs: 2, loopP99Ms: 1 });
  return builder
    .at(100, { type: 'phase.started', phase: 'steady' })
    .at(issued - 3000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .at(issued - 2000, { type: 'rate.changed', burst: true })
    .fault(issued, { healedMs: healed })
    .at(overMs, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(overMs + 100, { type: 'rate.changed', burst: false })
    .at(redundant + 4000, { type: 'gate', gate: 'redundancy', state: 'met', unmet: [] })
    .at(end, { type: 'run.ended' });
}

describe('samples that repeat their neighbors', () => {
  test.each(Array.from({ length: 15 }, (_, seed) => seed))(
    'are left out of drill %i, with the same analysis',
    (seed) => {
      const log = expectSame(drawnDrill(seed).lines());
      expect(keptOf(log)).toBeLessThan(samplesOf(log) * 0.9);
    },
  );

  test('are left out while another probe stops, and while answers are late', () => {
    const plan = drillPlan({ checks: [], stages: [] });
    const builder = new LogBuilder(plan).at(0, { type: 'phase.started', phase: 'watching' });
    const good = (s: number): Answer => ({ status: 'ok', finishMs: s + 3 });
    builder
      .probing('health', 0, 3 * hour, 1000, (s) => ({
        status: 'ok',
        finishMs: s + (s > 1.5 * hour && s < 1.5 * hour + 10 * minute ? 700 : 3),
      }))
      .probing('other', 0, hour, 2000, good)
      .probing('other', 2 * hour, 3 * hour, 2000, (s) => ({
        status: 'fail',
        cause: 'timeout',
        finishMs: s + 900,
      }))
      .probing('role@node-1', 500, 3 * hour, 1000, (s) => ({
        ...good(s),
        value: s < 2 * hour ? 'primary' : 'standby',
      }))
      .probing('role@node-2', 700, 3 * hour, 1000, (s) => ({ ...good(s), value: 'standby' }))
      .at(3 * hour, { type: 'run.ended' });
    const log = expectSame(builder.lines());
    expect(summarize(log).probes[0]?.windows).toMatchObject([{ state: 'slow' }]);
  });

  test('take no memory: a day takes as little as an hour', () => {
    const kept = [1, 24].map((hours) => {
      const builder = new LogBuilder(planWith({ probes: [probeOf('health')] }));
      builder.probing('health', 0, hours * hour, 1000, (s) => ({ status: 'ok', finishMs: s + 3 + (s % 7) }));
      return keptOf(readLines(builder.lines()));
    });
    expect(kept[1]).toBe(kept[0]);
  });
});
