import { durationText, limitText } from '../core/format-duration.ts';
import { maxOf } from '../core/extremes.ts';
import { staleAfterMs } from '../core/freshness.ts';
import type { HostName } from '../core/ids.ts';
import type { MarkSource } from '../core/plan.ts';
import { seriesOf } from './intervals.ts';
import { type CheckOf, type Evidence, isComplete, type Outcome, undrilled, unmeasured } from './outcome.ts';
import { type ProbeSeries, type RunLog, watchedUntil } from './run-log.ts';
import type { Moment } from './moment.ts';
import { listText } from './format.ts';
import { distantPast, type DurationMs, earliest, type RunMs } from '../core/time.ts';

/** A mark of a change or of a delivery. */
interface Notice {
  readonly atMs: RunMs;
  /** Bounds of `atMs`. */
  readonly minMs: RunMs;
  readonly maxMs: RunMs;
  readonly host: HostName;
  /** The mark's value, or its name if it has no value. */
  readonly what: string;
}

/** How much earlier than its change a delivery may be stamped, ms: the clocks of two hosts stamp them. */
const clockSlackMs = 1000;
/** Findings that a line names; the rest is counted. */
const maxReportedFindings = 3;

/** In order of time. */
function noticesOf(log: RunLog, source: MarkSource): readonly Notice[] {
  return log.marks.flatMap((mark) => {
    const probe = log.series.get(mark.probe)?.probe;
    return probe?.name === source.probe && source.marks.includes(mark.name)
      ? [
          {
            atMs: mark.atMs,
            minMs: mark.minMs ?? mark.atMs,
            maxMs: mark.maxMs ?? mark.atMs,
            host: mark.host ?? probe.host ?? '',
            what: mark.value ?? mark.name,
          },
        ]
      : [];
  });
}

/** A change and its delivery. */
interface Pair {
  readonly change: Notice;
  readonly delivery: Notice;
}

function canBe(delivery: Notice, change: Notice): boolean {
  return delivery.what === change.what && delivery.maxMs >= change.minMs - clockSlackMs;
}

function latencyOf({ change, delivery }: Pair): number {
  return Math.max(0, delivery.atMs - change.atMs);
}

/** Bounds of the latency, ms. */
function latencyBounds({ change, delivery }: Pair): {
  readonly minMs: DurationMs;
  readonly maxMs: DurationMs;
} {
  return {
    minMs: Math.max(0, delivery.minMs - change.maxMs),
    maxMs: Math.max(0, delivery.maxMs - change.minMs),
  };
}

/** The best matching found so far, as a linked list: longer matchings share their tails. */
interface Matching {
  readonly count: number;
  readonly totalMs: DurationMs;
  readonly pair?: Pair;
  readonly rest?: Matching;
}

/**
 * Assigns deliveries to changes: as many pairs as possible with both in order, and of these matchings the one with
 * the shortest total latency. A duplicate or misordered delivery then stays unmatched, and its neighbors do not.
 */
function matched(changes: readonly Notice[], deliveries: readonly Notice[]): readonly Pair[] {
  const none: Matching = { count: 0, totalMs: 0 };
  // after[j]: the best matching of the changes after the current one with deliveries j and later.
  let after: Matching[] = Array.from({ length: deliveries.length + 1 }, () => none);
  for (const change of changes.toReversed()) {
    const row = [...after];
    for (let j = deliveries.length - 1; j >= 0; j--) {
      const delivery = deliveries[j];
      let best = better(after[j] ?? none, row[j + 1] ?? none);
      if (delivery !== undefined && canBe(delivery, change)) {
        const rest = after[j + 1] ?? none;
        const pair = { change, delivery };
        best = better({ count: rest.count + 1, totalMs: rest.totalMs + latencyOf(pair), pair, rest }, best);
      }
      row[j] = best;
    }
    after = row;
  }
  const pairs: Pair[] = [];
  for (let link = after[0]; link?.pair !== undefined; link = link.rest) pairs.push(link.pair);
  return pairs;
}

