import { durationText, limitText } from '../core/format-duration.ts';
import { dominantStage } from '../analysis/stages.ts';
import { estimateText, measureText } from '../analysis/format.ts';
import type { Summary } from '../core/summary.ts';
import { rpoText } from './rows-text.ts';
import { counted } from './text.ts';
import { rtoLimitMs, stageText, verdictText } from './verdict-text.ts';

/** One drill of a page of drills. */
export interface DrillEntry {
  readonly summary: Summary;
  /** URL of its report folder relative to the page, percent-encoded by path segment; absent: no link. */
  readonly link?: string;
}

/** Content of the page of one command's drills, as unescaped text; the HTML and Markdown forms escape it. */
export interface DrillsPage {
  /** `1 of 2 drills passed`. */
  readonly total: string;
  readonly head: readonly string[];
  /** One row for each drill; cells in the order of `head`. */
  readonly rows: readonly DrillRow[];
  /** Why drills did not pass. */
  readonly whys: readonly { readonly name: string; readonly why: string }[];
}

/** A drill's row. */
export interface DrillRow extends DrillEntry {
  /** Cells in the order of `drillColumns`. */
  readonly cells: readonly string[];
}

/** Column titles of a page of drills. */
const drillColumns = {
  drill: 'drill',
  verdict: 'verdict',
  target: 'target',
  rto: 'RTO (bounds)',
  limit: 'limit',
  longest: 'longest stage',
  downtime: 'downtime',
  rpo: 'RPO',
  redundancy: 'to redundancy',
} as const;
type DrillColumn = keyof typeof drillColumns;
const columns = Object.keys(drillColumns) as readonly DrillColumn[];

/** Index of a column in a row's cells. */
export function drillColumn(column: DrillColumn): number {
  return columns.indexOf(column);
}

const none = '–';

/** The content of the page of one command's drills. */
export function drillsPage(drills: readonly DrillEntry[]): DrillsPage {
  const hasPassed = ({ verdict, healed }: Summary): boolean => verdict === 'pass' && healed;
  const passed = drills.filter(({ summary }) => hasPassed(summary)).length;
  return {
    total: `${passed} of ${counted(drills.length, 'drill')} passed`,
    head: Object.values(drillColumns),
    rows: drills.map((drill) => {
      const cells = cellsOf(drill.summary);
      return { ...drill, cells: columns.map((column) => cells[column]) };
    }),
    whys: drills.flatMap(({ summary }) =>
      hasPassed(summary) ? [] : summary.reasons.map((why) => ({ name: summary.scenario.name, why })),
    ),
  };
}

function cellsOf(summary: Summary): Readonly<Record<DrillColumn, string>> {
  const { scenario, target, rto, downtime, redundancyRestoredMs, stages } = summary;
  const limitMs = rtoLimitMs(summary);
  const longest = dominantStage(stages);
  return {
    drill: scenario.name,
    verdict: verdictText(summary),
    target,
    rto: rto === null ? 'not measured' : measureText(rto),
    limit: limitMs === undefined ? none : limitText(limitMs),
    longest: longest === undefined ? none : `${longest.name}, ${stageText(longest)}`,
    downtime: downtime === null ? none : estimateText(downtime),
    rpo: rpoText(summary) ?? none,
    redundancy: redundancyRestoredMs === null ? none : durationText(redundancyRestoredMs),
  };
}
