import { dominantStage } from '../analysis/stages.ts';
import { measureWords } from '../analysis/words.ts';
import type { KeptRun } from '../analysis/kept-run.ts';
import { aligned, counted, plain } from './text.ts';
import { stageWords } from './verdict-text.ts';

/** A kept run as a line of the history, and of `history --json`. */
export interface HistoryLine {
  readonly runId: string;
  readonly startedAt: string;
  readonly scenario: string;
  readonly target: string;
  readonly label: string | null;
  readonly verdict: KeptRun['verdict'];
  readonly healed: boolean;
  readonly rto: { readonly ms: number; readonly minMs: number; readonly maxMs: number } | null;
  /** Without bounds in runs of versions that kept none. */
  readonly longestStage: {
    readonly name: string;
    readonly ms: number;
    readonly minMs?: number;
    readonly maxMs?: number;
  } | null;
  /** Where it is kept. */
  readonly folder: string;
}

/** The line of a run. */
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

/** What a page or a table shows of a run: date, scenario, target, label, verdict, RTO, longest stage. */
export function historyCells(line: HistoryLine): readonly string[] {
  const { startedAt, scenario, target, label, verdict, healed, rto, longestStage } = line;
  return [
    startedAt.slice(0, 16).replace('T', ' '),
    scenario,
    target,
    label ?? '',
    healed ? verdict : `${verdict}, NOT HEALED`,
    rto === null ? '–' : measureWords(rto),
    longestStage === null ? '–' : `${longestStage.name}, ${stageWords(longestStage)}`,
  ];
}

/** Names of `historyCells`. */
export const historyHead = [
  'started (UTC)',
  'scenario',
  'target',
  'label',
  'verdict',
  'RTO',
  'longest stage',
] as const;

/** The history as the command line prints it; ends with a newline. `left`: older runs that `--limit` leaves out. */
export function renderHistoryText(lines: readonly HistoryLine[], left: number): string {
  const labelled = lines.some(({ label }) => label !== null);
  const cells = [historyHead, ...lines.map(historyCells)].map((row) =>
    row.filter((_, i) => i !== 3 || labelled).map(plain),
  );
  return `${[
    ...aligned(cells),
    '',
    `${counted(lines.length, 'run')}${left > 0 ? `, ${left} older ones left out` : ''}`,
  ].join('\n')}\n`;
}
