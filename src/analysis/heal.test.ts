import { describe, expect, test } from 'vitest';
import type { Check, PlannedFault, StageRule } from '../core/plan.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderVerdictText } from '../report/verdict-text.ts';
import { analyse, summarize } from './summarize.ts';
import { notAttributed } from './stages.ts';
import { LogBuilder, inOrder, readLines } from './testing/log-builder.ts';
import { nodeLoss, truth } from './testing/node-loss.ts';

const standbyOn = (onlyFaultHost: boolean, value: string): StageRule['until'] => ({
  kind: 'condition',
  condition: { probe: 'pg-role', is: [value], count: { min: 1 } },
  excludeFaultHost: false,
  ...(onlyFaultHost ? { onlyFaultHost } : {}),
});
const returnStages: readonly StageRule[] = [
  { name: 'node boots', until: standbyOn(true, 'standby-detached') },
  { name: 'fenced', until: { kind: 'mark', probe: 'pg-role', mark: 'none', excludeFaultHost: false } },
  { name: 'rejoins', until: standbyOn(true, 'standby') },
];

describe('the return', () => {
  const log = nodeLoss({ plan: { returnStages } }).read();
  const summary = summarize(log);

  test('lasts from the beginning of the heal to restored redundancy, with bounds', () => {
    const trueMs = truth.standbyMs - truth.healMs;
    expect(summary.heal?.startedAt).toBe('2026-03-01T10:00:50.000Z');
    expect(summary.heal?.return?.minMs).toBeLessThanOrEqual(trueMs);
    expect(summary.heal?.return?.maxMs).toBeGreaterThanOrEqual(trueMs);
    expect((summary.heal?.return?.maxMs ?? 0) - (summary.heal?.return?.minMs ?? 0)).toBeLessThan(2100);
  });

  test('has an outage of its own, apart from that of the fault', () => {
    const trueMs = truth.secondUpMs - truth.secondDownMs;
    expect(summary.heal?.outage.windows).toBe(1);
    expect(summary.heal?.outage.minMs).toBeLessThanOrEqual(trueMs);
    expect(summary.heal?.outage.maxMs).toBeGreaterThanOrEqual(trueMs);
    expect(summary.heal?.outage.maxMs).toBeLessThan(trueMs + 450);
    expect(summary.downtime?.windows).toBe(2);
  });

  test('counts only the part of an open outage after the heal began', () => {
    const { heal } = summarize(nodeLoss({ stuck: true }).read());
    const trueMs = truth.secondUpMs - truth.healMs;
    expect(heal?.outage.minMs).toBeLessThanOrEqual(trueMs);
    expect(heal?.outage.maxMs).toBeGreaterThanOrEqual(trueMs);
    expect(heal?.outage.maxMs).toBeLessThan(trueMs + 250);
  });

  test('has stages that sum to it; an unobserved stage is in the next one, and the rest is not attributed', () => {
    const stages = summary.heal?.stages ?? [];
    expect(stages.map((s) => [s.name, s.includes])).toEqual([
      ['node boots', []],
      ['rejoins', ['fenced']],
    ]);
    const total = (list: readonly { ms: number }[]) =>
      list.reduce((us, s) => us + Math.round(s.ms * 1000), 0);
    expect(total(stages)).toBe(Math.round((summary.heal?.return?.ms ?? 0) * 1000));
    const short = summarize(nodeLoss({ plan: { returnStages: returnStages.slice(0, 1) } }).read()).heal;
    expect(short?.stages.map((s) => s.name)).toEqual(['node boots', notAttributed]);
    expect(total(short?.stages ?? [])).toBe(Math.round((short?.return?.ms ?? 0) * 1000));
  });

  test('with onlyFaultHost, only the fault’s host counts', () => {
    const rules: readonly StageRule[] = [{ name: 'primary', until: standbyOn(true, 'primary') }];
    expect(summarize(nodeLoss({ plan: { returnStages: rules } }).read()).heal?.stages).toMatchObject([
      { name: notAttributed, includes: ['primary'] },
    ]);
    const any: readonly StageRule[] = [{ name: 'primary', until: standbyOn(false, 'primary') }];
    // Without it, node-2 counts. It was the primary when the heal began, so its condition cannot come to hold.
    expect(summarize(nodeLoss({ plan: { returnStages: any } }).read()).heal?.stages).toMatchObject([
      { name: notAttributed, includes: [] },
    ]);
  });

  test('is in the reports, with its longest stage', () => {
    const text = renderVerdictText(summary);
    expect(text).toMatch(
      /^return {2,}redundancy 19\.\d\d s \(.*\) after the heal began; outage [23]\.\d\d s/m,
    );
    expect(text).toMatch(/stages of the return\n {2}node boots .*\n {2}rejoins .*<- longest/);
    const report = renderMarkdown(summary, log);
    expect(report).toContain('## Return');
    expect(report).toMatch(/The stages sum to the return, 19\d{3}\.\d{3} ms\. The longest is rejoins\./);
    const quiet = summarize(nodeLoss({ plan: { returnStages: [] } }).read());
    expect(quiet.heal?.stages).toEqual([]);
  });

  test('is null without a heal, and not measured if redundancy was restored earlier', () => {
    const lines = nodeLoss()
      .lines()
      .filter((l) => !l.includes('"heal.'));
    expect(summarize(readLines(lines)).heal).toBeNull();
    const early = lines.map((l) =>
      l.includes('"gate":"redundancy"') ? l.replace(`"t":${truth.gateMs}`, '"t":45000') : l,
    );
    const healed = nodeLoss()
      .lines()
      .filter((l) => l.includes('"heal.'));
    expect(summarize(readLines(inOrder([...early, ...healed]))).heal?.return).toBeNull();
  });

  test.each<[Check, string, RegExp]>([
    [{ kind: 'return', name: 'c', maxMs: 25_000 }, 'pass', /^19\.\d\d s/],
    [{ kind: 'return', name: 'c', maxMs: 10_000 }, 'fail', /^19\.\d\d s/],
    [{ kind: 'heal-outage', name: 'c', maxMs: 5000 }, 'pass', /^[23]\.\d\d s/],
    [{ kind: 'heal-outage', name: 'c', maxMs: 1000 }, 'fail', /^[23]\.\d\d s/],
    [{ kind: 'heal-outage', name: 'c', maxMs: 3000 }, 'inconclusive', /^[23]\.\d\d s/],
  ])('is judged by its bounds: %j is a %s', (check, status, observed) => {
    const [result] = summarize(nodeLoss({ checks: [check] }).read()).checks;
    expect(result?.status).toBe(status);
    expect(result?.observed).toMatch(observed);
    expect(result?.measured?.minMs).toBeLessThanOrEqual(result?.measured?.maxMs ?? 0);
  });

  test('that does not end fails by the length of the wait', () => {
    const lines = nodeLoss({ checks: [{ kind: 'return', name: 'c', maxMs: 20_000 }] })
      .lines()
      .map((l) =>
        l.includes('"gate":"redundancy"')
          ? l.replace('"met","unmet":[]', '"timeout","unmet":["no standby"]')
          : l,
      );
    const [result] = summarize(readLines(lines)).checks;
    expect(result).toMatchObject({ status: 'fail', observed: 'not within 30.00 s; missing: no standby' });
  });
});

