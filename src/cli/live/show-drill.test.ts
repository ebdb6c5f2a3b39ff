import { expect, test } from 'vitest';
import type { DrillEvent } from '../../core/event.ts';
import { runMs } from '../../core/time.ts';
import { LogBuilder, planWith } from '../../analysis/testing/log-builder.ts';
import { showDrill, showWait } from './show-drill.ts';
import type { Live, View } from './terminal.ts';

/** A live view whose block is text. */
function fakeLive(): { live: Live; shown: () => string[] | undefined } {
  let view: View | undefined;
  const live: Pick<Live, 'show'> = {
    show(next) {
      view = next;
      return () => {
        view = undefined;
      };
    },
  };
  const shown = (): string[] | undefined =>
    view?.({ columns: 80, rows: 24 }).map((line) => line.map(({ text }) => text).join(''));
  return { live: live as Live, shown };
}

test('shows the events of a run until the block is removed', () => {
  const { live, shown } = fakeLive();
  const listeners = new Set<(event: DrillEvent) => void>();
  const log = {
    subscribe(listener: (event: DrillEvent) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const hide = showDrill(live, log, { nowMs: () => runMs(2000) });
  expect(shown()).toEqual([]);
  for (const line of new LogBuilder(planWith({})).lines())
    for (const listener of listeners) listener(JSON.parse(line) as DrillEvent);
  expect(shown()?.[0]).toBe('⠋ 2.0 s  built on lab');
  hide();
  expect(shown()).toBeUndefined();
  expect(listeners.size).toBe(0);
});

test('shows a wait and its limit', () => {
  const { live, shown } = fakeLive();
  const hide = showWait(live, 'waiting for the steady state', 60_000);
  expect(shown()?.[0]).toMatch(/^. \d+\.\d s {2}waiting for the steady state, \d+\.\d s left$/);
  hide();
  expect(shown()).toBeUndefined();
});
