import type { Check } from '../core/plan.ts';
import type { Measure, Summary } from '../core/summary.ts';

/** Kinds of checks that measure a total time. Their figure has the check's name. */
export const totalKinds: readonly string[] = ['happens', 'ownership'] satisfies Check['kind'][];

/** The parts of a summary that contain figures. */
export interface Figures extends Pick<Summary, 'rto' | 'downtime' | 'redundancy'> {
  readonly heal: { readonly return: Measure | null; readonly outage: Measure } | null;
  readonly checks: readonly {
    readonly kind: string;
    readonly name: string;
    readonly measured?: Measure | undefined;
  }[];
  /** By figure: a lower bound, ms, if the end was not observed. */
  readonly longerThan?: Readonly<Record<string, number>> | undefined;
}

/** The figure of a drill that a row of a failure table names; null if it was not measured. */
export function figureOf(figure: string, summary: Figures): Measure | null {
  switch (figure) {
    case 'rto':
      return summary.rto;
    case 'first':
      return summary.rto?.first ?? null;
    case 'downtime':
      return summary.downtime;
    case 'return':
      return summary.heal?.return ?? null;
    case 'heal-outage':
      return summary.heal?.outage ?? null;
    case 'redundancy':
      return summary.redundancy;
    default: {
      const name = figure.replace(/^happens:/, '');
      return summary.checks.find((c) => totalKinds.includes(c.kind) && c.name === name)?.measured ?? null;
    }
  }
}

/**
 * The figure as one value of a statistic. If its end was not observed (no recovery, or the run was cut short), it is
 * censored: `ms` and `maxMs` are Infinity. null: it was not measured.
 */
export function timedFigure(figure: string, summary: Figures): Measure | null {
  const longerThanMs = summary.longerThan?.[figure];
  if (longerThanMs === undefined) return figureOf(figure, summary);
  return { ms: Infinity, minMs: longerThanMs, maxMs: Infinity };
}

/** The name of a figure in a sentence. */
export function figureName(figure: string): string {
  switch (figure) {
    case 'rto':
      return 'RTO';
    case 'first':
      return 'first sign of recovery';
    case 'heal-outage':
      return 'outage of the return';
    case 'redundancy':
      return 'time to redundancy';
    default:
      return figure.replace(/^happens:/, '');
  }
}
