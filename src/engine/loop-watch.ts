import { type DurationMs, later, type RunMs } from '../core/time.ts';
import type { Timers } from './schedule.ts';

/** How late this thread's event loop runs, measured by its own ticks. */
export interface LoopWatch {
  /** Longest stall that overlaps [fromMs, now], ms; 0 if there was none of at least `stallMs`. */
  stallSince(fromMs: RunMs): DurationMs;
  /** Lateness of the ticks since the last call, ms. */
  take(): { readonly maxMs: DurationMs; readonly p99Ms: DurationMs };
  stop(): void;
}

const tickMs = 20;
/** A shorter delay of the loop does not matter for latencies, ms. */
const stallMs = 50;
/** How long stalls are kept, ms. No sample lasts longer. */
const rememberMs = 60_000;

/**
 * Watches this thread's event loop. Replies are read late while the loop is busy, or while the process gets no
 * CPU time. The target did not cause that delay. monitorEventLoopDelay() reports the
 * length of stalls, but not their times.
 *
 * @param onTick called on each tick: 50 times per second while the loop is on time
 */
export function watchLoop(nowMs: () => RunMs, timers: Timers, onTick = (): void => {}): LoopWatch {
  let dueMs = later(nowMs(), tickMs);
  let lateness: number[] = [];
  let stalls: { readonly fromMs: RunMs; readonly toMs: RunMs }[] = [];
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
    dueMs = later(now, tickMs);
    timer = timers.setTimeout(tick, tickMs);
    if (stopped) timers.clearTimeout(timer);
  };
  let timer = timers.setTimeout(tick, tickMs);

  return {
    stallSince: (fromMs) => {
      const now = nowMs();
      if (stalls.length === 0 && now - dueMs < stallMs) return 0;
      // A tick may be overdue now: the calling callback runs before it in the same late turn.
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
