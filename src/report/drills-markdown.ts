import { drillColumn, type DrillEntry, type DrillRow, drillsPage } from './drills-page.ts';
import { markdown } from './text.ts';

/** A page with a row for each drill of one command, and why drills did not pass. `error`: why the command ended early. */
export function renderDrillsMarkdown(drills: readonly DrillEntry[], error?: string): string {
  const { total, head, rows, whys } = drillsPage(drills);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return `${[
    '# Drills',
    '',
    `${total}.`,
    '',
    ...(error === undefined ? [] : [`**The command ended early:** ${markdown(error)}`, '']),
    ...(rows.length === 0
      ? []
      : [line(head), line(head.map(() => '---')), ...rows.map((row) => line(cellsOf(row))), '']),
    ...(whys.length === 0
      ? []
      : ['## Why', '', ...whys.map(({ name, why }) => `- ${markdown(name)}: ${markdown(why)}`), '']),
  ]
    .join('\n')
    .trimEnd()}\n`;
}

function cellsOf({ cells, link }: DrillRow): string[] {
  return cells.map((cell, column) => {
    const text = markdown(cell);
    if (column === drillColumn('verdict')) return `**${text}**`;
    return column === drillColumn('drill') && link !== undefined ? `[${text}](<${link}/report.md>)` : text;
  });
}
