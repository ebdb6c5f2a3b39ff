import { describe, expect, test } from 'vitest';
import { LogBuilder, planWith } from '../analysis/testing/log-builder.ts';
import type { DrillEvent } from '../core/event.ts';
import type { PlannedFault } from '../core/plan.ts';
import { createNarrator } from './console.ts';

const step = (id: string): PlannedFault => ({
  id,
  kind: 'command',
  on: { host: 'node-1' },
  atMs: 0,
  params: {},
});

test('prints preparations, faults, and repairs with different words', () => {
  const lines: string[] = [];
  const narrate = createNarrator((line) => lines.push(line));
  const builder = new LogBuilder(
    planWith({
      draw: { seed: 7, round: 1 },
      prepare: [step('door')],
      faults: [step('fire')],
      repair: [step('broom')],
    }),
  );
  const at = { kind: 'command', host: 'node-1', params: {} };
  builder
    .at(1, { type: 'phase.started', phase: 'prepare' })
    .at(2, { type: 'fault.issued', fault: 'door', ...at })
    .at(3, { type: 'fault.issued', fault: 'fire', ...at })
    .at(4, { type: 'heal.started', fault: 'fire' })
    .at(5, { type: 'heal.failed', fault: 'fire', message: 'still burns' })
    .at(6, { type: 'phase.started', phase: 'undo-preparations' })
    .at(7, { type: 'heal.started', fault: 'door' })
    .at(8, { type: 'heal.proven', fault: 'door' })
    .at(9, { type: 'phase.started', phase: 'repair' })
    .at(10, { type: 'fault.issued', fault: 'broom', ...at })
    .at(11, { type: 'fault.acked', fault: 'broom', receipt: {} });
  for (const line of builder.lines()) narrate(JSON.parse(line) as DrillEvent);
  expect(lines.map((line) => line.slice(line.indexOf('s  ') + 3))).toEqual([
    'run run-1, fault times from --seed 7, round 1',
    'preparing',
    'PREPARATION door: command on node-1',
    'FAULT fire: command on node-1',
    'fire: healing',
    'fire: NOT HEALED: still burns',
    'undoing the preparations',
    'door: undoing',
    'door: undone, proven',
    'repairing',
    'REPAIR broom: command on node-1',
    'broom: done',
  ]);
});

test('prints the start and the end of a degraded prober, and steps of the wall clock', () => {
  const lines: string[] = [];
  const narrate = createNarrator((line) => lines.push(line));
  const builder = new LogBuilder(planWith({})).at(1, { type: 'control.started', everyMs: 500, workMs: 8 });
  const dilations = [1, 1, 1, 4, 6, 5, 4, 1, 1, 1, 1];
  for (const [i, dilation] of dilations.entries()) {
    const finishMs = (i + 1) * 500;
    builder.at(finishMs, { type: 'control.sample', finishMs, cpuMs: 8, wallMs: 8 * dilation });
  }
  builder
    .at(7000, { type: 'clock.stepped', atMs: 7000, byMs: -1500, cause: 'step' })
    .at(8000, { type: 'clock.stepped', atMs: 8000, byMs: 61_000, cause: 'suspend' });
  for (const line of builder.lines()) narrate(JSON.parse(line) as DrillEvent);
  expect(lines.map((line) => line.slice(line.indexOf('s  ') + 3))).toEqual([
    'run run-1',
    'the prober is DEGRADED: this machine is overloaded (dilation 4.0 x, limit 2.5 x); use a quieter machine, fewer probes, or longer intervals',
    'the prober is no longer degraded: dilation 1.0 x, limit 2.5 x',
    'the wall clock was set backwards by 1.50 s; durations are not affected',
    'this machine was suspended for 61.00 s; the run clock stopped meanwhile',
  ]);
});

describe('a probe that changes', () => {
  /** The lines for alternating good and bad samples, `everyMs` apart, then good samples for some seconds. */
  const describe = (changes: number, everyMs: number, restMs: number): string[] => {
    const lines: string[] = [];
    const narrate = createNarrator((line) => lines.push(line));
    const builder = new LogBuilder(planWith({}));
    const sample = (t: number, isGood: boolean): void => {
      const seen = isGood
        ? { status: 'ok' as const }
        : { status: 'fail' as const, cause: 'refused' as const };
      builder.at(t, { type: 'sample', probe: 'web', slot: t, dueMs: t, sendMs: t, finishMs: t, ...seen });
    };
    for (let i = 0; i <= changes; i++) sample(i * everyMs, i % 2 === 0);
    const lastMs = changes * everyMs;
    for (let ms = 1000; ms <= restMs; ms += 1000) sample(lastMs + ms, changes % 2 === 0);
    builder.at(lastMs + restMs + 1, { type: 'run.ended' });
    for (const line of builder.lines()) narrate(JSON.parse(line) as DrillEvent);
    return lines;
  };

  test('often is printed as its first changes, a count, and the last change', () => {
    expect(describe(463, 100, 10_000).slice(1)).toEqual([
      '   +0.000 s  web: ok',
      '   +0.100 s  web: ok -> fail refused',
      '   +0.200 s  web: fail -> ok',
      '   +0.300 s  web: ok -> fail refused',
      '   +0.400 s  web: fail -> ok',
      '   +0.500 s  web: flaps; further changes are counted',
      '  +51.300 s  web: 459 more changes, the last at +46.300 s: ok -> fail refused',
    ]);
  });

  test('often until the end of the run is printed then', () => {
    expect(describe(6, 100, 1000).slice(-2)).toEqual([
      '   +0.500 s  web: flaps; further changes are counted',
      '   +1.601 s  web: 2 more changes, the last at +0.600 s: fail -> ok',
    ]);
  });

  test('now and then is printed each time', () => {
    expect(describe(20, 3000, 6000)).toHaveLength(22);
  });
});