describe('faults with a duration', () => {
  const timed = (forMs: number | undefined): Partial<PlannedFault> => (forMs === undefined ? {} : { forMs });
  const built = (forMs: number | undefined): LogBuilder => {
    const builder = nodeLoss({
      plan: {
        faults: [
          {
            id: 'fault-1',
            kind: 'network.partition',
            on: { host: 'node-1' },
            atMs: 0,
            params: {},
            ...timed(forMs),
          },
        ],
      },
    });
    return builder;
  };
  /** The heal is before the recovery. */
  const early = (forMs: number | undefined) =>
    readLines(
      inOrder(
        built(forMs)
          .lines()
          .map((l) => (l.includes('heal.started') ? l.replace(`"t":${truth.healMs}`, '"t":20000') : l)),
      ),
    );

  test('do not end the wait for the recovery', () => {
    expect(summarize(early(10_000)).rto?.ms).toBeGreaterThan(19_000);
    expect(summarize(early(undefined)).rto).toBeNull();
  });

  test('begin the return nevertheless, after the last fault', () => {
    expect(summarize(early(10_000)).heal?.startedAt).toBe('2026-03-01T10:00:20.000Z');
    const two = built(10_000).fault(30_000, { id: 'fault-2', kind: 'process.kill', healedMs: 60_000 });
    const log = readLines(
      inOrder(
        two
          .lines()
          .map((l) =>
            l.includes('heal.started","fault":"fault-1"') ? l.replace(/"t":\d+/, '"t":20000') : l,
          ),
      ),
    );
    expect(analyse(log).heal?.began.ms).toBe(60_000);
  });
});

