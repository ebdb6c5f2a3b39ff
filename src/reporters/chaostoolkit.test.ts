import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chaostoolkit } from './chaostoolkit.ts';
import { type Journal, journalOf } from './lib/chaos-journal.ts';
import { exampleDrill, hostileFinished } from './testing/drills.ts';
import { received } from './testing/received.ts';
import { journalSchema } from './testing/chaos-journal-schema.ts';
import { sharedTemporaryFolder } from '../../test/temporary-folder.ts';

const machine = { platform: 'Linux-6', node: 'here' };
const folder = sharedTemporaryFolder();

/** Checks the journal against the rules of Chaos Toolkit's own readers. */
const read = (journal: Journal): Journal => {
  journalSchema.parse(JSON.parse(JSON.stringify(journal)));
  return journal;
};

describe('the journal of a drill', () => {
  test('has faults as actions, recovery and stages as probes, and heals as rollbacks', () => {
    const { summary } = exampleDrill('wazuh-lb');
    const journal = read(journalOf(exampleDrill('wazuh-lb', { verdict: 'pass' }), machine));
    expect(journal.run.map((r) => [r.activity.type, r.activity.name, r.status, r.duration])).toEqual([
      ['action', 'fault-1: power.cut on node-1', 'succeeded', expect.any(Number)],
      ['probe', 'recovery', 'succeeded', 3.205],
      ['probe', 'stage: the other node takes over', 'succeeded', 3.205],
    ]);
    expect(journal.run[1]?.output).toEqual(summary.rto);
    expect(journal.rollbacks.map((r) => [r.activity.name, r.status])).toEqual([
      ['heal fault-1', 'succeeded'],
    ]);
    expect(journal.experiment.method).toEqual(journal.run.map((r) => r.activity));
    expect(journal).toMatchObject({
      start: summary.startedAt.replace('Z', '000'),
      status: 'completed',
      deviated: false,
      experiment: { title: summary.scenario.title },
      ...machine,
    });
    expect(journal.duration).toBe((Date.parse(summary.endedAt) - Date.parse(summary.startedAt)) / 1000);
  });

  test('has the steady state before, and the checks after', () => {
    const { plan, summary } = exampleDrill('keepalived-docker');
    const { before, after } = read(journalOf(exampleDrill('keepalived-docker'), machine)).steady_states;
    expect(before).toMatchObject({ steady_state_met: true });
    expect(before.probes).toHaveLength(plan.steady.require.length);
    expect(after).toMatchObject({ steady_state_met: true });
    expect(
      after?.probes.map((p) => [p.activity.name, p.activity.tolerance, p.output, p.tolerance_met]),
    ).toEqual(summary.checks.map((c) => [c.name, c.limit, c.observed, true]));
  });

  test.each([
    ['a check failed', { verdict: 'fail' }, 'fail', ['failed', true, false]],
    ['the drill is inconclusive', { verdict: 'inconclusive' }, 'inconclusive', ['aborted', false, null]],
    [
      'a guard rail refused it',
      { verdict: 'inconclusive', refused: true },
      'inconclusive',
      ['interrupted', false, null],
    ],
  ] as const)('%s', (_, change, status, expected) => {
    const { checks } = exampleDrill('wazuh-lb').summary;
    const drill = exampleDrill('wazuh-lb', {
      ...change,
      checks: checks.map((c, i) => (i === 0 ? { ...c, status } : c)),
    });
    const journal = read(journalOf(drill, machine));
    expect([journal.status, journal.deviated, journal.steady_states.after?.steady_state_met]).toEqual(
      expected,
    );
  });

  test('without a steady state, the journal has no run and no deviation', () => {
    const nothing = { verdict: 'inconclusive', faults: [], rto: null, stages: [], heal: null } as const;
    const journal = read(journalOf(exampleDrill('wazuh-lb', nothing), machine));
    expect(journal).toMatchObject({ status: 'failed', deviated: false, run: [], rollbacks: [] });
    expect(journal.steady_states).toMatchObject({ before: { steady_state_met: false }, after: null });
  });

  test('reports a fault without effect and without heal as failed', () => {
    const { faults } = exampleDrill('wazuh-lb').summary;
    const left = faults.map((f) => ({ ...f, effectAt: null, healedAt: null }));
    const journal = read(
      journalOf(exampleDrill('wazuh-lb', { faults: left, healed: false, rto: null }), machine),
    );
    expect(journal.run.map((r) => r.status)).toContain('failed');
    expect(journal.rollbacks).toMatchObject([{ status: 'failed', output: { healed: false } }]);
  });

  test('accepts any text', () => {
    expect(read(journalOf(hostileFinished(), machine)).run.length).toBeGreaterThan(0);
  });
});

test('the schema refuses invalid journals', () => {
  const journal = journalOf(exampleDrill('wazuh-lb'), machine);
  for (const wrong of [
    { ...journal, status: 'passed' },
    { ...journal, start: 'yesterday' },
    { ...journal, run: [{ ...journal.run[0], status: 'ok' }] },
    { ...journal, run: [{ ...journal.run[0], activity: { type: 'fault', name: 'a' } }] },
    { ...journal, 'chaoslib-version': 'new' },
  ]) {
    expect(journalSchema.safeParse(wrong).success, JSON.stringify(wrong).slice(0, 80)).toBe(false);
  }
});

test('writes the journal of each drill into a folder', async () => {
  const reporter = chaostoolkit.create(join(folder, 'journals'), received());
  for (const runId of ['a', 'b']) await reporter.drillEnded?.(exampleDrill('wazuh-lb', { runId }));
  expect(readdirSync(join(folder, 'journals')).sort()).toEqual(['a.json', 'b.json']);
  const journal: unknown = JSON.parse(readFileSync(join(folder, 'journals/a.json'), 'utf8'));
  expect(journalSchema.safeParse(journal)).toMatchObject({ success: true });
});

test("or into the run's folder", async () => {
  const drill = { ...exampleDrill('wazuh-lb'), folder };
  await chaostoolkit.create(undefined, received()).drillEnded?.(drill);
  expect(readdirSync(folder)).toContain('journal.json');
});
