import type { DurationMs } from '../../core/time.ts';
import { type DrillEntry, drillColumn, type DrillRow, type DrillsPage, drillsPage } from '../drills-page.ts';
import { worstVerdict } from '../verdict-text.ts';
import { sectionHtml, tableHtml } from './blocks.ts';
import { boundsBar } from './figures.ts';
import { badge, outcomeHtml, page } from './page.ts';
import { html, type Html } from './template.ts';

/** drills.html: the drills of one command, each with a link to its report. `error`: why the command ended early. */
export function renderDrillsHtml(drills: readonly DrillEntry[], error?: string): string {
  const parts = drillsPage(drills);
  const summaries = drills.map(({ summary }) => summary);
  const verdict = worstVerdict(summaries);
  const times = summaries.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt]).sort();
  const targets = [...new Set(summaries.map(({ target }) => target))];
  return page(
    `${verdict.toUpperCase()} – ${parts.total}`,
    html`<header>
        ${badge(
          verdict,
          summaries.every(({ healed }) => healed),
        )}
        <h1>${parts.total}</h1>
        <p class="what">
          ${targets.map((target) => html`<span>target ${target}</span>`)}${
            times.length > 0 && html`<span>${times.at(0)} to ${times.at(-1)}</span>`
          }
        </p>
        ${error !== undefined && html`<p><strong>The command ended early:</strong> ${error}</p>`}
      </header>
      <main>
        ${drills.length > 0 && sectionHtml({ title: 'Drills', blocks: [] }, html`<div class="drills">${drillTable(parts)}</div>`)}${sectionHtml(
          {
            title: 'Why',
            blocks:
              parts.whys.length === 0
                ? []
                : [{ kind: 'list', items: parts.whys.map(({ name, why }) => `${name}: ${why}`) }],
          },
        )}
      </main>
      <footer>Made by firedrill. Data for programs is in each drill's summary.json.</footer> `,
  );
}

function drillTable({ head, rows }: DrillsPage): Html {
  const longestMs = Math.max(1, ...rows.map(({ summary }) => summary.rto?.maxMs ?? 0));
  return tableHtml(
    head,
    rows.map((row) => row.cells.map((cell, column) => cellHtml(row, cell, column, longestMs))),
  );
}

function cellHtml(
  { summary, link }: DrillRow,
  cell: string,
  column: number,
  longestMs: DurationMs,
): string | Html {
  if (column === drillColumn('drill') && link !== undefined)
    return html`<a href="${link}/report.html">${cell}</a>`;
  if (column === drillColumn('verdict')) return outcomeHtml(summary.healed ? summary.verdict : 'fail', cell);
  return column === drillColumn('rto') && summary.rto !== null
    ? html`${cell}${boundsBar(summary.rto, summary.rto.ms, longestMs, `RTO ${cell}`)}`
    : cell;
}