describe('preparations and repairs', () => {
  const step = (id: string): PlannedFault => ({
    id,
    kind: 'command',
    on: { host: 'node-2' },
    atMs: 0,
    params: {},
  });
  const prepared = () =>
    nodeLoss({ plan: { prepare: [step('prepare-1')], repair: [step('repair-1')] } })
      .fault(100, { id: 'prepare-1', kind: 'command', host: 'node-2', healedMs: 60_000 })
      .at(61_000, { type: 'fault.issued', fault: 'repair-1', kind: 'command', host: 'node-2', params: {} });
  const done = () => prepared().at(61_500, { type: 'fault.acked', fault: 'repair-1', receipt: {} });

  test('are not faults: they move neither t0 nor the heal, and an earlier outage does not count', () => {
    const plain = summarize(nodeLoss().read());
    const summary = summarize(done().read());
    expect(summary.faults.map((f) => f.id)).toEqual(['fault-1']);
    expect(summary).toMatchObject({
      rto: plain.rto,
      downtime: plain.downtime,
      heal: plain.heal,
      verdict: 'pass',
    });
  });

  test('are in the timeline', () => {
    const log = done().read();
    const report = renderMarkdown(summarize(log), log);
    for (const words of [
      'preparation prepare-1 (command on node-2) done',
      'preparation prepare-1 (command on node-2): undo proven',
      'repair repair-1 (command on node-2) done',
    ])
      expect(report).toContain(words);
  });

  test('a preparation that was not undone is not healed', () => {
    const lines = done()
      .lines()
      .filter((l) => !l.includes('"heal.proven","fault":"prepare-1"'));
    expect(summarize(readLines(lines))).toMatchObject({
      healed: false,
      verdict: 'inconclusive',
      reasons: ['prepare-1 (command on node-2) is not proven healed'],
    });
  });

  test('a preparation that failed, or is missing, makes the drill inconclusive', () => {
    const failed = done().at(300, { type: 'fault.failed', fault: 'prepare-1', message: 'no space left' });
    expect(summarize(failed.read()).reasons).toEqual([
      'prepare-1 (command on node-2) failed after it was issued: no space left',
    ]);
    const none = nodeLoss({ plan: { prepare: [step('prepare-1')] } });
    expect(summarize(none.read()).reasons).toEqual(['not prepared: prepare-1 (command)']);
  });

  test('a repair without an acknowledgment is done when its effect is observed', () => {
    const unanswered = prepared().at(61_500, {
      type: 'fault.outcome_unknown',
      fault: 'repair-1',
      message: 'cut off',
    });
    const effect = {
      type: 'fault.effect',
      fault: 'repair-1',
      notBeforeMs: 61_000,
      notAfterMs: 61_700,
    } as const;
    const log = unanswered.at(61_700, effect).read();
    expect(summarize(log)).toEqual({
      ...summarize(done().read()),
      redundancyRestoredMs: expect.anything() as number,
    });
    const report = renderMarkdown(summarize(log), log);
    expect(report).toContain('repair repair-1 (command on node-2): lost the connection to its host');
    expect(report).toContain('repair repair-1 (command on node-2) done');
  });

  test('a repair that failed, or did not end, makes the drill inconclusive', () => {
    const failed = prepared().at(61_500, { type: 'fault.failed', fault: 'repair-1', message: 'exit code 1' });
    expect(summarize(failed.read())).toMatchObject({
      healed: true,
      verdict: 'inconclusive',
      reasons: ['repair-1 (command on node-2) failed: exit code 1'],
    });
    expect(summarize(prepared().read()).reasons).toEqual([
      'the log does not show the end of repair-1 (command on node-2)',
    ]);
  });
});
