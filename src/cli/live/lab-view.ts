import { runningText } from '../../core/format-duration.ts';
import type { DurationMs } from '../../core/time.ts';
import type { LabEvent } from '../../lab/lab-context.ts';
import { type Line, type Size, type Span, spinner } from './line.ts';

/** Running steps of the lab by name, in the order of their start. */
export type LabState = ReadonlyMap<string, LabStep>;

/** A running step; times are on the caller's clock, ms. */
export interface LabStep {
  readonly text: string;
  readonly sinceMs: number;
  /** Longest duration, if known, ms. */
  readonly limitMs?: DurationMs;
  readonly count?: { readonly done: number; readonly of: number };
  /** The last output of the step's command. */
  readonly output?: string;
}

/** The running steps after an event at `nowMs`. */
export function reduceLab(state: LabState, event: LabEvent, nowMs: number): LabState {
  const { step } = event;
  if (event.state === 'start') {
    const { text, limitMs } = event;
    return new Map(state).set(step, { text, sinceMs: nowMs, ...(limitMs === undefined ? {} : { limitMs }) });
  }
  const known = state.get(step);
  if (known === undefined || event.state === 'info') return state;
  if (event.state === 'done') return new Map([...state].filter(([name]) => name !== step));
  if (event.state === 'output') return new Map(state).set(step, { ...known, output: event.text });
  return new Map(state).set(step, { ...known, count: { done: event.done, of: event.of } });
}

/** A line for each step and, if there is room, the last output of its command. */
export function labLines(state: LabState, nowMs: number, { rows }: Pick<Size, 'rows'>): readonly Line[] {
  const steps = [...state.values()];
  const hasRoom = 2 * steps.length < rows - 1;
  return steps.flatMap(({ text, sinceMs, limitMs, count, output }): Line[] => {
    const head: Span[] = [
      { text: `  ${spinner(nowMs)} `, style: 'cyan' },
      { text: `${runningText(nowMs - sinceMs).padStart(8)}  ${text}` },
    ];
    if (count !== undefined) head.push({ text: `  ${count.done}/${count.of}`, style: 'bold' });
    if (limitMs !== undefined)
      head.push({ text: `  ${runningText(sinceMs + limitMs - nowMs)} left`, style: 'dim' });
    return output === undefined || !hasRoom
      ? [head]
      : [head, [{ text: `              ${output}`, style: 'dim' }]];
  });
}
