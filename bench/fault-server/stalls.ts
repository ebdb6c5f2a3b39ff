import { monoMs } from '../mono.ts';
import type { Edge } from './messages.ts';

const tickMs = 5;
/** A server held up for less than this is within what the machine's clocks and processes cost anyway. */
const stallMs = 10;

/**
 * Tells of each time in which this process answered nobody because it did not get the CPU: what tools see of it is
 * true, and not in the script.
 */
export function watchStalls(tell: (stall: Edge) => void): void {
  let dueMs = monoMs() + tickMs;
  setInterval(() => {
    const nowMs = monoMs();
    if (nowMs - dueMs >= stallMs) tell({ loMs: dueMs, hiMs: nowMs });
    dueMs = nowMs + tickMs;
  }, tickMs);
}
