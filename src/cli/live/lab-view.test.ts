import { expect, test } from 'vitest';
import type { LabEvent } from '../../lab/lab-context.ts';
import { labLines, type LabState, reduceLab } from './lab-view.ts';
import { paint } from './line.ts';

const events: readonly (readonly [number, LabEvent])[] = [
  [0, { step: 'vm images', state: 'start', text: 'building the VM image' }],
  [100, { step: 'inner images', state: 'start', text: 'building the inner images' }],
  [200, { step: 'inner images', state: 'count', done: 0, of: 3 }],
  [300, { step: 'inner images', state: 'output', text: '#7 [1/4] FROM \u001B[2Jdebian' }],
  [400, { step: 'inner images', state: 'count', done: 1, of: 3 }],
  [500, { step: 'vm images', state: 'done', text: 'built vm:1', elapsedMs: 500 }],
  [600, { step: 'steady', state: 'start', text: 'waiting for the steady state', limitMs: 90_000 }],
];

function shown(atMs: number, rows = 20): string[] {
  const state = events
    .filter(([t]) => t <= atMs)
    .reduce<LabState>((before, [t, event]) => reduceLab(before, event, t), new Map());
  return labLines(state, atMs, { rows }).map((line) => paint(line, 79, { color: false, unicode: true }));
}

test('shows running steps, with their count and the last output of their command', () => {
  expect(shown(450)).toEqual([
    '  ⠼    0.5 s  building the VM image',
    '  ⠼    0.3 s  building the inner images  1/3',
    String.raw`              #7 [1/4] FROM \u001b[2Jdebian`,
  ]);
});

test('drops finished steps, and counts down to a limit', () => {
  expect(shown(10_600)).toEqual([
    '  ⠦   10.5 s  building the inner images  1/3',
    String.raw`              #7 [1/4] FROM \u001b[2Jdebian`,
    '  ⠦   10.0 s  waiting for the steady state  80.0 s left',
  ]);
});

test('omits the output of commands without room', () => {
  expect(shown(450, 5)).toHaveLength(2);
});
