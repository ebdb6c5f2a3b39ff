import type { Sample } from '../core/sample.ts';

/** A sample showed that conditions do not hold. */
export interface Lost {
  /** When it arrived, run clock. */
  readonly atMs: number;
  /** The conditions, in words with what is seen instead. */
  readonly unmet: readonly string[];
}

/** Conditions that are followed, sample by sample. */
export interface Hold {
  /** Since when all have held without a break, as of the last check; ms on the run clock. Undefined while they do not. */
  readonly sinceMs: number | undefined;
  /** The first sample since the last `startAgain` that showed that a condition does not hold; undefined while none did. */
  readonly lost: Lost | undefined;
  /** The conditions that do not hold, or did not at some moment since the last check, in words. Starts counting when none is left. */
  look(): readonly string[];
  /** From now on nothing has held yet. */
  startAgain(): void;
  /** Follows no more. */
  end(): void;
}

/** What a hold follows. */
export interface HoldOptions {
  /** The instances that the conditions speak of. */
  readonly probeIds: ReadonlySet<string>;
  readonly follow: (listener: (sample: Sample) => void) => () => void;
  /** What does not hold now. */
  readonly unmet: () => readonly string[];
  /** What would not hold with this sample in place of the latest of its instance. */
  readonly unmetBy: (sample: Sample) => readonly string[];
  /** The same, of what does not hold whatever is unknown. */
  readonly brokenBy: (sample: Sample) => readonly string[];
  readonly nowMs: () => number;
  /** Everything held at this moment: a time-out of what was sent since then counts. By default nothing has held yet. */
  readonly fromMs?: number;
  /** Called when `lost` is set. */
  readonly onLost?: () => void;
}

/**
 * Follows conditions. Each sample counts, also one that a later one has overtaken and one that is followed by a good one
 * before the next check. A time-out says "down since it was sent", so one that was sent before the hold does not break it;
 * every other bad answer says "down at some moment until it arrived", and does.
 */
export function followHold(options: HoldOptions): Hold {
  const { probeIds, follow, unmet, unmetBy, brokenBy, nowMs, onLost } = options;
  let sinceMs = options.fromMs;
  let lost: Lost | undefined;
  let missed: readonly string[] = [];
  const end = follow((sample) => {
    if (!probeIds.has(sample.probe)) return;
    const missing = unmetBy(sample);
    if (missing.length === 0) return;
    const sentBefore = sinceMs !== undefined && sample.sendMs < sinceMs;
    // A later answer of the instance says that the conditions hold.
    if (sample.cause === 'timeout' && sentBefore && unmet().length === 0) return;
    sinceMs = undefined;
    missed = missing;
    const broken = brokenBy(sample);
    if (broken.length === 0 || lost !== undefined) return;
    lost = { atMs: nowMs(), unmet: broken };
    onLost?.();
  });
  return {
    get sinceMs() {
      return sinceMs;
    },
    get lost() {
      return lost;
    },
    look() {
      const missing = missed.length > 0 ? missed : unmet();
      missed = [];
      if (missing.length > 0) sinceMs = undefined;
      else sinceMs ??= nowMs();
      return missing;
    },
    startAgain() {
      sinceMs = undefined;
      lost = undefined;
    },
    end,
  };
}
