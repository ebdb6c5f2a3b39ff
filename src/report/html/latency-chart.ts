import { scaleLinear, scaleLog } from 'd3-scale';
import { area, line } from 'd3-shape';
import type { BadWindow } from '../../analysis/windows.ts';
import { durationText } from '../../core/format-duration.ts';
import type { ProbeSummary } from '../../core/summary.ts';
import { type DurationMs, runMs } from '../../core/time.ts';
import type { LatencyBucket } from '../latency-over-time.ts';
import { axisRow, percent, type TimeAxis } from './axis.ts';
import { html, type Html, pathData } from './template.ts';

const height = 120;
/** Width of the curves' view box, before it is stretched to the screen. */
const width = 1000;
const windowLimit = 100;

/** Input of the latency chart of a probe. */
interface LatencyData {
  readonly probe: ProbeSummary;
  readonly buckets: readonly LatencyBucket[];
  readonly bad: readonly BadWindow[];
  /** A longer time without answers breaks the curve, ms. */
  readonly breakMs: DurationMs;
}

/** Latency of one probe over the run: minimum to maximum as an area, median and 99th percentile as lines. */
export function latencyChart(
  { probe: { id, latency }, buckets, bad, breakMs }: LatencyData,
  axis: TimeAxis,
): Html | null {
  if (latency === null || buckets.length === 0) return null;
  const least = Math.max(0.01, Math.min(...buckets.map((b) => b.minMs)));
  const most = Math.max(least * 2, ...buckets.map((b) => b.maxMs));
  const y = scaleLog().domain([least, most]).nice().range([height, 0]).clamp(true);
  const x = (b: LatencyBucket) => (axis.at(runMs((b.fromMs + b.toMs) / 2)) / 100) * width;
  const [low = least, high = most] = y.domain();
  const decades = y.ticks(3).filter((v) => Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-6);
  const ticks = decades.length >= 2 ? decades : [low, high];
  const runs = runsOf(buckets, breakMs);
  const place = (v: number) => y(Math.max(v, low));
  const band = area<LatencyBucket>()
    .x(x)
    .y0((b) => place(b.minMs))
    .y1((b) => place(b.maxMs))
    .digits(1);
  const curve = (of: (b: LatencyBucket) => number) =>
    line<LatencyBucket>()
      .x(x)
      .y((b) => place(of(b)))
      .digits(1);
  const paths = (name: string, draw: (run: LatencyBucket[]) => string | null) =>
    html`<path class="${name}" d="${pathData(pathOf(runs.map(draw)))}" />`;
  const words = `median ${durationText(latency.p50Ms)}, 99th percentile ${durationText(latency.p99Ms)}, longest ${durationText(latency.maxMs)}`;
  const shade = scaleLinear().domain([0, 100]).range([0, 100]).clamp(true);
  return html`<figure class="latency">
    <figcaption><b>${id}</b> ${words}</figcaption>
    <div class="lane">
      <span class="label yaxis" aria-hidden="true"
        ><svg width="100%" height="${height + 8}">
          ${ticks.map((v) => html`<text x="100%" dx="-4" y="${Number((y(v) + 8).toFixed(1))}" text-anchor="end">${tickText(v)}</text>`)}
        </svg></span
      ><svg
        class="band"
        height="${height + 8}"
        role="img"
        aria-label="latency of ${id} over the run: ${words}"
      >
        <svg y="4" height="${height}" width="100%" overflow="visible">
          ${ticks.map((v) => html`<line class="grid" x1="0" x2="100%" y1="${Number(y(v).toFixed(1))}" y2="${Number(y(v).toFixed(1))}" />`)}${bad
            .filter((w) => w.state === 'down')
            .slice(0, windowLimit)
            .map((w) => {
              const from = shade(axis.at(w.startLoMs));
              return html`<rect
                class="outage"
                x="${percent(from)}"
                width="${percent(shade(axis.at(w.endHiMs)) - from)}"
                height="${height}"
              />`;
            })}<svg
            width="100%"
            height="${height}"
            viewBox="0 0 ${width} ${height}"
            preserveAspectRatio="none"
          >
            ${paths('spread', (run) => band(run))}${paths(
              'p99',
              curve((b) => b.p99Ms),
            )}${paths(
              'p50',
              curve((b) => b.p50Ms),
            )}
          </svg>
        </svg>
      </svg>
    </div>
    ${axisRow(axis)}
  </figure> `;
}

/** Splits the buckets into runs: a gap longer than `breakMs` starts a new run. */
function runsOf(buckets: readonly LatencyBucket[], breakMs: DurationMs): LatencyBucket[][] {
  const runs: LatencyBucket[][] = [];
  let last: LatencyBucket | undefined;
  for (const bucket of buckets) {
    if (last === undefined || bucket.fromMs - last.toMs > breakMs) runs.push([]);
    runs.at(-1)?.push(bucket);
    last = bucket;
  }
  return runs;
}

/** Gives a run of a single bucket a length, because a line does not draw a point. */
function pathOf(parts: readonly (string | null)[]): string {
  return parts.map((part) => (part ?? '').replace(/Z$/, 'h1Z')).join('');
}

function tickText(ms: DurationMs): string {
  return ms < 1
    ? `${Number(ms.toPrecision(1))} ms`
    : ms < 1000
      ? `${Math.round(ms)} ms`
      : `${Number((ms / 1000).toPrecision(2))} s`;
}
