import { drillsOf } from '../../analysis/compare.ts';
import type { KeptRun } from '../../analysis/kept-run.ts';
import { median } from '../../analysis/repeats.ts';
import { durationText } from '../../core/format-duration.ts';
import { historyCells, historyHead, historyLine } from '../history-text.ts';
import { counted } from '../text.ts';
import { worstVerdict } from '../verdict-text.ts';
import { sectionHtml, tableHtml } from './blocks.ts';
import { badge, outcomeHtml, page } from './page.ts';
import { html, type Html } from './template.ts';
import { trendChart, trendLegend } from './trend-chart.ts';

/** A run of the trend. */
export interface TrendRun {
  readonly run: KeptRun;
  /** URL of its report relative to the page, percent-encoded by path segment; null if it has no report. */
  readonly href: string | null;
}

/** trend.html: each drill's RTO over its runs, and a table of the runs. `trend` is newest first, as `readKept` returns it. */
export function renderTrendHtml(trend: readonly TrendRun[]): string {
  const runs = trend.map(({ run }) => run);
  const drills = [...drillsOf(runs, [])].map(([name, { a }]) => ({ name, runs: a.toReversed() }));
  const newest = drills.flatMap((drill) => drill.runs.at(-1) ?? []);
  const verdict = worstVerdict(newest);
  const [last, first] = [runs.at(0), runs.at(-1)].map((run) => run?.startedAt.slice(0, 10) ?? '');
  return page(
    'RTO over time',
    html`<header>
        ${badge(
          verdict,
          newest.every(({ healed }) => healed),
        )}
        <h1>RTO over time</h1>
        <p class="what">
          <span>verdict of the newest run of each drill</span
          ><span>${counted(runs.length, 'run')} of ${counted(drills.length, 'drill')}</span
          ><span>${first} to ${last}</span>
        </p>
      </header>
      <main>
        ${sectionHtml(
          { title: 'Drills', blocks: [] },
          html`<p class="small">
              Runs are in order of time, evenly spaced. Bars are the bounds of the RTO. A run at the top edge
              has no measured RTO.
            </p>
            ${trendLegend()}
            <div class="trends">${drills.map(({ name, runs }) => drillFigure(name, runs))}</div>`,
        )}${sectionHtml({ title: 'Runs', blocks: [] }, runTable(trend))}
      </main>
      <footer>Made by firedrill from the summaries of the runs.</footer> `,
    trendStyle,
  );
}

function drillFigure(name: string, runs: readonly KeptRun[]): Html {
  const rtos = runs.flatMap(({ rto }) => rto?.ms ?? []);
  const last = runs.at(-1)?.rto?.ms;
  const words =
    rtos.length === 0
      ? 'no RTO was measured'
      : `last ${last === undefined ? 'none' : durationText(last)}, median ${durationText(median(rtos))} of ${counted(rtos.length, 'run')}`;
  return html`<figure>
    <figcaption><b>${name}</b> ${words}</figcaption>
    ${trendChart(name, runs, words)}
  </figure> `;
}

function runTable(trend: readonly TrendRun[]): Html {
  const rows = trend.map(({ run, href }) =>
    historyCells(historyLine(run, '')).map((cell, i): string | Html => {
      if (i === 1 && href !== null) return html`<a href="${href}">${cell}</a>`;
      return i === 4 ? outcomeHtml(run.healed ? run.verdict : 'fail', cell) : cell;
    }),
  );
  return tableHtml(historyHead, rows);
}

/** The trend page's additional style. */
const trendStyle = `
.trends{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:.4rem 1.6rem}
.trends figure{margin:.4rem 0;min-width:0}
.trends figcaption b{display:block}
.trend{display:grid;grid-template-columns:3.4rem minmax(0,1fr)}
.trend .yaxis{display:block}
.ground{fill:var(--panel);stroke:var(--line)}
.budget{stroke:var(--fg);stroke-width:1.5;stroke-dasharray:7 4}
.budgettext{font-weight:600}
.release{stroke:var(--soft);stroke-dasharray:2 3}
.error{stroke:var(--soft);stroke-width:1.3;fill:none}
.point{fill:none;stroke-width:2}
.point.pass{fill:var(--good);stroke:var(--bg);stroke-width:1}
.point.fail{stroke:var(--bad);stroke-width:2.6}
.point.inconclusive{fill:var(--bg);stroke:var(--warn)}
.point.unhealed{fill:var(--bad);stroke:var(--fg)}
`;
