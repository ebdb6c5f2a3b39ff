import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { judgeChecks } from '../../src/analysis/checks.ts';
import { analyseRedundancy } from '../../src/analysis/redundancy.ts';
import type { RunLog } from '../../src/analysis/run-log.ts';
import { analyseRecovery, type RecoveryAnalysis } from '../../src/analysis/rto.ts';
import { stagesOf } from '../../src/analysis/stages.ts';
import { LogBuilder, planWith, probeOf, type Answer } from '../../src/analysis/testing/log-builder.ts';
import { badWindows, durationOf } from '../../src/analysis/windows.ts';
import { measureText } from '../../src/analysis/format.ts';
import { durationText } from '../../src/core/format-duration.ts';
import type { Check, Plan, StageRule } from '../../src/core/plan.ts';
import type { FailCause } from '../../src/core/sample.ts';
import { later } from '../../src/core/time.ts';
import {
  cellsOf,
  columnOf,
  figuresIn,
  leaseTimeline,
  proseOf,
  sectionOf,
  tablesOf,
  textBlockOf,
  toMs,
} from './lib/worked-examples.ts';
import { root } from './lib/our-files.ts';

// docs/worked-examples.md: its input tables go through the code, and its figures are compared with the results.

const page = readFileSync(join(root, 'docs/worked-examples.md'), 'utf8');
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

/** A row "sent, result came, result" of one sample. */
function addSamples(builder: LogBuilder, probe: string, rows: readonly (readonly string[])[]): void {
  for (const [slot, [sent = '', came = '', result = '']] of rows.entries())
    builder.sample(probe, slot, toMs(sent), answerOf(result, toMs(came)));
}

/** `ok`, the cause of a failure, or a value. */
function answerOf(result: string, finishMs: number): Answer {
  if (result === 'ok') return { status: 'ok', finishMs };
  return /^(?:refused|timeout|reset|unreachable)$/.test(result)
    ? { status: 'fail', cause: result as FailCause, finishMs }
    : { status: 'ok', value: result, finishMs };
}

/** Rows "first sent, last sent, result" of a probe at an interval. */
function addRuns(
  builder: LogBuilder,
  probe: string,
  rows: readonly (readonly string[])[],
  { intervalMs, takesMs }: { readonly intervalMs: number; readonly takesMs: number },
): number {
  let slot = 0;
  let lastMs = 0;
  for (const [first = '', last = '', result = ''] of rows)
    for (let ms = toMs(first); ms <= toMs(last); ms += intervalMs) {
      builder.sample(probe, slot++, ms, answerOf(result, ms + takesMs));
      lastMs = ms + takesMs;
    }
  return lastMs;
}

/** The fault of an example, by the rows "issued", "acknowledged" of its table of settings. */
function addFault(builder: LogBuilder, settings: ReadonlyMap<string, string>): void {
  const issuedMs = toMs(settings.get('fault issued') ?? '');
  const ackedMs = toMs(settings.get('fault acknowledged') ?? '');
  builder
    .at(issuedMs, { type: 'fault.issued', fault: 'f', kind: 'process.kill', host: 'node-1', params: {} })
    .at(ackedMs, { type: 'fault.acked', fault: 'f', receipt: {} })
    .at(ackedMs, { type: 'fault.effect', fault: 'f', notBeforeMs: issuedMs, notAfterMs: ackedMs });
}

