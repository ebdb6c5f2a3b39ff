import { durationText } from '../../core/format-duration.ts';
import type { Range } from '../../analysis/intervals.ts';
import { dominantStage } from '../../analysis/stages.ts';
import type { Analysis } from '../../analysis/summarize.ts';
import { estimateText } from '../../analysis/format.ts';
import { staleAfterMs } from '../../core/freshness.ts';
import type { Summary } from '../../core/summary.ts';
import { type DurationMs, earlier, earliest, later, latest } from '../../core/time.ts';
import type { LatencyOverTime } from '../latency-over-time.ts';
import { rpoText } from '../rows-text.ts';
import { tailSections } from '../section-list.ts';
import type { Section } from '../sections.ts';
import { capital, counted } from '../text.ts';
import {
  firstSignText,
  hasReturn,
  predictedText,
  predictionText,
  returnText,
  stageText,
  verdictText,
} from '../verdict-text.ts';
import { availabilityText } from '../watch-text.ts';
import { timeAxis } from './axis.ts';
import { sectionHtml, slug, tableHtml } from './blocks.ts';
import { drillLanes } from './drill-lanes.ts';
import { gauge, waterfall } from './figures.ts';
import { type Guide, laneChart, legend } from './lanes.ts';
import { latencyChart } from './latency-chart.ts';
import { badge, outcomeHtml, page } from './page.ts';
import { planTexts } from './plan-text.ts';
import { html, type Html } from './template.ts';

/** Maximum lines of each plan text. */
const planLines = 1500;

/**
 * report.html: one self-contained page, rendered from the log alone. The same log gives the same bytes. Its size is bounded,
 * whatever the run's length.
 */
export function renderReportHtml(analysis: Analysis, latency: LatencyOverTime): string {
  const { log, summary } = analysis;
  const title = summary.scenario.title === '' ? summary.scenario.name : summary.scenario.title;
  const parts: readonly { readonly title: string; readonly part: Html | null }[] = [
    ...timelines(analysis),
    { title: 'Stages of the recovery', part: stagePart(summary) },
    { title: 'Return', part: returnPart(summary) },
    { title: 'Latency', part: latencyPart(analysis, latency) },
    ...tailSections(summary, analysis).map((s: Section) => ({ title: s.title, part: sectionHtml(s) })),
    { title: 'Scenario and target', part: planPart(analysis) },
  ].filter(({ part }) => part !== null);
  return page(
    `${verdictText(summary)} – ${title}`,
    html`<header>${head(analysis, title)}</header>
      <nav aria-label="Contents">${parts.map((p) => html`<a href="#${slug(p.title)}">${p.title}</a>`)}</nav>
      <main>${checkPart(summary)}${parts.map((p) => p.part)}</main>
      <footer>
        Made by firedrill ${log.versions.firedrill} (Node ${log.versions.node}) from the event log of run
        ${summary.runId}. Each sample is in samples.csv, data for programs in summary.json, and the complete
        log in events.ndjson.
      </footer> `,
  );
}

/** The verdict, the RTO with its bounds, the longest stage, and the other figures. */
function head({ log, summary, recovery }: Analysis, title: string): Html {
  const { verdict, healed, reasons, notes, faults, startedAt, target } = summary;
  const what = faults.map((f) => `${f.kind} on ${f.on}`).join(', ');
  return html`${badge(verdict, healed)}
    <h1>${title}</h1>
    <p class="what">
      ${[what, `target ${target}`, startedAt].map((w) => w !== '' && html`<span>${w}</span>`)}
    </p>
    <dl class="figures">
      ${rtoFigure(summary, log.plan.checks.find((c) => c.kind === 'rto')?.maxMs, recovery?.longerThanMs ?? null)}${mostFigure(summary)}${otherFigures(summary)}
    </dl>
    ${listOf('Why', reasons)}${listOf('Notes', notes)}`;
}

function checkPart({ checks }: Summary): Html | null {
  if (checks.length === 0) return null;
  const rows = checks.map(({ name, status, observed, limit }) => [
    html`${name}`,
    outcomeHtml(status, status),
    observed,
    limit,
  ]);
  return sectionHtml(
    { title: 'Checks', blocks: [] },
    tableHtml(['check', 'outcome', 'observed', 'limit'], rows),
  );
}

/** The rest of a longer sentence is folded, characters. */
const sentenceLimit = 220;

function listOf(title: string, items: readonly string[]): Html | null {
  if (items.length === 0) return null;
  return html`<h2 class="minor">${title}</h2>
    <ul>
      ${items.map((item) => html`<li>${item.length <= sentenceLimit ? item : opened(item)}</li>`)}
    </ul>`;
}

