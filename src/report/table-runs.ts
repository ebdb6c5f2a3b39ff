import { asKeptRun, type KeptRun } from '../analysis/kept-run.ts';
import type { FailureTable } from './table.ts';

/** The figures that a table's rows show, by scenario. */
export function figuresOfTable(table: FailureTable): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { figure, drills } of table.rows)
    for (const { scenario } of drills) found.set(scenario, (found.get(scenario) ?? new Set()).add(figure));
  return found;
}

/**
 * The runs of a table as far as table.json has them: the figures of its rows, without stages, with the table's start as
 * their start. For a table.json without its run folders.
 */
export function runsOfTable(table: FailureTable): readonly KeptRun[] {
  const found = new Map<string, Record<string, unknown>>();
  const variants = severalVariants(table);
  for (const { figure, drills } of table.rows) {
    for (const { runId, scenario, verdict, healed, measured, longerThanMs, cutShort } of drills) {
      if (runId === null || variants.has(scenario)) continue;
      const run = found.get(runId) ?? {
        schemaVersion: 1,
        runId,
        scenario: { name: scenario },
        target: table.target,
        label: table.label,
        startedAt: table.startedAt,
        endedAt: table.endedAt,
        verdict,
        healed,
        rto: null,
      };
      const known = (run['longerThan'] as object | undefined) ?? {};
      found.set(runId, {
        ...run,
        ...(measured === null ? {} : withFigure(figure, measured, run)),
        ...(longerThanMs === undefined ? {} : { longerThan: { ...known, [figure]: longerThanMs } }),
        ...(cutShort === true ? { cutShort } : {}),
      });
    }
  }
  return [...found.values()].map(asKeptRun).filter((run) => typeof run !== 'string');
}

/** Scenarios with multiple drills in one round: their variables differ, and table.json does not have the variables. */
function severalVariants(table: FailureTable): ReadonlySet<string> {
  const numbers = new Map<string, number>();
  const multiple = new Set<string>();
  for (const { scenario, round, number } of table.rows.flatMap(({ drills }) => drills)) {
    const key = JSON.stringify([scenario, round]);
    if ((numbers.get(key) ?? number) !== number) multiple.add(scenario);
    numbers.set(key, number);
  }
  return multiple;
}

/** The part of a summary from which `figureOf` reads a figure. */
function withFigure(
  figure: string,
  measured: object,
  before: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const none = { ms: 0, minMs: 0, maxMs: 0 };
  switch (figure) {
    case 'rto':
    case 'redundancy':
      return { [figure]: measured };
    case 'downtime':
      return { downtime: { ...measured, windows: 0 } };
    case 'first':
      return before['rto'] === null ? {} : { rto: { ...(before['rto'] as object), first: measured } };
    case 'return':
    case 'heal-outage': {
      const heal = { startedAt: '', return: null, outage: { ...none, windows: 0 }, stages: [] };
      return {
        heal:
          figure === 'return'
            ? { ...heal, ...(before['heal'] as object | undefined), return: measured }
            : { ...heal, ...(before['heal'] as object | undefined), outage: { ...measured, windows: 0 } },
      };
    }
    default: {
      const known = (before['checks'] as readonly unknown[] | undefined) ?? [];
      const name = figure.replace(/^happens:/, '');
      return { checks: [...known, { kind: 'happens', name, measured }] };
    }
  }
}
