import type { Edge, OutageKind, TrueOutage } from './fault-server/messages.ts';

/** One outage as a tool reports it. Times are on the clock of `monoMs`, durations in ms. */
export interface ReportedWindow {
  /** The outage is between these times, according to the tool. */
  readonly fromMs: number;
  readonly toMs: number;
  /** The reported length. */
  readonly ms: number;
  /** The reported bounds; absent for tools without bounds. */
  readonly bounds?: {
    readonly start: Edge;
    readonly end: Edge;
    readonly minMs: number;
    readonly maxMs: number;
  };
}

/** One outage compared with a tool's report, ms. */
export interface Judged {
  readonly kind: OutageKind;
  /** The true length: the middle of the fault server's bounds. */
  readonly trueMs: number;
  /** Number of windows that the tool reports for it; 0: missed. */
  readonly windows: number;
  readonly reportedMs: number;
  /** Reported length minus true length. */
  readonly errorMs: number;
  /** Whether the bounds of both edges and of the length contain the true values; null without bounds. */
  readonly held: boolean | null;
  /** Half the distance between the bounds of the length; null without bounds. */
  readonly halfWidthMs: number | null;
}

/** The result of a tool for one target. */
export interface Verdict {
  readonly outages: readonly Judged[];
  /** Windows without an outage or a stall of the server. */
  readonly strays: number;
}

/** The real outages of one target. */
export interface Truth {
  readonly outages: readonly TrueOutage[];
  /** Stalls of its server. */
  readonly stalls: readonly Edge[];
}

/**
 * Compares a tool's report on one target with the real outages. A window belongs to the outage that it overlaps. `slackMs`: the
 * largest error of the tool's timestamps.
 */
export function judge(truth: Truth, reported: readonly ReportedWindow[], slackMs: number): Verdict {
  const matched = new Set<ReportedWindow>();
  const outages = truth.outages.flatMap((outage) => {
    const span = { loMs: outage.start.loMs, hiMs: outage.end.hiMs };
    const own = reported.filter((window) => overlaps(window, span, slackMs));
    for (const window of own) matched.add(window);
    return isStalled(truth, outage) ? [] : judgeOne(outage, own);
  });
  const others = reported.filter((window) => !matched.has(window));
  return {
    outages,
    strays: others.filter((window) => !truth.stalls.some((stall) => overlaps(window, stall, slackMs))).length,
  };
}

/** Whether the server was stalled around an edge of the outage, so that the visible outage differs from the script. */
export function isStalled({ stalls }: Pick<Truth, 'stalls'>, { start, end }: TrueOutage): boolean {
  return [start, end].some((edge) =>
    stalls.some(({ loMs, hiMs }) => loMs <= edge.hiMs + aroundMs && hiMs >= edge.loMs - aroundMs),
  );
}

/** A stall within this distance of an edge shifts the visible edge. */
const aroundMs = 50;

function overlaps({ fromMs, toMs }: ReportedWindow, { loMs, hiMs }: Edge, slackMs: number): boolean {
  return fromMs - slackMs <= hiMs && toMs + slackMs >= loMs;
}

function judgeOne(outage: TrueOutage, own: readonly ReportedWindow[]): Judged {
  const { trueMs } = lengthOf(outage);
  const reportedMs = sum(own, (window) => window.ms);
  const bounds = own.flatMap((window) => window.bounds ?? []);
  const [first] = bounds;
  const last = bounds.at(-1);
  const reported = {
    kind: outage.kind,
    trueMs,
    windows: own.length,
    reportedMs,
    errorMs: reportedMs - trueMs,
  };
  if (first === undefined || last === undefined) return { ...reported, held: null, halfWidthMs: null };
  const minMs = sum(bounds, (b) => b.minMs);
  const maxMs = sum(bounds, (b) => b.maxMs);
  const shortestMs = outage.end.loMs - outage.start.hiMs;
  const longestMs = outage.end.hiMs - outage.start.loMs;
  return {
    ...reported,
    held:
      meets(first.start, outage.start) &&
      meets(last.end, outage.end) &&
      minMs <= longestMs &&
      maxMs >= shortestMs,
    halfWidthMs: (maxMs - minMs) / 2,
  };
}

/** The length of an outage: the middle of the fault server's bounds. */
export function lengthOf({ start, end }: TrueOutage): Pick<Judged, 'trueMs'> {
  return { trueMs: (end.loMs + end.hiMs - start.loMs - start.hiMs) / 2 };
}

/** Whether bounds overlap the bounds of the true edge. */
function meets(bounds: Edge, truth: Edge): boolean {
  return bounds.loMs <= truth.hiMs && bounds.hiMs >= truth.loMs;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** Errors over outages, ms. */
export interface ErrorFigures {
  readonly outages: number;
  readonly found: number;
  readonly lowestMs: number;
  readonly medianMs: number;
  readonly highestMs: number;
  /** The largest absolute error. */
  readonly worstMs: number;
  /** Total reported time divided by total true time. */
  readonly ratio: number;
  /** Number of windows with bounds, and of those whose bounds contain the true values. */
  readonly bounded: number;
  readonly held: number;
  readonly medianHalfWidthMs: number | null;
}

/** Figures over outages; undefined without outages. */
export function errorFigures(outages: readonly Judged[]): ErrorFigures | undefined {
  if (outages.length === 0) return undefined;
  const errors = outages.map((o) => o.errorMs).sort((a, b) => a - b);
  const bounded = outages.filter((o) => o.held !== null);
  const widths = bounded.map((o) => o.halfWidthMs ?? 0).sort((a, b) => a - b);
  const lowestMs = errors[0] ?? 0;
  const highestMs = errors.at(-1) ?? 0;
  return {
    outages: outages.length,
    found: outages.filter((o) => o.windows > 0).length,
    lowestMs,
    medianMs: errors[Math.floor(errors.length / 2)] ?? 0,
    highestMs,
    worstMs: Math.max(-lowestMs, highestMs),
    ratio: sum(outages, (o) => o.reportedMs) / sum(outages, (o) => o.trueMs),
    bounded: bounded.length,
    held: bounded.filter((o) => o.held === true).length,
    medianHalfWidthMs: widths[Math.floor(widths.length / 2)] ?? null,
  };
}
