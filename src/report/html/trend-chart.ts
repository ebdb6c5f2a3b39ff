import { limitText } from '../../core/format-duration.ts';
import type { DurationMs } from '../../core/time.ts';
import { scaleLinear } from 'd3-scale';
import type { KeptRun } from '../../analysis/kept-run.ts';
import { measureText } from '../../analysis/format.ts';
import { rtoLimitMs } from '../verdict-text.ts';
import { percent } from './axis.ts';
import { html, type Html, pathData } from './template.ts';

const height = 132;
/** Free space above the largest value, for runs without an RTO. */
const headroomPx = 22;
/** Vertical position of runs without an RTO, px. */
const withoutPx = 10;
const tickCount = 4;
/** Assumed width of a character, and of a chart on a phone, px. */
const characterPx = 6.5;
const narrowPx = 240;

type Shape = KeptRun['verdict'] | 'unhealed';

const shapes: Readonly<Record<Shape, string>> = {
  pass: 'M0,-4L2.8,-2.8L4,0L2.8,2.8L0,4L-2.8,2.8L-4,0L-2.8,-2.8Z',
  fail: 'M-4.5,-4.5L4.5,4.5M-4.5,4.5L4.5,-4.5',
  inconclusive: 'M0,-5.5L5.5,0L0,5.5L-5.5,0Z',
  unhealed: 'M-5,-5H5V5H-5Z',
};

function shapeOf({ verdict, healed }: KeptRun): Shape {
  return healed ? verdict : 'unhealed';
}

/** A chart of one drill's RTO by run, oldest first: bounds as bars, the verdict as a shape, the newest budget as a line. */
export function trendChart(name: string, runs: readonly KeptRun[], words: string): Html {
  const budget = runs.flatMap((run) => rtoLimitMs(run) ?? []).at(-1);
  const most = Math.max(1000, budget ?? 0, ...runs.map(({ rto }) => rto?.maxMs ?? 0));
  const y = scaleLinear()
    .domain([0, most])
    .range([height - 6, headroomPx]);
  const at = (i: number) => ((i + 0.5) / runs.length) * 100;
  const reported = `RTO of ${name} over ${runs.length} runs: ${words}${budget === undefined ? '' : `; budget ${limitText(budget)}`}`;
  return html`<div class="trend">
      <span class="yaxis" aria-hidden="true"
        ><svg width="100%" height="${height}">
          ${y.ticks(tickCount).map((ms) => html`<text x="100%" dx="-5" y="${px(y(ms) + 4)}" text-anchor="end">${tickText(ms)}</text>`)}
        </svg></span
      ><svg class="band" height="${height}" role="img" aria-label="${reported}">
        <rect class="ground" width="100%" height="${height}" />
        ${y.ticks(tickCount).map((ms) => html`<line class="grid" x1="0" x2="100%" y1="${px(y(ms))}" y2="${px(y(ms))}" />`)}${releasesOf(
          runs,
        )
          .filter(({ first }) => first > 0)
          .map(({ first }) =>
            releaseLine(percent((first / runs.length) * 100)),
          )}${budget !== undefined && budgetLine(budget, y(budget))}${runs.map((run, i) => point(run, at(i), y))}
      </svg>
    </div>
    ${axisOf(runs)} `;
}

function px(value: number): number {
  return Number(value.toFixed(1));
}

function tickText(ms: DurationMs): string {
  return ms >= 120_000 ? `${Number((ms / 60_000).toFixed(1))} min` : `${Number((ms / 1000).toFixed(2))} s`;
}

function budgetLine(ms: DurationMs, at: number): Html {
  return html`<line class="budget" x1="0" x2="100%" y1="${px(at)}" y2="${px(at)}" /><text
      class="budgettext in"
      x="4"
      y="${px(at - 4)}"
      >budget ${limitText(ms)}</text
    >`;
}

function releaseLine(at: string): Html {
  return html`<line class="release" x1="${at}" x2="${at}" y1="0" y2="100%" />`;
}