function better(a: Matching, b: Matching): Matching {
  return a.count > b.count || (a.count === b.count && a.totalMs < b.totalMs) ? a : b;
}

/** A problem with one change or delivery. */
interface Finding {
  readonly atMs: RunMs;
  readonly status: 'fail' | 'inconclusive';
  readonly words: string;
}

/** The longest time from a change to its delivery, with its bounds; ms. */
interface SlowestDelivery {
  readonly ms: DurationMs;
  readonly minMs: DurationMs;
  readonly maxMs: DurationMs;
}

/** Inputs of the findings. */
interface Frame {
  readonly log: RunLog;
  readonly check: CheckOf<'delivered'>;
  readonly effect: Moment;
  /** Send time of the last successful sample of the deliveries' probe, ms. */
  readonly seenUntilMs: RunMs;
}

/** Findings on one host's changes and deliveries. Those before the fault serve only as partners in pairs. */
function findingsOf(
  changes: readonly Notice[],
  deliveries: readonly Notice[],
  frame: Frame,
): { readonly findings: readonly Finding[]; readonly slowest: SlowestDelivery } {
  const { check, effect } = frame;
  const pairs = matched(changes, deliveries);
  const left = new Set(deliveries.filter((d) => !pairs.some((p) => p.delivery === d)));
  const findings: Finding[] = [];
  const since = (n: Notice) => `${durationText(Math.max(0, n.atMs - effect.ms))} after the fault`;
  const name = (n: Notice) => `${n.what} of ${n.host}`;
  const find = (status: Finding['status'], of: Notice, words: string) => {
    if (of.atMs >= effect.loMs) findings.push({ atMs: of.atMs, status, words });
  };
  for (const change of changes.filter((c) => !pairs.some((p) => p.change === c))) {
    const stray = [...left].find((d) => canBe(d, change));
    if (stray !== undefined) {
      left.delete(stray);
      const over = pairs.find((p) => p.change.atMs > change.atMs === p.delivery.atMs < stray.atMs);
      const wrong = over === undefined ? 'out of order' : order(over, change);
      find('fail', change, `${name(change)}, ${since(change)}, was delivered ${wrong}`);
    } else if (frame.seenUntilMs - change.atMs < check.withinMs) {
      const rest = durationText(Math.max(0, frame.seenUntilMs - change.atMs));
      find(
        'inconclusive',
        change,
        `${name(change)}, ${since(change)}, was not delivered before the last successful sample of deliveries, ${rest} later`,
      );
    } else {
      find(
        'fail',
        change,
        `${name(change)}, ${since(change)}, was not delivered within ${limitText(check.withinMs)}`,
      );
    }
  }
  for (const pair of pairs) {
    const { minMs, maxMs } = latencyBounds(pair);
    const delivered = `${name(pair.change)}, ${since(pair.change)}, was delivered`;
    const limit = `within ${limitText(check.withinMs)}`;
    if (minMs > check.withinMs)
      find('fail', pair.change, `${delivered} ${durationText(latencyOf(pair))} later, not ${limit}`);
    else if (maxMs > check.withinMs)
      find(
        'inconclusive',
        pair.change,
        `${delivered} between ${durationText(minMs)} and ${durationText(maxMs)} later: the limit of ${limitText(check.withinMs)} lies within these bounds`,
      );
  }
  for (const delivery of left) {
    const again = changes.findLast((c) => canBe(delivery, c));
    if (again !== undefined)
      find('fail', delivery, `${name(again)}, ${since(again)}, was delivered again ${since(delivery)}`);
    else if (isBlind(delivery, frame))
      find(
        'inconclusive',
        delivery,
        `${name(delivery)} was delivered ${since(delivery)}, while ${check.changes.probe} had no successful sample`,
      );
    else
      find('fail', delivery, `${name(delivery)} was delivered ${since(delivery)} without a matching change`);
  }
  const judged = pairs.filter((p) => p.change.atMs >= effect.loMs);
  return {
    findings,
    slowest: {
      ms: maxOf(judged.map(latencyOf), 0),
      minMs: maxOf(
        judged.map((pair) => latencyBounds(pair).minMs),
        0,
      ),
      maxMs: maxOf(
        judged.map((pair) => latencyBounds(pair).maxMs),
        0,
      ),
    },
  };
}

