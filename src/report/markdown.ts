import { durationText } from '../core/format-duration.ts';
import type { RunLog } from '../analysis/run-log.ts';
import { dominantStage } from '../analysis/stages.ts';
import { analyse } from '../analysis/summarize.ts';
import { measureText } from '../analysis/format.ts';
import type { Predicted, Stage, Summary } from '../core/summary.ts';
import { rpoText } from './rows-text.ts';
import { tailSections } from './section-list.ts';
import {
  type Block,
  type Cell,
  checkSection,
  noteSection,
  type Section,
  table,
  text,
  whySection,
} from './sections.ts';
import { bar, capital, counted, markdown } from './text.ts';
import {
  firstSignText,
  hasReturn,
  predictedText,
  predictionText,
  returnText,
  stagePredictionText,
  verdictText,
} from './verdict-text.ts';

const barWidth = 20;

function cellText(cell: Cell): string {
  return typeof cell === 'string' ? markdown(cell) : `**${markdown(cell.strong)}**`;
}

function blockLines(block: Block): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  switch (block.kind) {
    case 'table':
      return [
        line(block.head.map(cellText)),
        line(block.head.map(() => '---')),
        ...block.rows.map((row) => line(row.map(cellText))),
        '',
      ];
    case 'text':
      return [markdown(block.text), ''];
    case 'list':
      return [...block.items.map((i) => `- ${markdown(i)}`), ''];
    case 'title':
      return [`### ${markdown(block.text)}`, ''];
  }
}

function sectionLines({ title, blocks }: Section): string[] {
  return blocks.length === 0 ? [] : [`## ${title}`, '', ...blocks.flatMap(blockLines)];
}

function headline(summary: Summary): string[] {
  const { rto, downtime, redundancyRestoredMs } = summary;
  const besides = (predicted: Predicted | undefined) =>
    predicted === undefined ? '' : `, predicted ${predictedText(predicted)}`;
  const parts = [`**${verdictText(summary)}**`];
  const limit = summary.checks.find((c) => c.kind === 'rto')?.limit;
  const sign = rto === null ? undefined : firstSignText(rto);
  const first = sign === undefined ? '' : `, ${sign}`;
  if (rto !== null)
    parts.push(
      `RTO **${measureText(rto)}**${first}${limit === undefined ? '' : `, limit ${markdown(limit)}`}${besides(summary.predicted?.rto)}`,
    );
  else if (summary.faults.length > 0) parts.push('RTO not measured');
  if (downtime !== null)
    parts.push(`downtime ${measureText(downtime)} in ${counted(downtime.windows, 'window')}`);
  if (redundancyRestoredMs !== null)
    parts.push(
      `redundancy restored after ${durationText(redundancyRestoredMs)}${besides(summary.predicted?.redundancy)}`,
    );
  const rpo = rpoText(summary);
  if (rpo !== undefined) parts.push(`RPO ${rpo}`);
  return [parts.join(' · '), ''];
}

/** A chain's stages, which sum to `total` ms (named by `sum`). */
function stageBlocks(stages: readonly Stage[], total: number, sum: string): readonly Block[] {
  const dominant = dominantStage(stages);
  if (dominant === undefined) return [];
  const predicted = stages.some((s) => s.predicted !== undefined);
  const head = [
    'stage',
    'ms',
    'bounds',
    ...(predicted ? ['predicted'] : []),
    'share',
    '',
    'unobserved stages included',
  ];
  const rows = stages.map((s): Cell[] => {
    const share = total > 0 ? s.ms / total : 0;
    return [
      s === dominant ? { strong: s.name } : s.name,
      s.ms.toFixed(3),
      `${durationText(s.minMs)} to ${durationText(s.maxMs)}`,
      ...(predicted ? [stagePredictionText(s) ?? ''] : []),
      `${(share * 100).toFixed(1)} %`,
      bar(share, barWidth),
      s.includes.join(', '),
    ];
  });
  return [
    ...table(head, rows),
    text(`The stages sum to the ${sum}, ${total.toFixed(3)} ms. The longest is ${dominant.name}.`),
    ...(predicted ? [text(predictionText(stages))] : []),
  ];
}

function returnBlocks({ heal }: Summary): readonly Block[] {
  if (!hasReturn(heal)) return [];
  return [
    text(`${capital(returnText(heal))}. The heal began at ${heal.startedAt}.`),
    ...stageBlocks(heal.stages, heal.return?.ms ?? 0, 'return'),
  ];
}

/**
 * report.md: the content of summary.json, and with `log` also the event log. The same input gives the same bytes.
 */
export function renderMarkdown(summary: Summary, log?: RunLog): string {
  const { scenario } = summary;
  const sections: Section[] = [
    whySection(summary),
    noteSection(summary),
    checkSection(summary),
    {
      title: 'Stages of the recovery',
      blocks: stageBlocks(summary.stages, summary.rto?.ms ?? 0, 'RTO'),
    },
    { title: 'Return', blocks: returnBlocks(summary) },
    ...tailSections(summary, log === undefined ? undefined : analyse(log)),
  ];
  const lines = [
    `# ${markdown(scenario.title === '' ? scenario.name : scenario.title)}`,
    '',
    ...headline(summary),
    ...sections.flatMap(sectionLines),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}