function opened(item: string): Html {
  const end = item.lastIndexOf(' ', sentenceLimit - 40);
  const at = end < sentenceLimit / 2 ? sentenceLimit - 40 : end;
  return html`<details>
    <summary>${item.slice(0, at)} …</summary>
    … ${item.slice(at)}
  </details>`;
}

function figure(name: string, value: string, words: readonly (string | Html | null)[], kind = ''): Html {
  return html`<div class="${kind}">
    <dt>${name}</dt>
    <dd>
      <b>${value}</b>${words.map((w) => w !== null && (typeof w === 'string' ? html`<span>${w}</span>` : w))}
    </dd>
  </div> `;
}

function rtoFigure(
  summary: Summary,
  limitMs: DurationMs | undefined,
  longerThanMs: DurationMs | null,
): Html | null {
  const { rto, faults, predicted } = summary;
  const limit = summary.checks.find((c) => c.kind === 'rto')?.limit;
  const limitText = limit === undefined ? null : `limit ${limit}`;
  if (rto === null) {
    if (faults.length === 0) return null;
    return longerThanMs === null
      ? figure('RTO', 'not measured', [limitText], 'rto')
      : figure('RTO', 'no recovery', [`none within ${durationText(longerThanMs)}`, limitText], 'rto');
  }
  const words = [
    rto.ms === 0
      ? `no sample failed; an outage between two samples may have ended up to ${durationText(rto.maxMs)} after the fault`
      : `bounds ${durationText(rto.minMs)} to ${durationText(rto.maxMs)}`,
    firstSignText(rto) ?? null,
    predicted?.rto === undefined ? null : `predicted ${predictedText(predicted.rto)}`,
    gauge(rto, limitMs),
  ];
  return figure(
    'RTO: from the fault’s effect to the recovery that held',
    rto.ms === 0 ? 'no outage seen' : estimateText(rto),
    words,
    'rto',
  );
}

function mostFigure({ stages, rto }: Summary): Html | null {
  const dominant = dominantStage(stages);
  if (dominant === undefined || rto === null) return null;
  const share = `${((dominant.ms / rto.ms) * 100).toFixed(0)} % of the RTO`;
  return figure('Longest stage', dominant.name, [`${stageText(dominant)}, ${share}`], 'most');
}

function otherFigures(summary: Summary): readonly Html[] {
  const { downtime, redundancy, predicted, faults, probes } = summary;
  const rpo = rpoText(summary);
  const figures: Html[] = [];
  if (downtime !== null)
    figures.push(
      figure('Downtime', estimateText(downtime), [
        `${durationText(downtime.minMs)} to ${durationText(downtime.maxMs)}, in ${counted(downtime.windows, 'window')}`,
      ]),
    );
  if (redundancy !== null)
    figures.push(
      figure('Redundancy restored after', durationText(redundancy.ms), [
        `${durationText(redundancy.minMs)} to ${durationText(redundancy.maxMs)}`,
        predicted?.redundancy === undefined ? null : `predicted ${predictedText(predicted.redundancy)}`,
      ]),
    );
  if (rpo !== undefined)
    figures.push(
      figure(
        'RPO',
        summary.rpo === null
          ? 'unknown'
          : summary.rpo.lost === 0
            ? 'nothing lost'
            : durationText(summary.rpo.ms),
        [rpo],
      ),
    );
  if (faults.length === 0)
    for (const { id, availability } of probes.slice(0, 6))
      figures.push(figure(id, availability === null ? 'unknown' : availabilityText(availability), []));
  return figures;
}

/** The timeline of the outage if the timeline of the run shows it too small, and that of the run. */
function timelines(analysis: Analysis): readonly { readonly title: string; readonly part: Html | null }[] {
  const { log, recovery } = analysis;
  const zeroMs = recovery?.effect.ms ?? log.startMs;
  const groups = drillLanes(analysis, zeroMs);
  const guides: Guide[] = [];
  if (recovery !== null)
    guides.push({ atMs: recovery.effect.ms, kind: 'effect', label: 'the fault takes effect' });
  if (recovery?.recovered != null && recovery.rto !== null && recovery.rto.ms > 0)
    guides.push({
      atMs: recovery.recovered.ms,
      kind: 'recovered',
      label: `recovered, ${durationText(recovery.rto.ms)} later`,
    });
  const whole = { fromMs: log.startMs, toMs: log.endMs };
  const near = outageRange(analysis);
  const from = recovery === null ? 'the start of the run' : 'the fault’s effect';
  const chart = (title: string, id: string, range: Range) => ({
    title,
    part: sectionHtml(
      { title, blocks: [] },
      html`<p class="small">Times count from ${from}. Hatched: down. Lightly hatched: possibly down.</p>
        ${laneChart(id, groups, timeAxis(range, zeroMs), guides)}${(range === near || near === null) && legend()}`,
    ),
  });
  return [
    ...(near === null ? [] : [chart('The outage', 'near', near)]),
    chart(near === null ? 'The run' : 'The whole run', 'whole', whole),
  ];
}

