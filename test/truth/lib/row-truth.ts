import type { Commit, Database, KnownWrite } from './database.ts';
import { holdingOneHidden, type Truth } from './recovery-truth.ts';
import { contains, joined, lengthOf, type Span } from './spans.ts';

/** An acknowledged row, and the time of its commit. */
type Acked = KnownWrite & Pick<Commit, 'atMs'>;

/** The true figures of a writer's rows. */
export interface RowTruth {
  /** Number of lost acknowledged rows. */
  readonly lost: number;
  readonly rpo: Truth;
  readonly staleFor: Truth;
  /** As `staleFor`, but the bounds may omit stale times that no read met. */
  readonly staleSeen: Truth;
}

/** Computes the true figures from the database's history. */
export function rowTruth(database: Database): RowTruth {
  const acked = ackedOf(database);
  const isLost = ({ atMs }: Acked): boolean => database.losses.some((loss) => contains(loss, atMs));
  const lost = acked.filter(isLost);
  const staleSeen = staleTruth(
    database,
    acked.filter((row) => !isLost(row)),
  );
  return {
    lost: lost.length,
    rpo: rpoTruth(database.losses, lost),
    staleFor: holdingOneHidden(staleSeen),
    staleSeen,
  };
}

function ackedOf({ writes, commits }: Database): readonly Acked[] {
  const committed = new Map(commits.map(({ client, number, atMs }) => [`${client}/${number}`, atMs]));
  return writes.flatMap((write) => {
    const atMs = committed.get(`${write.client}/${write.number}`);
    return write.outcome === 'acked' && atMs !== undefined ? [{ ...write, atMs }] : [];
  });
}

/** The time from the start of the first loss of an acknowledged row to the end of the last one. */
function rpoTruth(losses: readonly Span[], lost: readonly Acked[]): Truth {
  const felt = losses.filter((loss) => lost.some(({ atMs }) => contains(loss, atMs)));
  if (felt.length === 0) return { full: 0, least: 0, most: 0, withLongestHidden: 0 };
  const full = Math.max(...felt.map(({ toMs }) => toMs)) - Math.min(...felt.map(({ fromMs }) => fromMs));
  const times = lost.map(({ atMs }) => atMs);
  // The lost rows show only the time between the first and the last of them: no row was written at the edges of the loss.
  const least = Math.max(...times) - Math.min(...times);
  return { full, least, most: full, withLongestHidden: least };
}

/** The time in which reads miss a row that was acknowledged before and is not lost. */
function staleTruth({ pauses, readAtMs }: Database, kept: readonly Acked[]): Truth {
  const stale = pauses.flatMap((pause): Span[] => {
    const missed = kept.filter(({ atMs, finishMs }) => atMs > pause.fromMs && finishMs < pause.toMs);
    const fromMs = Math.min(...missed.map(({ finishMs }) => finishMs));
    return fromMs < pause.toMs ? [{ fromMs, toMs: pause.toMs }] : [];
  });
  const isMet = (span: Span): boolean => readAtMs.some((ms) => contains(span, ms));
  const full = lengthOf(stale);
  const least = lengthOf(stale.filter(isMet));
  const most = lengthOf(joined(stale, (gap) => !isMet(gap)));
  const longestHidden = Math.max(0, ...stale.filter((s) => !isMet(s)).map((s) => lengthOf([s])));
  return { full, least, most, withLongestHidden: least + longestHidden };
}
