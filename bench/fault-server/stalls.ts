import { monoMs } from '../mono.ts';
import type { Edge } from './messages.ts';

const tickMs = 5;
/** Shorter stalls, ms, are within the normal delays of the machine. */
const stallMs = 10;

/**
 * Reports each stall of this process: it did not get the CPU, so it answered no request. Such an outage is real, but not in the
 * script.
 */
export function watchStalls(report: (stall: Edge) => void): void {
  let dueMs = monoMs() + tickMs;
  setInterval(() => {
    const nowMs = monoMs();
    if (nowMs - dueMs >= stallMs) report({ loMs: dueMs, hiMs: nowMs });
    dueMs = nowMs + tickMs;
  }, tickMs);
}
