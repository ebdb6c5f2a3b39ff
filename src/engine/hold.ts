import type { Sample } from '../core/sample.ts';

/** Conditions that are followed, sample by sample. */
export interface Hold {
  /** Since when all have held without a break, as far as was looked; ms on the run clock. Undefined while they do not. */
  readonly sinceMs: number | undefined;
  /** What a sample showed not to hold since the last `startAgain`, in words; undefined while none did. */
  readonly lost: readonly string[] | undefined;
  /** What does not hold, or did not since the last look, in words; starts counting where nothing is missing. */
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
}

/**
 * Follows conditions. Each sample counts, also one that a later one has overtaken and one that is followed by a good one
 * before anybody looks. A time-out says "down since it was sent", so one that was sent before the hold does not break it;
 * every other bad answer says "down at some moment until it arrived", and does.
 */
export function followHold(options: HoldOptions): Hold {
  const { probeIds, follow, unmet, unmetBy, brokenBy, nowMs } = options;
  let sinceMs: number | undefined;
  let lost: readonly string[] | undefined;
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
    if (broken.length > 0) lost ??= broken;
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
