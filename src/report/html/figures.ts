import { scaleLinear } from 'd3-scale';
import { dominantStage } from '../../analysis/stages.ts';
import { durationText, limitText } from '../../core/format-duration.ts';
import type { Measure, Stage } from '../../core/summary.ts';
import type { DurationMs } from '../../core/time.ts';
import { stagePredictionText, stageText } from '../verdict-text.ts';
import { percent } from './axis.ts';
import { html, type Html } from './template.ts';

type Bounds = Pick<Measure, 'minMs' | 'maxMs'>;

/** Scale maximum divided by the largest value: leaves room at the right edge. */
const headroom = 1.08;

/** A measure as a bar: solid up to the lower bound, hatched up to the upper bound, with the limit as a line. */
export function gauge(measure: Measure, limitMs: DurationMs | undefined): Html {
  const { ms, minMs, maxMs } = measure;
  const scale = scaleLinear()
    .domain([0, Math.max(maxMs, limitMs ?? 0, 1) * headroom])
    .range([0, 100]);
  const limit = limitMs === undefined ? undefined : scale(limitMs);
  const words = `${durationText(ms)}, bounds ${durationText(minMs)} to ${durationText(maxMs)}${limitMs === undefined ? '' : `; limit ${limitText(limitMs)}`}`;
  return html`<svg class="gauge" height="${limit === undefined ? 16 : 34}" role="img" aria-label="${words}">
    ${boundsRects(scale, measure, 14)}${
      limit !== undefined &&
      html`<line class="limit" x1="${percent(limit)}" x2="${percent(limit)}" y1="0" y2="22" /><text
          x="${percent(limit)}"
          y="32"
          text-anchor="${limit < 15 ? 'start' : limit > 85 ? 'end' : 'middle'}"
          >limit ${limitText(limitMs ?? 0)}</text
        >`
    }
  </svg>`;
}

/** A bar: solid up to the lower bound, hatched up to the upper bound; `scale` returns percent. */
function boundsRects(scale: (ms: DurationMs) => number, { minMs, maxMs }: Bounds, height: number): Html {
  return html`<rect class="track" width="100%" height="${height}" y="1" />
    <rect class="sure" width="${percent(scale(minMs))}" height="${height}" y="1" />
    <rect
      class="might"
      x="${percent(scale(minMs))}"
      width="${percent(scale(maxMs) - scale(minMs))}"
      height="${height}"
      y="1"
    /> `;
}

/** The bar of a table row: solid up to the lower bound, hatched up to the upper bound, `atMs` marked. `longestMs` is the end of the scale that all rows share. */
export function boundsBar(bounds: Bounds, atMs: DurationMs, longestMs: DurationMs, words: string): Html {
  const scale = scaleLinear().domain([0, longestMs]).range([0, 100]);
  return html`<svg class="bar" height="12" role="img" aria-label="${words}">
    ${boundsRects(scale, bounds, 10)}
    <line class="limit" x1="${percent(scale(atMs))}" x2="${percent(scale(atMs))}" y1="0" y2="12" />
  </svg>`;
}

/** The stages of a chain as bars at their start, the longest marked; `of` names the sum. */
export function waterfall(stages: readonly Stage[], totalMs: DurationMs, of: string): Html | null {
  const dominant = dominantStage(stages);
  if (dominant === undefined) return null;
  let cursor = 0;
  const rows = stages.map((stage) => {
    const fromMs = cursor;
    cursor += stage.ms;
    return { stage, fromMs };
  });
  const predictedEnds = rows.map(({ stage, fromMs }) => fromMs + (stage.predicted?.maxMs ?? 0));
  const scale = scaleLinear()
    .domain([0, Math.max(cursor, ...predictedEnds, 1)])
    .range([0, 100]);
  return html`<ol class="waterfall">
      ${rows.map(({ stage, fromMs }) => {
        const { name, ms, includes, predicted } = stage;
        const expected = stagePredictionText(stage);
        const isLongest = stage === dominant;
        const share = totalMs > 0 ? (ms / totalMs) * 100 : 0;
        return html`<li${isLongest && html` class="dominant"`}><span class="name">${name}${isLongest && html` <em>longest</em>`}</span><span class="took"><b>${stageText(stage)}</b> ${share.toFixed(1)} %</span><svg class="bar" height="${predicted === undefined ? 16 : 24}" aria-hidden="true"><rect class="track" width="100%" height="14" y="1"/><rect class="${isLongest ? 'longest' : 'stage'}" x="${percent(scale(fromMs))}" width="${percent(scale(ms))}" height="14" y="1"/>${
          predicted !== undefined &&
          html`<line
              class="predicted"
              x1="${percent(scale(fromMs + predicted.minMs))}"
              x2="${percent(scale(fromMs + predicted.maxMs))}"
              y1="20"
              y2="20"
            />${[predicted.minMs, predicted.medianMs, predicted.maxMs].map((at) => html`<line class="predicted" x1="${percent(scale(fromMs + at))}" x2="${percent(scale(fromMs + at))}" y1="17" y2="23" />`)}`
        }</svg>${(predicted !== undefined || includes.length > 0) && html`<span class="note">${[expected === undefined ? undefined : `predicted ${expected}`, includes.length === 0 ? undefined : `includes ${includes.join(', ')}: unobserved`].filter((w) => w !== undefined).join('; ')}</span>`}</li>
`;
      })}
    </ol>
    <p class="small">The stages sum to the ${of}, ${durationText(totalMs)}.</p> `;
}
