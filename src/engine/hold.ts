import type { ProbeId } from '../core/ids.ts';
import type { Sample } from '../core/sample.ts';
import type { RunMs } from '../core/time.ts';

/** A sample showed that conditions do not hold. */
export interface Lost {
  /** When it arrived, run clock. */
  readonly atMs: RunMs;
  /** The failed conditions in words, with the observed values. */
  readonly unmet: readonly string[];
}

/** Tracks whether conditions hold, sample by sample. */
export interface Hold {
  /**
   * Since when all conditions have held without interruption, as of the last check; ms on the run clock.
   * Undefined while they do not.
   */
  readonly sinceMs: RunMs | undefined;
  /**
   * The first sample since the last `startAgain` that showed that a condition does not hold; undefined if
   * there is none.
   */
  readonly lost: Lost | undefined;
  /**
   * Checks the conditions. Returns those that do not hold, or did not hold at some moment since the last
   * check, in words. If there are none, `sinceMs` is set.
   */
  check(): readonly string[];
  /** Restarts the hold: no condition has held yet. */
  startAgain(): void;
  /** Ends the tracking. */
  end(): void;
}

/** Inputs of a hold. */
export interface HoldOptions {
  /** The probe instances that the conditions read. */
  readonly probeIds: ReadonlySet<ProbeId>;
  readonly follow: (listener: (sample: Sample) => void) => () => void;
  /** The conditions that do not hold now. */
  readonly unmet: () => readonly string[];
  /** The conditions that would not hold if this sample were the latest of its instance. */
  readonly unmetBy: (sample: Sample) => readonly string[];
  /** The conditions that this sample disproves, whatever the unknown values are. */
  readonly brokenBy: (sample: Sample) => readonly string[];
  readonly nowMs: () => RunMs;
  /**
   * All conditions held at this moment, so a timeout of a sample sent after it counts. Default: no condition
   * has held yet.
   */
  readonly fromMs?: RunMs;
  /** Called when `lost` is set. */
  readonly onLost?: () => void;
}

/**
 * Tracks conditions. Each sample counts, also if a later sample arrived before it or a good sample follows
 * before the next check. A timeout shows an outage from its send time on, so a timeout sent before the hold
 * does not break it. Any other bad answer shows an outage at some moment before it arrived, and breaks the
 * hold.
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
    // A later answer of the instance shows that the conditions hold.
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
    check() {
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
