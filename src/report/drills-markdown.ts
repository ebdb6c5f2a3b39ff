import { durationWords, measureWords } from '../analysis/words.ts';
import type { Summary } from '../core/summary.ts';
import { rpoWords } from './rows-text.ts';
import { counted, markdown } from './text.ts';
import { verdictWords } from './verdict-text.ts';

/** A drill as a page of several shows it. */
export interface DrillEntry {
  readonly summary: Summary;
  /** Where its report is, from the page; absent: not linked. */
  readonly report?: string;
}

const none = '–';

/** A page of the drills of one command: a row each, and why they did not pass. */
export function renderDrillsMarkdown(drills: readonly DrillEntry[], error?: string): string {
  const passed = drills.filter(({ summary }) => summary.verdict === 'pass' && summary.healed).length;
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const head = ['verdict', 'drill', 'target', 'RTO (bounds)', 'downtime', 'RPO', 'to redundancy'];
  const whys = drills.flatMap(({ summary }) =>
    summary.verdict === 'pass' && summary.healed
      ? []
      : summary.reasons.map((why) => `- ${markdown(summary.scenario.name)}: ${markdown(why)}`),
  );
  return `${[
    '# Drills',
    '',
    `${passed} of ${counted(drills.length, 'drill')} passed.`,
    '',
    ...(error === undefined ? [] : [`**The command ended early:** ${markdown(error)}`, '']),
    ...(drills.length === 0
      ? []
      : [line(head), line(head.map(() => '---')), ...drills.map((drill) => line(cellsOf(drill))), '']),
    ...(whys.length === 0 ? [] : ['## Why', '', ...whys, '']),
  ]
    .join('\n')
    .trimEnd()}\n`;
}

function cellsOf({ summary, report }: DrillEntry): string[] {
  const { scenario, target, rto, downtime, redundancyRestoredMs } = summary;
  const name = markdown(scenario.name);
  return [
    `**${verdictWords(summary)}**`,
    report === undefined ? name : `[${name}](<${report.replaceAll(/[<>\n\\]/g, encodeURIComponent)}>)`,
    markdown(target),
    rto === null ? 'not measured' : measureWords(rto),
    downtime === null ? none : durationWords(downtime.ms),
    markdown(rpoWords(summary) ?? none),
    redundancyRestoredMs === null ? none : durationWords(redundancyRestoredMs),
  ];
}