/** From shortly before the effect to shortly after the recovery or the last window; null if that is more than 60 % of the run. */
function outageRange({ log, recovery }: Analysis): Range | null {
  if (recovery === null || recovery.windows.length === 0) return null;
  const lastMs = recovery.recovered?.hiMs ?? recovery.windows.at(-1)?.endHiMs ?? log.endMs;
  const toMs = latest(recovery.effect.hiMs, lastMs);
  const roomMs = Math.max(500, (toMs - recovery.effect.loMs) * 0.15);
  const range = {
    fromMs: latest(log.startMs, earlier(recovery.effect.loMs, roomMs)),
    toMs: earliest(log.endMs, later(toMs, roomMs)),
  };
  return range.toMs - range.fromMs > 0.6 * (log.endMs - log.startMs) ? null : range;
}

function stagePart({ stages, rto }: Summary): Html | null {
  const chart = waterfall(stages, rto?.ms ?? 0, 'RTO');
  if (chart === null) return null;
  const dominant = dominantStage(stages);
  const predicted = stages.some((s) => s.predicted !== undefined);
  return sectionHtml(
    { title: 'Stages of the recovery', blocks: [] },
    html`<p>The longest is <strong>${dominant?.name}</strong>: ${stageText(dominant ?? { ms: 0 })}.</p>
      ${chart}${predicted && html`<p class="small">${predictionText(stages)} The line below a stage spans its prediction from minimum to maximum, with the median marked.</p>`}`,
  );
}

function returnPart({ heal }: Summary): Html | null {
  if (!hasReturn(heal)) return null;
  return sectionHtml(
    { title: 'Return', blocks: [] },
    html`<p>${capital(returnText(heal))}. The heal began at ${heal.startedAt}.</p>
      ${waterfall(heal.stages, heal.return?.ms ?? 0, 'return')}`,
  );
}

/** The recovery probe's latency, and the other probes' latency in a closed block. */
function latencyPart({ log, summary, recovery, windows }: Analysis, latency: LatencyOverTime): Html | null {
  const axis = timeAxis({ fromMs: log.startMs, toMs: log.endMs }, recovery?.effect.ms ?? log.startMs);
  const charts = summary.probes.flatMap((probe) => {
    const series = log.series.get(probe.id);
    if (series === undefined) return [];
    const chart = latencyChart(
      {
        probe,
        buckets: latency.of(probe.id),
        bad: windows.get(probe.id) ?? [],
        breakMs: staleAfterMs(series),
      },
      axis,
    );
    const { name } = series.probe;
    return chart === null ? [] : [{ chart, isFirst: name === log.plan.recovery.probe }];
  });
  if (charts.length === 0) return null;
  const first = charts.some((c) => c.isFirst) ? charts.filter((c) => c.isFirst) : charts.slice(0, 1);
  const others = charts.filter((c) => !first.includes(c)).slice(0, 60);
  return sectionHtml(
    { title: 'Latency', blocks: [] },
    html`<p class="small">
        Latency of good answers by send time, on a logarithmic scale. Area: minimum to maximum. Solid line:
        median. Dashed line: 99th percentile. Hatched: the probe was down.
      </p>
      ${first.map((c) => c.chart)}${
        others.length > 0 &&
        html`<details class="closed">
          <summary>Latency of ${counted(others.length, 'other probe')}</summary>
          ${others.map((c) => c.chart)}
        </details>`
      }`,
  );
}

function planPart({ log }: Analysis): Html | null {
  const { file, scenario, target } = planTexts(log.plan);
  const opened = (title: string, text: string) => {
    const lines = text.split('\n');
    const left = lines.length - planLines;
    return html`<details class="closed">
      <summary>${title}</summary>
      <pre>
${lines.slice(0, planLines).map((line) => [line, '\n'])}${left > 0 && `… ${left} more lines are in events.ndjson`}</pre>
    </details>`;
  };
  return sectionHtml(
    { title: 'Scenario and target', blocks: [] },
    html`<p class="small">
        The plan is the scenario as it ran, with all defaults and variables filled in. Secrets are masked.
      </p>
      ${file !== undefined && opened(`Scenario ${log.plan.scenario.path}`, file)}${opened('Plan', scenario)}${opened(`Target ${log.plan.target.path}`, target)}`,
  );
}
