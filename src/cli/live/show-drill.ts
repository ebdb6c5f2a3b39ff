import { runningText } from '../../core/format-duration.ts';
import type { Clock } from '../../core/clock.ts';
import type { DurationMs } from '../../core/time.ts';
import type { EventLog } from '../../engine/event-log.ts';
import { type Line, spinner } from './line.ts';
import { nothingYet, reduce } from './state.ts';
import type { Live } from './terminal.ts';
import { drillLines } from './view.ts';

/** Shows the events of a run in the live view, if there is one. Returns a function that removes the block. */
export function showDrill(
  live: Live | undefined,
  log: Pick<EventLog, 'subscribe'>,
  clock: Pick<Clock, 'nowMs'>,
): () => void {
  if (live === undefined) return () => {};
  let state = nothingYet;
  const leave = log.subscribe((event) => {
    state = reduce(state, event);
  });
  const hide = live.show((size) => drillLines(state, clock.nowMs(), size));
  return () => {
    leave();
    hide();
  };
}

/** Shows a wait of at most `withinMs` in the live view. Returns a function that removes the block. */
export function showWait(live: Live | undefined, text: string, withinMs: DurationMs): () => void {
  if (live === undefined) return () => {};
  const sinceMs = performance.now();
  return live.show((): Line[] => {
    const nowMs = performance.now();
    const left = `, ${runningText(sinceMs + withinMs - nowMs)} left`;
    return [
      [
        { text: `${spinner(nowMs)} `, style: 'cyan' },
        { text: `${runningText(nowMs - sinceMs)}  ${text}` },
        { text: left, style: 'dim' },
      ],
    ];
  });
}
