import type { KnownRun } from './known-run.ts';
import type { SentSample } from './prober.ts';
import { contains, joined, type Span, spansOf } from './spans.ts';

/**
 * The outages of one probe's service: the true ones, and the fewest and the most that the samples leave possible. The analysis
 * may find or miss a change that no sample met.
 */
export interface Outages {
  readonly full: readonly Span[];
  /** Without the outages that no sample met. */
  readonly least: readonly Span[];
  /** Two outages are one if no sample met the service up between them. */
  readonly most: readonly Span[];
  /** `least` with the longest of the outages that no sample met. */
  readonly withLongestHidden: readonly Span[];
  /** The send time of the first sample that met the outage; the key is the start of the outage. */
  readonly metFromMs: ReadonlyMap<number, number>;
}

/** The times at which samples met the service up or down. */
interface Met {
  readonly upMs: readonly number[];
  readonly downMs: readonly number[];
  /** The send time of the sample that met the service down, in the order of `downMs`. */
  readonly downSentMs: readonly number[];
}

/** The outages of a probe's service until the end of the log. An answer that took longer than `lateMs` shows an outage. */
export function outagesOf(known: KnownRun, probe: string, lateMs: number): Outages {
  const full = spansOf(known.changes.get(probe) ?? [], false, known.endMs);
  const { upMs, downMs, downSentMs } = metBy(
    known.sent.filter(({ sample }) => sample.probe === probe),
    lateMs,
  );
  const isMet = (outage: Span): boolean => downMs.some((ms) => contains(outage, ms));
  const least = full.filter(isMet);
  const [longest] = full.filter((o) => !isMet(o)).sort((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs));
  return {
    full,
    least,
    most: joined(full, (gap) => !upMs.some((ms) => contains(gap, ms))),
    metFromMs: new Map(
      full.flatMap((outage) => {
        const sentMs = downSentMs.filter((_, i) => contains(outage, downMs[i] ?? -Infinity));
        return sentMs.length === 0 ? [] : [[outage.fromMs, Math.min(...sentMs)] as const];
      }),
    ),
    withLongestHidden: longest === undefined ? least : full.filter((o) => o === longest || least.includes(o)),
  };
}

function metBy(sent: readonly SentSample[], lateMs: number): Met {
  const upMs: number[] = [];
  const downMs: number[] = [];
  const downSentMs: number[] = [];
  for (const { sample, evidence, isLogged } of sent) {
    if (!isLogged || sample.status === 'unknown') continue;
    const down = evidence.filter(({ isUp }) => !isUp).map(({ atMs }) => atMs);
    const found: number[] = [];
    if (sample.status === 'ok') {
      upMs.push(...evidence.flatMap(({ atMs, isUp }) => (isUp ? [atMs] : [])));
      // The target did not cause the time in which the prober itself was stalled.
      const heldMs = sample.finishMs - sample.sendMs - (sample.stallMs ?? 0);
      if (heldMs > lateMs) found.push(...down.slice(0, 1));
    } else {
      found.push(...down.slice(0, 1));
      if (sample.cause !== 'timeout') found.push(...down.slice(-1));
    }
    downMs.push(...found);
    downSentMs.push(...found.map(() => sample.sendMs));
  }
  return { upMs, downMs, downSentMs };
}