/** The log of an example whose first table is settings, and whose second table is the samples of `health` by runs. */
function drillOf(section: string, parts: Partial<Plan> = {}, more?: (builder: LogBuilder) => void): RunLog {
  const [settings, runs] = tablesOf(section);
  const values = columnOf(settings ?? []);
  const intervalMs = toMs(values.get('interval') ?? '');
  const stableForMs = toMs(values.get('`stableFor`') ?? '');
  const plan = planWith({
    probes: [probeOf('health', { intervalMs })],
    recovery: { probe: 'health', withinMs: 60_000, stableForMs },
    ...parts,
  });
  const builder = new LogBuilder(plan);
  const takesMs = toMs(values.get('time to a result') ?? '');
  const lastMs = addRuns(builder, 'health', runs ?? [], { intervalMs, takesMs });
  addFault(builder, values);
  more?.(builder);
  return builder
    .at(lastMs, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(lastMs, { type: 'run.ended' })
    .read();
}

function recoveryOf(log: RunLog): RecoveryAnalysis & { rto: NonNullable<RecoveryAnalysis['rto']> } {
  const recovery = analyseRecovery(log);
  if (recovery?.rto == null) throw new Error('no recovery');
  return { ...recovery, rto: recovery.rto };
}

/** Status, observed value, and reason of each check, as the page's table of results has them. */
function judged(log: RunLog): readonly (readonly string[])[] {
  const recovery = analyseRecovery(log);
  const redundancy = analyseRedundancy(log, recovery?.effect ?? null);
  const evidence = { log, recovery, redundancy, heal: null, roleBefore: new Map(), rows: [] };
  return judgeChecks(evidence).map(({ result, reason }) => [result.status, result.observed, reason ?? '']);
}

/** Every figure of the prose is an input or a result. */
function expectKnownFigures(section: string): void {
  const known = new Set(figuresIn([...tablesOf(section).flat(2), ...textBlockOf(section)].join('\n')));
  expect(figuresIn(proseOf(section)).filter((figure) => !known.has(figure))).toEqual([]);
}

/** A cell such as `4.00 s − 3.02 s` gives the value of its row. */
function expectArithmetic(rows: readonly (readonly string[])[]): void {
  for (const cells of rows) {
    const [, a, b] = /(\d[\d.]* (?:s|ms)) − (\d[\d.]* (?:s|ms))/.exec(cells[1] ?? '') ?? [];
    if (a === undefined || b === undefined) continue;
    const [value = ''] = figuresIn(cells[2] ?? '');
    expect(toMs(a) - toMs(b), cells.join(' | ')).toBeCloseTo(toMs(value), 6);
  }
}

describe('the example of a window', () => {
  const section = sectionOf(page, 'Five samples make a window');
  const [samples = [], results = []] = tablesOf(section);

  test('has the window that the analysis makes of its samples', () => {
    const builder = new LogBuilder(planWith({ probes: [probeOf('health')] }));
    addSamples(
      builder,
      'health',
      samples.map((row) => row.slice(1)),
    );
    const log = builder.at(6000, { type: 'run.ended' }).read();
    const [window, ...others] = badWindows(log, log.series.get('health')!);
    expect(others).toEqual([]);
    const { ms, minMs, maxMs } = durationOf(window!);
    expect(samples).toHaveLength(5);
    expect(columnOf(results, 2)).toEqual(
      new Map([
        ['start, at the earliest', seconds(window!.startLoMs)],
        ['start, at the latest', seconds(window!.startHiMs)],
        ['end, at the earliest', seconds(window!.endLoMs)],
        ['end, at the latest', seconds(window!.endHiMs)],
        ['length, at least', durationText(minMs)],
        ['length, at most', durationText(maxMs)],
        ['length, estimate', durationText(ms)],
        ['in a report', `\`${measureText({ ms, minMs, maxMs })}\``],
      ]),
    );
    expectArithmetic(results);
    expectKnownFigures(section);
  });
});

describe('the example of an RTO', () => {
  const section = sectionOf(page, 'A window and a fault make an RTO');
  const [, , results = [], late = []] = tablesOf(section);

  test('has the RTO that the analysis makes of its fault and samples', () => {
    const { effect, windows, rto } = recoveryOf(drillOf(section));
    const [window] = windows;
    expect(columnOf(results, 2)).toEqual(
      new Map([
        ['t0, at the earliest', seconds(effect.loMs)],
        ['t0, at the latest', seconds(effect.hiMs)],
        ['end, at the earliest', seconds(window!.endLoMs)],
        ['end, at the latest', seconds(window!.endHiMs)],
        ['RTO, at least', durationText(rto.minMs)],
        ['RTO, at most', durationText(rto.maxMs)],
        ['RTO, estimate', durationText(rto.ms)],
        ['in a report', `\`${measureText(rto)}\``],
      ]),
    );
    expectArithmetic(results);
    expectKnownFigures(section);
  });

  test('has the RTO of a late acknowledgment', () => {
    const values = columnOf(late, 1);
    const changed = section.replace(
      /(fault acknowledged +\| )\d+\.\d+ s/,
      `$1${values.get('fault acknowledged')}`,
    );
    const { effect, rto } = recoveryOf(drillOf(changed));
    expect(values).toEqual(
      new Map([
        ['fault acknowledged', values.get('fault acknowledged')],
        ['t0, at the latest', seconds(effect.hiMs)],
        ['in a report', `\`${measureText(rto)}\``],
      ]),
    );
  });
});

describe('the example of a lease', () => {
  const section = sectionOf(page, 'Three timelines of a lease');
  const settings = columnOf(tablesOf(section)[0] ?? []);

  test.each([
    ['firedrill renews the lease until the heal', { healed: 'fault healed, first timeline' }],
    ['firedrill dies, and the host undoes the fault', { killed: 'firedrill killed, second timeline' }],
    [
      'The path is cut for less than the lease',
      { cut: 'path cut, third timeline', healed: 'fault healed, third timeline' },
    ],
  ])('"%s" has the timeline that the lease code makes', async (heading, names) => {
    const at = (name?: string): readonly number[] =>
      name === undefined ? [] : (settings.get(name) ?? '').split(' to ').map(toMs);
    const timeline = await leaseTimeline({
      leaseMs: toMs(settings.get('lease') ?? ''),
      giveUpMs: toMs(settings.get('command without an answer given up after') ?? ''),
      healedMs: at('healed' in names ? names.healed : undefined)[0],
      killedMs: at('killed' in names ? names.killed : undefined)[0],
      cutMs: at('cut' in names ? names.cut : undefined),
    });
    const part = sectionOf(section, heading, '### ');
    expect(textBlockOf(part)).toEqual(timeline);
    const known = new Set(figuresIn([...tablesOf(section).flat(2), ...timeline].join('\n')));
    expect(figuresIn(proseOf(part)).filter((figure) => !known.has(figure))).toEqual([]);
  });
});

describe('the example of a stage chain', () => {
  const section = sectionOf(page, 'A chain of stages');
  const [, , rules = [], changes = [], results = []] = tablesOf(section);

  /** `lb is DOWN`, or `recovered`. */
  const ruleOf = ([name = '', until = '']: readonly string[]): StageRule => {
    const [, probe, value] = /^`(\S+)` is `(\S+)`$/.exec(until) ?? [];
    if (probe === undefined || value === undefined) return { name, until: { kind: 'recovered' } };
    return {
      name,
      until: {
        kind: 'condition',
        condition: { probe, is: [value], count: { min: 1 } },
        excludeFaultHost: false,
      },
    };
  };

  test('has the stages that the analysis makes of its rules and samples', () => {
    const stages = rules.map(ruleOf);
    const probes = [
      probeOf('health', { intervalMs: 200 }),
      ...new Set(changes.map(([probe = '']) => probe.replaceAll('`', ''))),
    ].map((probe) => (typeof probe === 'string' ? probeOf(probe) : probe));
    const log = drillOf(section, { stages, probes }, (builder) => {
      for (const { id } of probes.slice(1)) {
        const rows = changes.filter(([probe]) => probe === `\`${id}\``).map((row) => row.slice(1));
        addRuns(builder, id, rows, { intervalMs: 1000, takesMs: 20 });
      }
    });
    const recovery = recoveryOf(log);
    const spans = stagesOf(log, recovery);
    // The bounds of an end, from those of the stage and of its beginning.
    let begin = recovery.effect;
    const rows = spans.map(({ name, fromMs, toMs: endMs, minMs, maxMs }) => {
      begin = { ms: endMs, loMs: later(begin.hiMs, minMs), hiMs: later(begin.loMs, maxMs) };
      const length = measureText({ ms: endMs - fromMs, minMs, maxMs });
      return [name, `${seconds(begin.loMs)} to ${seconds(begin.hiMs)}`, seconds(endMs), length];
    });
    const { loMs, hiMs, ms } = recovery.recovered!;
    expect(begin).toMatchObject({ loMs, hiMs, ms });
    expect(results).toEqual([
      ...rows,
      ['RTO', `${seconds(loMs)} to ${seconds(hiMs)}`, seconds(ms), measureText(recovery.rto)],
    ]);
    expect(spans.map(({ name }) => name)).toEqual(rules.map(([name]) => name));
    expectKnownFigures(section);
  });
});

describe('the example of an inconclusive check', () => {
  const section = sectionOf(page, 'How a check becomes inconclusive');

  test('has the outcomes of its limits', () => {
    const part = sectionOf(section, 'The limit lies within the bounds', '### ');
    const [results = []] = tablesOf(part);
    const checks = results.map(([limit = '']): Check => ({
      kind: 'rto',
      name: limit,
      maxMs: toMs(limit.replace('RTO ≤ ', '')),
    }));
    const log = drillOf(sectionOf(page, 'A window and a fault make an RTO'), { checks });
    const outcomes = judged(log);
    expect(results.map((row) => row.slice(1))).toEqual(
      outcomes.map(([status = '', observed = '']) => [status, observed]),
    );
    expect(results.map(([, status]) => status)).toEqual(['pass', 'inconclusive', 'fail']);
    expect(textBlockOf(part).join(' ')).toBe(outcomes[1]?.[2]);
    expectKnownFigures(part);
  });

  test('has the outcomes of a failed sample without and with a declared value', () => {
    const part = sectionOf(section, 'A failed sample has no value', '### ');
    const [samples = [], results = []] = tablesOf(part);
    const outcomes = [undefined, { refused: 'down' }].map((onFailure) => {
      const declared = onFailure === undefined ? {} : { onFailure };
      const probes = [probeOf('health'), ...['node-1', 'node-2'].map((n) => probeOf(`role@${n}`, declared))];
      const condition = { probe: 'role', is: ['primary'], count: { min: 2 } };
      const builder = new LogBuilder(
        planWith({
          probes,
          checks: [{ kind: 'never', name: 'never two primaries', condition, toleranceMs: 0 }],
        }),
      );
      const settings = new Map([
        ['fault issued', samples[1]?.[0] ?? ''],
        ['fault acknowledged', samples[1]?.[0] ?? ''],
      ]);
      addFault(builder, settings);
      for (const [column, id] of [
        [0, 'health'],
        [1, 'role@node-1'],
        [2, 'role@node-2'],
      ] as const)
        addSamples(
          builder,
          id,
          samples.map((row) => [
            row[0] ?? '',
            seconds(toMs(row[0] ?? '') + 20),
            column === 0 ? 'ok' : (row[column] ?? ''),
          ]),
        );
      const endMs = toMs(samples.at(-1)?.[0] ?? '') + 20;
      return judged(builder.at(endMs, { type: 'run.ended' }).read())[0] ?? [];
    });
    expect(results.map((row) => row.slice(1))).toEqual(
      outcomes.map(([status = '', observed = '']) => [status, observed]),
    );
    expect(results.map(([, status]) => status)).toEqual(['inconclusive', 'pass']);
    expect(textBlockOf(part).join(' ')).toBe(outcomes[0]?.[2]);
    expectKnownFigures(part);
  });
});

test('a table and a figure are read as they are on the page', () => {
  expect(tablesOf('| a | b |\n| - | -: |\n| x | 1.50 s |\n\ntext 2.5 s and 30 ms\n')).toEqual([
    [['x', '1.50 s']],
  ]);
  expect(cellsOf('| a `x` |  b |')).toEqual(['a `x`', 'b']);
  expect(figuresIn('12 s to 24.0 s, 980 ms')).toEqual(['12 s', '24.0 s', '980 ms']);
  expect([toMs('1.50 s'), toMs('980 ms')]).toEqual([1500, 980]);
});
