import { runningWords } from '../../core/format-duration.ts';
import type { Clock } from '../../core/clock.ts';
import type { EventLog } from '../../engine/event-log.ts';
import { type Line, spinner } from './line.ts';
import { nothingYet, reduce } from './state.ts';
import type { Live } from './terminal.ts';
import { drillLines } from './view.ts';

/** Shows a run as its events come, where there is a live view; returns what takes it away. */
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

/** Shows that something is waited for, at most so long; returns what takes it away. */
export function showWait(live: Live | undefined, text: string, withinMs: number): () => void {
  if (live === undefined) return () => {};
  const sinceMs = performance.now();
  return live.show((): Line[] => {
    const nowMs = performance.now();
    const left = `, ${runningWords(sinceMs + withinMs - nowMs)} left`;
    return [
      [
        { text: `${spinner(nowMs)} `, style: 'cyan' },
        { text: `${runningWords(nowMs - sinceMs)}  ${text}` },
        { text: left, style: 'dim' },
      ],
    ];
  });
}
