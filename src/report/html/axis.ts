import { scaleLinear } from 'd3-scale';
import type { Range } from '../../analysis/intervals.ts';
import { html, type Html } from './safe.ts';

/** A time axis that all lanes of a chart share. Places are percent of the width: a chart is as wide as its reader's screen. */
export interface TimeAxis extends Range {
  /** What offsets count from, ms on the run clock. */
  readonly zeroMs: number;
  readonly ticks: readonly Tick[];
  /** A moment's place, percent; what lies outside is at the edge. */
  readonly at: (ms: number) => number;
}

interface Tick {
  readonly at: number;
  readonly label: string;
  /** Left out on a narrow screen. */
  readonly isMinor: boolean;
}

/** Ticks that a phone has room for. */
const tickCount = 4;

/** Percent of the width that two labels need where the edge has pushed one of them. */
const roomAtEdge = 13;

/** Percent with two digits: a thousandth of the width is less than a pixel. */
export function percent(value: number): string {
  return `${Number(value.toFixed(2))}%`;
}

/** The axis of a range; offsets count from `zeroMs`. */
export function timeAxis({ fromMs, toMs }: Range, zeroMs: number): TimeAxis {
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

/** Whether a label would meet another that the edge pushes towards it, or is pushed itself. */
function isCrowded(tick: Tick, before: Tick | undefined, after: Tick | undefined): boolean {
  const meets = (other: Tick | undefined): boolean =>
    other !== undefined &&
    Math.abs(other.at - tick.at) < roomAtEdge &&
    [tick, other].some(({ at }) => anchorOf(at) !== 'middle');
  return meets(before) || meets(after);
}

/** Which end of a label is at its place: none is cut off by the edge. */
function anchorOf(at: number): 'start' | 'middle' | 'end' {
  return at < 4 ? 'start' : at > 96 ? 'end' : 'middle';
}

/** The axis with its labels, as a row of a chart. */
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
