import { scaleLinear } from 'd3-scale';
import type { RunMs } from '../../core/time.ts';
import type { Range } from '../../analysis/intervals.ts';
import { html, type Html } from './template.ts';

/** A time axis that all lanes of a chart share. Positions are percent of the width, because a chart is as wide as the screen. */
export interface TimeAxis extends Range {
  /** Zero of the offsets, ms on the run clock. */
  readonly zeroMs: RunMs;
  readonly ticks: readonly Tick[];
  /** Position of a moment, percent; clamped to 0 and 100. */
  readonly at: (ms: RunMs) => number;
}

interface Tick {
  readonly at: number;
  readonly label: string;
  /** Hidden on a narrow screen. */
  readonly isMinor: boolean;
}

/** Number of ticks that fit on a phone. */
const tickCount = 4;

/** Minimum distance of two labels if one of them is anchored at the edge, percent of the width. */
const roomAtEdge = 13;

/** Percent with two decimals: 0.01 % of the width is less than a pixel. */
export function percent(value: number): string {
  return `${Number(value.toFixed(2))}%`;
}

/** The axis of a range; offsets count from `zeroMs`. */
export function timeAxis({ fromMs, toMs }: Range, zeroMs: RunMs): TimeAxis {
  const isLong = toMs - fromMs > 1_200_000;
  const [unitMs, unit] = isLong ? [60_000, 'min'] : [1000, 's'];
  const scale = scaleLinear()
    .domain([
      (fromMs - zeroMs) / unitMs,
      Math.max((toMs - zeroMs) / unitMs, (fromMs - zeroMs) / unitMs + 0.001),
    ])
    .range([0, 100])
    .clamp(true);
  const major = scale.ticks(tickCount);
  const step = (major[1] ?? 0) - (major[0] ?? 0);
  const between = major.flatMap((v) => [v - step / 2, v + step / 2]);
  const [low = 0, high = 0] = scale.domain();
  const inside = (v: number) => v >= low && v <= high;
  const tick = (value: number, isMinor: boolean): Tick => ({
    at: scale(value),
    label: value === 0 ? '0' : `${value < 0 ? '−' : '+'}${Number(Math.abs(value).toFixed(4))} ${unit}`,
    isMinor,
  });
  const minor = step > 0 ? [...new Set(between)].filter(inside) : [];
  const ticks = [...major.map((v) => tick(v, false)), ...minor.map((v) => tick(v, true))].sort(
    (a, b) => a.at - b.at,
  );
  return {
    fromMs,
    toMs,
    zeroMs,
    ticks: ticks.filter((one, i) => !(one.isMinor && isCrowded(one, ticks[i - 1], ticks[i + 1]))),
    at: (ms) => scale((ms - zeroMs) / unitMs),
  };
}

/** Whether a label overlaps a neighbor because one of the two is anchored at the edge. */
function isCrowded(tick: Tick, before: Tick | undefined, after: Tick | undefined): boolean {
  const meets = (other: Tick | undefined): boolean =>
    other !== undefined &&
    Math.abs(other.at - tick.at) < roomAtEdge &&
    [tick, other].some(({ at }) => anchorOf(at) !== 'middle');
  return meets(before) || meets(after);
}

/** Text anchor of a label, so that the edge cuts no label off. */
function anchorOf(at: number): 'start' | 'middle' | 'end' {
  return at < 4 ? 'start' : at > 96 ? 'end' : 'middle';
}

/** A chart row with the axis labels. */
export function axisRow({ ticks }: TimeAxis): Html {
  return html`<div class="lane axis" aria-hidden="true">
    <span class="label"></span
    ><svg class="band" height="18">
      ${ticks.map(({ at, label, isMinor }) => {
        const anchor = anchorOf(at);
        return html`<text x="${percent(at)}" y="13" text-anchor="${anchor}" ${isMinor && html` class="wide"`}
          >${label}</text
        >`;
      })}
    </svg>
  </div>`;
}