function point(run: KeptRun, at: number, y: (ms: DurationMs) => number): Html {
  const { rto, startedAt, label, verdict, healed } = run;
  const place = rto === null ? withoutPx : y(rto.ms);
  const bounds =
    rto === null
      ? null
      : pathData(
          `M0,${px(y(rto.minMs))}V${px(y(rto.maxMs))}M-3,${px(y(rto.minMs))}h6M-3,${px(y(rto.maxMs))}h6`,
        );
  const words = [
    startedAt.slice(0, 16).replace('T', ' '),
    ...(label === undefined ? [] : [label]),
    healed ? verdict : `${verdict}, NOT HEALED`,
    rto === null ? 'no RTO measured' : measureText(rto),
  ].join(', ');
  return html`<svg x="${percent(at)}" overflow="visible">
    <title>${words}</title>
    ${bounds !== null && html`<path class="error" d="${bounds}" />`}
    <svg y="${px(place)}" overflow="visible">
      <path class="point ${shapeOf(run)}" d="${pathData(shapes[shapeOf(run)])}" />
    </svg>
  </svg>`;
}

interface Release {
  readonly label: string;
  /** Index of its first consecutive run. */
  readonly first: number;
}

/** The runs at which the label changes; empty if no run has a label. */
function releasesOf(runs: readonly KeptRun[]): readonly Release[] {
  return runs.flatMap(({ label }, first) =>
    label === undefined || label === runs[first - 1]?.label ? [] : [{ label, first }],
  );
}

/** The names of releases that fit, and the first and last date. */
function axisOf(runs: readonly KeptRun[]): Html {
  let freeFrom = 0;
  const names = releasesOf(runs).flatMap(({ label, first }) => {
    const from = first / runs.length;
    const short = label.length > 14 ? `${label.slice(0, 13)}…` : label;
    const to = from + (short.length * characterPx) / narrowPx;
    if (from < freeFrom || to > 1) return [];
    freeFrom = to;
    return [html`<text x="${percent(from * 100)}" y="12">${short}</text>`];
  });
  const dates = [runs[0], runs.length > 1 ? runs.at(-1) : undefined].flatMap((run, i) =>
    run === undefined
      ? []
      : [
          html`<text x="${i === 0 ? 0 : 100}%" y="12" text-anchor="${i === 0 ? 'start' : 'end'}"
            >${run.startedAt.slice(0, 10)}</text
          >`,
        ],
  );
  const row = (texts: readonly Html[]) =>
    html`<div class="trend axis" aria-hidden="true">
      <span></span><svg class="band" height="15">${texts}</svg>
    </div>`;
  return html`${names.length > 0 && row(names)}${row(dates)}`;
}

const legendEntries: readonly (readonly [Shape, string])[] = [
  ['pass', 'pass'],
  ['fail', 'fail'],
  ['inconclusive', 'inconclusive'],
  ['unhealed', 'not healed'],
];

/** The legend of the shapes. */
export function trendLegend(): Html {
  return html`<ul class="legend">
    ${legendEntries.map(
      ([shape, words]) =>
        html`<li>
          <svg aria-hidden="true">
            <svg x="13" y="8" overflow="visible">
              <path class="point ${shape}" d="${pathData(shapes[shape])}" />
            </svg></svg
          >${words}
        </li>`,
    )}
    <li>
      <svg aria-hidden="true">
        <svg x="13" overflow="visible">
          <path class="error" d="${pathData('M0,2V14M-3,2h6M-3,14h6')}" />
        </svg></svg
      >bounds
    </li>
    <li>
      <svg aria-hidden="true"><line class="budget" x1="0" x2="26" y1="8" y2="8" /></svg>budget
    </li>
    <li>
      <svg aria-hidden="true"><line class="release" x1="13" x2="13" y1="0" y2="16" /></svg>release change
    </li>
  </ul> `;
}