function order(over: Pair, change: Notice): string {
  return over.change.atMs > change.atMs
    ? `after ${over.change.what}, which happened later`
    : `before ${over.change.what}, which happened earlier`;
}

/**
 * Whether the host's change may be missing from the log: the first sample of its changes after the
 * delivery did not succeed.
 */
function isBlind(delivery: Notice, { log, check }: Frame): boolean {
  const series = seriesOf(log, check.changes).filter(
    (s) => s.probe.host === undefined || s.probe.host === delivery.host,
  );
  return series.some((s) => s.samples.find((x) => x.sendMs >= delivery.atMs)?.status !== 'ok');
}

/**
 * Send time of the last successful sample, ms: everything logged by then was read. -Infinity: no
 * sample succeeded.
 */
function readUntilMs(series: ProbeSeries): RunMs {
  return series.samples.findLast((s) => s.status === 'ok')?.sendMs ?? distantPast;
}

/** Instances without a recent successful sample at the end: their later marks are unknown. */
function unread(log: RunLog, source: MarkSource): readonly string[] {
  const endMs = watchedUntil(log);
  return seriesOf(log, source).flatMap((s) =>
    endMs - readUntilMs(s) > staleAfterMs(s)
      ? [`${s.probe.id} had no successful sample at the end of the run`]
      : [],
  );
}

/** Whether each change was delivered exactly once, in order for its host, in time. */
export function deliveredCheck(check: CheckOf<'delivered'>, { log, recovery }: Evidence): Outcome {
  const { changes: source, deliveries: target, withinMs } = check;
  const limit = `each once, in order, within ${limitText(withinMs)}`;
  if (recovery === null) return undrilled(limit);
  const { effect } = recovery;
  const changes = noticesOf(log, source);
  const deliveries = noticesOf(log, target);
  const seenUntilMs = earliest(...seriesOf(log, target).map(readUntilMs));
  const hosts = [...new Set([...changes, ...deliveries].map((n) => n.host))];
  const results = hosts.map((host) =>
    findingsOf(
      changes.filter((c) => c.host === host),
      deliveries.filter((d) => d.host === host),
      { log, check, effect, seenUntilMs },
    ),
  );
  const findings = results.flatMap((r) => r.findings).sort((a, b) => a.atMs - b.atMs);
  const failed = findings.filter((f) => f.status === 'fail');
  const reported = failed.length > 0 ? failed : findings;
  const count = changes.filter((c) => c.atMs >= effect.loMs).length;
  const counted = `${count} change${count === 1 ? '' : 's'}`;
  if (reported.length > 0) {
    const more =
      reported.length > maxReportedFindings ? `; ${reported.length - maxReportedFindings} more` : '';
    const words = `${reported
      .slice(0, maxReportedFindings)
      .map((f) => f.words)
      .join('; ')}${more}`;
    const status = failed.length > 0 ? 'fail' : 'inconclusive';
    return { status, observed: `${counted}: ${words}`, limit, reason: words };
  }
  const blind = [...unread(log, source), ...unread(log, target)];
  if (blind.length > 0) return unmeasured(`${counted}, each delivered once so far`, limit, listText(blind));
  if (!isComplete(log))
    return unmeasured(
      `${counted} until the log ends, each delivered once`,
      limit,
      'the run was cut short: later deliveries are unknown',
    );
  if (count === 0)
    return unmeasured(
      'no change observed',
      limit,
      `${source.probe} observed no change after the fault, so there was nothing to deliver`,
    );
  const largest = (of: keyof SlowestDelivery): number => Math.max(...results.map((r) => r.slowest[of]));
  const measured = { ms: largest('ms'), minMs: largest('minMs'), maxMs: largest('maxMs') };
  return {
    status: 'pass',
    observed: `${counted}, each delivered once, the slowest after ${durationText(measured.ms)}`,
    limit,
    measured,
    reason: null,
  };
}
