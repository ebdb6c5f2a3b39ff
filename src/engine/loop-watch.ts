import type { Timers } from './schedule.ts';

/** How late the event loop of this thread ran, from ticks of its own. */
export interface LoopWatch {
  /** Longest stall that reaches into [fromMs, now], ms; 0 if there was none worth telling. */
  stallSince(fromMs: number): number;
  /** Lateness of the ticks since the last call, ms. */
  take(): { readonly maxMs: number; readonly p99Ms: number };
  stop(): void;
}

const tickMs = 20;
/** A loop this late has held up replies for long enough to be seen in latencies. */
const stallMs = 50;
/** No look lasts longer than its stalls are remembered. */
const rememberMs = 60_000;

/**
 * Watches this thread's event loop: replies that arrive while it is busy, or
 * while the process does not get the CPU, are seen late through no fault of the
 * target. monitorEventLoopDelay() would tell how long stalls were, but not when.
 *
 * @param onTick called on each tick: 50 times a second, while the loop is on time
 */
export function watchLoop(nowMs: () => number, timers: Timers, onTick = (): void => {}): LoopWatch {
  let dueMs = nowMs() + tickMs;
  let lateness: number[] = [];
  let stalls: { readonly fromMs: number; readonly toMs: number }[] = [];
  let stopped = false;

  const tick = (): void => {
    const now = nowMs();
    const lateMs = Math.max(0, now - dueMs);
    lateness.push(lateMs);
    if (lateMs >= stallMs) {
      stalls = stalls.filter((stall) => stall.toMs > now - rememberMs);
      stalls.push({ fromMs: dueMs, toMs: now });
    }
    onTick();
    dueMs = now + tickMs;
    timer = timers.setTimeout(tick, tickMs);
    if (stopped) timers.clearTimeout(timer);
  };
  let timer = timers.setTimeout(tick, tickMs);

  return {
    stallSince: (fromMs) => {
      const now = nowMs();
      if (stalls.length === 0 && now - dueMs < stallMs) return 0;
      // A tick that is overdue right now: the callback that asks runs before it, on the same late turn.
      const current = now - dueMs >= stallMs ? [{ fromMs: dueMs, toMs: now }] : [];
      return [...stalls, ...current]
        .filter((stall) => stall.toMs > fromMs)
        .reduce((longest, stall) => Math.max(longest, stall.toMs - Math.max(stall.fromMs, fromMs)), 0);
    },
    take: () => {
      const sorted = lateness.sort((a, b) => a - b);
      lateness = [];
      const maxMs = Math.max(sorted.at(-1) ?? 0, nowMs() - dueMs);
      return { maxMs, p99Ms: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? maxMs };
    },
    stop: () => {
      stopped = true;
      timers.clearTimeout(timer);
    },
  };
}
