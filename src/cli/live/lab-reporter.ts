import { durationText } from '../../core/format-duration.ts';
import type { LabEvent } from '../../lab/lab-context.ts';
import type { Output } from '../output.ts';
import { labLines, type LabState, reduceLab } from './lab-view.ts';

/** Prints a line for the start and for the end of each step. With a live view, running steps are in its block instead. */
export function labReporter(output: Pick<Output, 'progress' | 'live'>): (event: LabEvent) => void {
  const { live } = output;
  let steps: LabState = new Map();
  let hide: (() => void) | undefined;
  return (event) => {
    if (live !== undefined) {
      steps = reduceLab(steps, event, performance.now());
      if (steps.size > 0) hide ??= live.show((size) => labLines(steps, performance.now(), size));
    }
    const line = lineOf(event, live !== undefined);
    if (line !== undefined) output.progress(line);
    if (steps.size > 0) return;
    hide?.();
    hide = undefined;
  };
}

function lineOf(event: LabEvent, isLive: boolean): string | undefined {
  switch (event.state) {
    case 'start':
      return isLive ? undefined : `  ${event.text} ...`;
    case 'info':
      return `  ${event.step}: ${event.text}`;
    case 'done':
      return `  ${isLive ? '✓ ' : ''}${event.step}: ${event.text} (${durationText(event.elapsedMs)})`;
    case 'output':
    case 'count':
      return undefined;
  }
}
