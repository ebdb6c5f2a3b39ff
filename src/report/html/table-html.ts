import { durationText } from '../../core/format-duration.ts';
import { fileSlug } from '../../core/names.ts';
import type { VerdictWord } from '../../core/summary.ts';
import type { DurationMs } from '../../core/time.ts';
import { isWorse } from '../gate-text.ts';
import { type TableParts, tableParts } from '../table-text.ts';
import type { FailureTable, RowLine } from '../table.ts';
import { sectionHtml, tableHtml } from './blocks.ts';
import { boundsBar } from './figures.ts';
import { badge, outcomeHtml, page } from './page.ts';
import { html, type Html } from './template.ts';

/** table.html: the failure table as a page; each drill links to its report in `runs/` next to the page. */
export function renderTableHtml(table: FailureTable): string {
  const parts = tableParts(table);
  const verdict = verdictOf(table);
  const healed = table.rows.every((row) => row.healed);
  return page(
    `${verdict.toUpperCase()} – ${table.title}`,
    html`<header>
        ${badge(verdict, healed)}
        <h1>${table.title}</h1>
        <p class="what">
          <span>${parts.total}</span><span>target ${table.target}</span
          ><span>${table.startedAt} to ${table.endedAt}</span>
        </p>
      </header>
      <main>
        ${rowPart(table, parts)}${drillPart(table, parts)}${parts.repeats.map(({ what, words }) =>
          sectionHtml({ title: `Repeats: ${what}`, blocks: [{ kind: 'list', items: words }] }),
        )}${sectionHtml({
          title: 'Why',
          blocks:
            parts.whys.length === 0
              ? []
              : [{ kind: 'list', items: parts.whys.map(({ what, why }) => `${what}: ${why}`) }],
        })}${baselinePart(parts)}
      </main>
      <footer>Made by firedrill. Data for programs is in table.json.</footer> `,
  );
}

function baselinePart({ baseline }: TableParts): Html | null {
  if (baseline === null) return null;
  return sectionHtml(
    { title: 'Against the baseline', blocks: [] },
    html`<p class="small">${baseline.title}.</p>
      <ul>
        ${baseline.lines.map(({ status, words }) => html`<li>${outcomeHtml(status, '')} ${words}</li>`)}
      </ul>`,
  );
}

/** The table's verdict: fail for a failed row or a regression; pass if complete and all rows passed; else inconclusive. */
function verdictOf({ rows, complete, baseline }: FailureTable): VerdictWord {
  if (rows.some((row) => row.verdict === 'fail') || (baseline !== undefined && isWorse(baseline)))
    return 'fail';
  return complete && rows.every((row) => row.verdict === 'pass') ? 'pass' : 'inconclusive';
}

function rowPart({ rows }: FailureTable, parts: TableParts): Html | null {
  const longestMs = Math.max(1, ...rows.map((row) => row.measured?.bounds.maxMs ?? 0));
  const cells = parts.rows.map((row, i) => {
    const line = rows[i];
    return row.map((cell, column) => {
      if (line === undefined) return cell;
      if (column === row.length - 1) return outcomeHtml(line.verdict ?? 'inconclusive', cell);
      return column === 4 ? html`${cell}${spreadBar(line, longestMs)}` : cell;
    });
  });
  return sectionHtml(
    { title: 'Failures', blocks: [{ kind: 'text', text: parts.legend }] },
    html`<div class="suite">${tableHtml(parts.head, cells)}</div>`,
  );
}

/** A bar from the lowest to the highest bound of a row's drills, with the median marked; all rows share a scale. */
function spreadBar({ measured }: RowLine, longestMs: DurationMs): Html | null {
  if (measured === null) return null;
  const { medianMs, bounds } = measured;
  const words = `median ${durationText(medianMs)}, bounds ${durationText(bounds.minMs)} to ${durationText(bounds.maxMs)}`;
  return boundsBar(bounds, medianMs, longestMs, words);
}

function drillPart({ rows }: FailureTable, parts: TableParts): Html | null {
  const drills = rows.flatMap((row) => row.drills);
  const cells = parts.drills.map(({ runId, cells }, i) =>
    cells.map((cell, column) => {
      // A run id that is not a plain folder name could link outside `runs/`.
      if (column === 1 && runId !== null && runId === fileSlug(runId, 255))
        return html`<a href="runs/${runId}/report.html">${cell}</a>`;
      return column === cells.length - 1 ? outcomeHtml(drills[i]?.verdict ?? 'inconclusive', cell) : cell;
    }),
  );
  return sectionHtml({ title: 'Drills', blocks: [] }, tableHtml(parts.drillHead, cells));
}
