import type { DurationMs } from '../core/time.ts';
import { dominantStage } from '../analysis/stages.ts';
import { measureText } from '../analysis/format.ts';
import type { KeptRun } from '../analysis/kept-run.ts';
import { aligned, counted, plain } from './text.ts';
import { stageText } from './verdict-text.ts';

/** A stored run as a line of `history` and of `history --json`. */
export interface HistoryLine {
  readonly runId: string;
  readonly startedAt: string;
  readonly scenario: string;
  readonly target: string;
  readonly label: string | null;
  readonly verdict: KeptRun['verdict'];
  readonly healed: boolean;
  readonly rto: { readonly ms: DurationMs; readonly minMs: DurationMs; readonly maxMs: DurationMs } | null;
  /** Bounds are absent in runs of versions that stored none. */
  readonly longestStage: {
    readonly name: string;
    readonly ms: DurationMs;
    readonly minMs?: DurationMs;
    readonly maxMs?: DurationMs;
  } | null;
  /** The run's folder. */
  readonly folder: string;
}

/** The history line of a run. */
export function historyLine(run: KeptRun, folder: string): HistoryLine {
  const { runId, startedAt, scenario, target, label, verdict, healed, rto, stages } = run;
  const longest = dominantStage(stages);
  return {
    runId,
    startedAt,
    scenario: scenario.name,
    target,
    label: label ?? null,
    verdict,
    healed,
    rto: rto === null ? null : { ms: rto.ms, minMs: rto.minMs, maxMs: rto.maxMs },
    longestStage: longest === undefined ? null : longestOf(longest),
    folder,
  };
}

function longestOf({ name, ms, minMs, maxMs }: KeptRun['stages'][number]): HistoryLine['longestStage'] {
  return {
    name,
    ms,
    ...(minMs === undefined ? {} : { minMs }),
    ...(maxMs === undefined ? {} : { maxMs }),
  };
}

/** A run's cells: date, scenario, target, label, verdict, RTO, longest stage. */
export function historyCells(line: HistoryLine): readonly string[] {
  const { startedAt, scenario, target, label, verdict, healed, rto, longestStage } = line;
  return [
    startedAt.slice(0, 16).replace('T', ' '),
    scenario,
    target,
    label ?? '',
    healed ? verdict : `${verdict}, NOT HEALED`,
    rto === null ? '–' : measureText(rto),
    longestStage === null ? '–' : `${longestStage.name}, ${stageText(longestStage)}`,
  ];
}

/** Column titles of `historyCells`. */
export const historyHead = [
  'started (UTC)',
  'scenario',
  'target',
  'label',
  'verdict',
  'RTO',
  'longest stage',
] as const;

/** The history for the terminal; ends with a newline. `left`: number of older runs that `--limit` hides. */
export function renderHistoryText(lines: readonly HistoryLine[], left: number): string {
  const labelled = lines.some(({ label }) => label !== null);
  const cells = [historyHead, ...lines.map(historyCells)].map((row) =>
    row.filter((_, i) => i !== 3 || labelled).map(plain),
  );
  return `${[
    ...aligned(cells),
    '',
    `${counted(lines.length, 'run')}${left > 0 ? `, ${left} older not shown` : ''}`,
  ].join('\n')}\n`;
}
