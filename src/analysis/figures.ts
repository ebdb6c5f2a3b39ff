import type { Check } from '../core/plan.ts';
import type { Measure, Summary } from '../core/summary.ts';

/** Kinds of checks whose total is a figure, by the check's name. */
export const totalKinds: readonly string[] = ['happens', 'ownership'] satisfies Check['kind'][];

/** What of a summary has figures. */
export interface Figures extends Pick<Summary, 'rto' | 'downtime' | 'redundancy'> {
  readonly heal: { readonly return: Measure | null; readonly outage: Measure } | null;
  readonly checks: readonly {
    readonly kind: string;
    readonly name: string;
    readonly measured?: Measure | undefined;
  }[];
  /** By figure, what it was longer than: its end was not seen. */
  readonly longerThan?: Readonly<Record<string, number>> | undefined;
}

/** The figure of a drill that a row of a failure table names; null when it was not measured. */
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
 * The same as one value among others: where its end was not seen (the service did not recover, the run was cut short) it is
 * censored, longer than its `minMs`, and its `ms` and `maxMs` are Infinity. null: nothing is known of it.
 */
export function timedFigure(figure: string, summary: Figures): Measure | null {
  const longerThanMs = summary.longerThan?.[figure];
  if (longerThanMs === undefined) return figureOf(figure, summary);
  return { ms: Infinity, minMs: longerThanMs, maxMs: Infinity };
}

/** What a figure is called where a sentence names it. */
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
