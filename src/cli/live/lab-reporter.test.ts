import { expect, test } from 'vitest';
import type { LabEvent } from '../../lab/lab-context.ts';
import { labReporter } from './lab-reporter.ts';
import type { Live, View } from './terminal.ts';

const events: readonly LabEvent[] = [
  { step: 'base', state: 'start', text: 'base image debian:trixie-slim' },
  { step: 'base', state: 'info', text: 'no registry delivers it' },
  { step: 'base', state: 'output', text: 'I: extracting' },
  { step: 'base', state: 'count', done: 1, of: 2 },
  { step: 'base', state: 'done', text: 'made debian:trixie-slim', elapsedMs: 1500 },
];

test('prints a line at the start and at the end of each step without a live view', () => {
  const lines: string[] = [];
  const report = labReporter({ progress: (line) => lines.push(line) });
  for (const event of events) report(event);
  expect(lines).toEqual([
    '  base image debian:trixie-slim ...',
    '  base: no registry delivers it',
    '  base: made debian:trixie-slim (1.50 s)',
  ]);
});

test('with a live view, shows running steps, and prints lines for finished ones', () => {
  const lines: string[] = [];
  let shown: View | undefined;
  const live: Pick<Live, 'show'> = {
    show(view) {
      shown = view;
      return () => {
        shown = undefined;
      };
    },
  };
  const report = labReporter({ progress: (line) => lines.push(line), live: live as Live });
  for (const event of events.slice(0, -1)) report(event);
  const text = shown?.({ columns: 80, rows: 24 }).map((line) => line.map((span) => span.text).join(''));
  expect(text?.[0]).toMatch(/ base image debian:trixie-slim {2}1\/2$/);
  expect(text?.[1]?.trim()).toBe('I: extracting');
  for (const event of events.slice(-1)) report(event);
  expect(shown).toBeUndefined();
  expect(lines).toEqual(['  base: no registry delivers it', '  ✓ base: made debian:trixie-slim (1.50 s)']);
});
