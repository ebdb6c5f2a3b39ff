import type { Edge, OutageKind, TrueOutage } from './fault-server/messages.ts';

/** A tool's word on one outage. Moments of `monoMs`, durations in ms. */
export interface ToldWindow {
  /** The outage lay somewhere in here, as the tool tells it. */
  readonly fromMs: number;
  readonly toMs: number;
  /** How long it says that it was. */
  readonly ms: number;
  /** What it says the truth must lie in; tools that say nothing of the kind have none. */
  readonly bounds?: {
    readonly start: Edge;
    readonly end: Edge;
    readonly minMs: number;
    readonly maxMs: number;
  };
}

/** One outage against what a tool told of it. ms. */
export interface Judged {
  readonly kind: OutageKind;
  /** Middle of what the fault server knows. */
  readonly trueMs: number;
  /** How many windows the tool told of it; 0: missed. */
  readonly windows: number;
  readonly toldMs: number;
  /** Told minus true. */
  readonly errorMs: number;
  /** Whether the bounds of both edges and of the length held; null where there were none. */
  readonly held: boolean | null;
  /** Half the distance between the bounds of the length; null where there were none. */
  readonly halfWidthMs: number | null;
}

/** A tool on one target. */
export interface Verdict {
  readonly outages: readonly Judged[];
  /** Windows where there was no outage, and no stall of the server. */
  readonly strays: number;
}

/** What really happened at one target. */
export interface Truth {
  readonly outages: readonly TrueOutage[];
  /** When its server was held up itself. */
  readonly stalls: readonly Edge[];
}

/**
 * Holds what a tool told of one target against what really happened there. A window belongs to the outage that it
 * overlaps; `slackMs` is how far a tool's stamps may be off.
 */
export function judge(truth: Truth, told: readonly ToldWindow[], slackMs: number): Verdict {
  const matched = new Set<ToldWindow>();
  const outages = truth.outages.flatMap((outage) => {
    const span = { loMs: outage.start.loMs, hiMs: outage.end.hiMs };
    const own = told.filter((window) => overlaps(window, span, slackMs));
    for (const window of own) matched.add(window);
    return isStalled(truth, outage) ? [] : judgeOne(outage, own);
  });
  const others = told.filter((window) => !matched.has(window));
  return {
    outages,
    strays: others.filter((window) => !truth.stalls.some((stall) => overlaps(window, stall, slackMs))).length,
  };
}

/** Whether the server was held up around an edge of the outage, so that what could be seen of it is not what the script says. */
export function isStalled({ stalls }: Pick<Truth, 'stalls'>, { start, end }: TrueOutage): boolean {
  return [start, end].some((edge) =>
    stalls.some(({ loMs, hiMs }) => loMs <= edge.hiMs + aroundMs && hiMs >= edge.loMs - aroundMs),
  );
}

/** A stall so close to an edge moves what is seen of it. */
const aroundMs = 50;

function overlaps({ fromMs, toMs }: ToldWindow, { loMs, hiMs }: Edge, slackMs: number): boolean {
  return fromMs - slackMs <= hiMs && toMs + slackMs >= loMs;
}

function judgeOne(outage: TrueOutage, own: readonly ToldWindow[]): Judged {
  const { trueMs } = lengthOf(outage);
  const toldMs = sum(own, (window) => window.ms);
  const bounds = own.flatMap((window) => window.bounds ?? []);
  const [first] = bounds;
  const last = bounds.at(-1);
  const told = { kind: outage.kind, trueMs, windows: own.length, toldMs, errorMs: toldMs - trueMs };
  if (first === undefined || last === undefined) return { ...told, held: null, halfWidthMs: null };
  const minMs = sum(bounds, (b) => b.minMs);
  const maxMs = sum(bounds, (b) => b.maxMs);
  const shortestMs = outage.end.loMs - outage.start.hiMs;
  const longestMs = outage.end.hiMs - outage.start.loMs;
  return {
    ...told,
    held:
      meets(first.start, outage.start) &&
      meets(last.end, outage.end) &&
      minMs <= longestMs &&
      maxMs >= shortestMs,
    halfWidthMs: (maxMs - minMs) / 2,
  };
}

/** How long an outage was: the middle of what the fault server knows. */
export function lengthOf({ start, end }: TrueOutage): Pick<Judged, 'trueMs'> {
  return { trueMs: (end.loMs + end.hiMs - start.loMs - start.hiMs) / 2 };
}

/** Whether bounds can hold an edge of which itself only bounds are known. */
function meets(bounds: Edge, truth: Edge): boolean {
  return bounds.loMs <= truth.hiMs && bounds.hiMs >= truth.loMs;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** Errors of some outages, ms. */
export interface ErrorFigures {
  readonly outages: number;
  readonly found: number;
  readonly lowestMs: number;
  readonly medianMs: number;
  readonly highestMs: number;
  /** Of the absolute errors. */
  readonly worstMs: number;
  /** All told time to all true time. */
  readonly ratio: number;
  /** Windows with bounds, and how many of them held the truth. */
  readonly bounded: number;
  readonly held: number;
  readonly medianHalfWidthMs: number | null;
}

/** Figures over outages; undefined of none. */
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
    ratio: sum(outages, (o) => o.toldMs) / sum(outages, (o) => o.trueMs),
    bounded: bounded.length,
    held: bounded.filter((o) => o.held === true).length,
    medianHalfWidthMs: widths[Math.floor(widths.length / 2)] ?? null,
  };
}
