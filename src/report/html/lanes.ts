import { latest, type RunMs } from '../../core/time.ts';
import { axisRow, percent, type TimeAxis } from './axis.ts';
import { html, type Html } from './template.ts';

/** Kind of a piece of a lane. Each has its own shape or pattern, because color alone is not accessible. */
export type PieceKind =
  | 'good'
  | 'value'
  | 'down'
  | 'edge'
  | 'slow'
  | 'unknown'
  | 'owner'
  | 'maybe'
  | 'none'
  | 'multiple'
  | 'fault'
  | 'stage'
  | 'longest'
  | 'phase'
  | 'calm'
  | 'pressed'
  | 'starved';

/** A piece of a lane, ms on the run clock. */
export interface Piece {
  readonly fromMs: RunMs;
  readonly toMs: RunMs;
  readonly kind: PieceKind;
  /** Text inside the piece, if it fits. */
  readonly label?: string;
  /** Tooltip. */
  readonly title: string;
}

export type MarkerShape = 'issued' | 'acked' | 'effect' | 'heal' | 'healed' | 'mark';

/** A moment of a lane. */
export interface Marker {
  readonly atMs: RunMs;
  readonly shape: MarkerShape;
  readonly title: string;
}

/** One band on the shared axis. */
export interface Lane {
  readonly label: string;
  /** Text alternative of the band. */
  readonly words: string;
  readonly pieces: readonly Piece[];
  readonly markers?: readonly Marker[];
}

/** Lanes under one title. */
export interface LaneGroup {
  readonly title: string;
  readonly lanes: readonly Lane[];
}

/** A vertical line through all lanes. */
export interface Guide {
  readonly atMs: RunMs;
  readonly kind: 'effect' | 'recovered';
  readonly label: string;
}

const height = 16;
/** Top and height of each kind of piece, px. */
const extents: Readonly<Record<PieceKind, readonly [top: number, height: number]>> = {
  good: [6, 4],
  value: [2, 12],
  down: [0, 16],
  edge: [3, 10],
  slow: [3, 10],
  unknown: [5, 6],
  owner: [2, 12],
  maybe: [5, 6],
  none: [2, 12],
  multiple: [0, 16],
  fault: [4, 8],
  stage: [1, 14],
  longest: [1, 14],
  phase: [1, 14],
  calm: [10, 4],
  pressed: [6, 8],
  starved: [0, 14],
};

/** Drawing order: later kinds cover earlier kinds. */
const gravity: readonly PieceKind[] = [
  'good',
  'value',
  'owner',
  'calm',
  'pressed',
  'starved',
  'phase',
  'stage',
  'longest',
  'fault',
  'maybe',
  'unknown',
  'slow',
  'edge',
  'none',
  'down',
  'multiple',
];

const shapes: Readonly<Record<MarkerShape, string>> = {
  issued: 'M-4 3L5 8L-4 13Z',
  acked: 'M0 2V14',
  effect: 'M0 1L6 8L0 15L-6 8Z',
  heal: 'M-5 3H5L0 13Z',
  healed: 'M-5 8L-1.5 12L5 3',
  mark: 'M0 2V14M-2 2H2',
};

/** Maximum pieces of all lanes of a chart together; above it, pieces are merged. */
const pieceBudget = 3000;
/** Maximum lanes of a chart. */
const laneLimit = 120;
/** Assumed width of a character, and of a chart on a screen and on a phone, px. */
const characterPx = 6.2;
const wideChartPx = 820;
const narrowChartPx = 320;

/** The lanes on their axis, with the guides through all lanes. `id` is unique in the page. */
export function laneChart(
  id: string,
  groups: readonly LaneGroup[],
  axis: TimeAxis,
  guides: readonly Guide[],
): Html {
  const count = groups.reduce((n, g) => n + g.lanes.length, 0);
  const limit = Math.max(20, Math.floor(pieceBudget / Math.max(1, Math.min(count, laneLimit))));
  let left = laneLimit;
  const shown = groups.flatMap(({ title, lanes }) => {
    const some = lanes.slice(0, left);
    left -= some.length;
    return some.length === 0 ? [] : [{ title, lanes: some }];
  });
  const symbol = (part: string, lines: readonly Html[]) => html`<symbol id="${id}-${part}">${lines}</symbol>`;
  const grid = axis.ticks.map(({ at, isMinor }) => line(at, isMinor ? 'grid wide' : 'grid'));
  const through = guides.map(({ atMs, kind }) => line(axis.at(atMs), `guide ${kind}`));
  return html`<svg class="hidden" aria-hidden="true">${symbol('grid', grid)}${symbol('guides', through)}</svg>
    <div class="lanes">
      ${guideRow(guides, axis)}${axisRow(axis)}${shown.map(
        ({ title, lanes }) =>
          html`<h3>${title}</h3>
            ${lanes.map((lane) => laneRow(id, lane, axis, limit))} `,
      )}
    </div>
    ${count > laneLimit && html`<p>${count - laneLimit} more lanes are not drawn; summary.json has all.</p>`}`;
}

function line(at: number, name: string): Html {
  return html`<line class="${name}" x1="${percent(at)}" x2="${percent(at)}" y1="0" y2="100%" />`;
}

/** A row that labels the guides. */
function guideRow(guides: readonly Guide[], axis: TimeAxis): Html {
  return html`<div class="lane" aria-hidden="true">
    <span class="label"></span
    ><svg class="band" height="${14 * guides.length + 2}">
      ${guides.map(({ atMs, kind, label }, row) => {
        const at = axis.at(atMs);
        const isLeft = at > 60;
        return html`<line
            class="guide ${kind}"
            x1="${percent(at)}"
            x2="${percent(at)}"
            y1="${14 * row}"
            y2="100%"
          /><svg x="${percent(at)}" y="${14 * row}" overflow="visible">
            <text class="name" x="${isLeft ? -5 : 5}" y="11" text-anchor="${isLeft ? 'end' : 'start'}">
              ${label}
            </text>
          </svg>`;
      })}
    </svg>
  </div>`;
}

function laneRow(id: string, lane: Lane, axis: TimeAxis, limit: number): Html {
  const { label, words, markers = [] } = lane;
  const pieces = coarser(within(lane.pieces, axis), axis, limit);
  const moments = markers.filter(({ atMs }) => atMs >= axis.fromMs && atMs <= axis.toMs).slice(0, limit);
  return html` <div class="lane">
    <span class="label">${label}</span
    ><svg class="band" height="${height}" role="img" aria-label="${label}: ${words}">
      <use href="#${id}-grid" />
      ${pieces.map((p) => pieceShape(p, axis))}
      <use href="#${id}-guides" />
      ${pieces.map((p) => pieceText(p, axis))}${moments.map((m) => markerShape(m, axis))}
    </svg>
  </div>`;
}

function pieceShape({ fromMs, toMs, kind, title }: Piece, axis: TimeAxis): Html {
  const [top, tall] = extents[kind];
  const from = axis.at(fromMs);
  return html`<rect
    class="${kind}"
    x="${percent(from)}"
    y="${top}"
    width="${percent(axis.at(toMs) - from)}"
    height="${tall}"
    ><title>${title}</title></rect
  >`;
}

/** The label inside a piece, if it fits; a phone fits less than a screen. */
function pieceText({ fromMs, toMs, label = '' }: Piece, axis: TimeAxis): Html | null {
  const from = axis.at(fromMs);
  const share = axis.at(toMs) - from;
  const neededPx = label.length * characterPx + 6;
  if (label === '' || (share / 100) * wideChartPx < neededPx) return null;
  const isWide = (share / 100) * narrowChartPx < neededPx;
  return html`<svg x="${percent(from)}" width="${percent(share)}" height="${height}">
    <text class="${isWide ? 'in wide' : 'in'}" x="4" y="12">${label}</text>
  </svg>`;
}

function markerShape({ atMs, shape, title }: Marker, axis: TimeAxis): Html {
  return html`<svg x="${percent(axis.at(atMs))}" overflow="visible">
    <path class="marker ${shape}" d="${shapes[shape]}"><title>${title}</title></path>
  </svg>`;
}

/** The pieces that touch the range, in drawing order. */
function within(pieces: readonly Piece[], { fromMs, toMs }: TimeAxis): readonly Piece[] {
  return pieces
    .filter((p) => p.toMs >= fromMs && p.fromMs <= toMs)
    .sort((a, b) => gravity.indexOf(a.kind) - gravity.indexOf(b.kind));
}

/** Merges pieces of one kind that are too close to be distinguished, if there are more than `limit`. */
function coarser(pieces: readonly Piece[], axis: TimeAxis, limit: number): readonly Piece[] {
  if (pieces.length <= limit) return pieces;
  const kinds = [...new Set(pieces.map((p) => p.kind))];
  const each = Math.max(4, Math.floor(limit / kinds.length));
  return kinds.flatMap((kind) => {
    const own = pieces.filter((p) => p.kind === kind).sort((a, b) => a.fromMs - b.fromMs);
    if (own.length <= each) return own;
    const cellMs = (axis.toMs - axis.fromMs) / each;
    const joined = new Map<number, { fromMs: RunMs; toMs: RunMs; count: number; first: Piece }>();
    for (const piece of own) {
      const cell = Math.floor((latest(piece.fromMs, axis.fromMs) - axis.fromMs) / cellMs);
      const at = joined.get(cell);
      if (at === undefined)
        joined.set(cell, { fromMs: piece.fromMs, toMs: piece.toMs, count: 1, first: piece });
      else {
        at.toMs = latest(at.toMs, piece.toMs);
        at.count++;
      }
    }
    return [...joined.values()].map(({ fromMs, toMs, count, first }) =>
      count === 1 ? first : { fromMs, toMs, kind, title: `${count} pieces, drawn as one: ${first.title}, …` },
    );
  });
}

const legendPieces: readonly (readonly [PieceKind, string])[] = [
  ['good', 'good'],
  ['value', 'good, with the reported value'],
  ['down', 'down'],
  ['edge', 'bounds of the start or end of down'],
  ['slow', 'slow'],
  ['unknown', 'unknown'],
  ['owner', 'owner'],
  ['none', 'no owner'],
  ['multiple', 'multiple owners'],
  ['longest', 'longest stage'],
  ['calm', 'machine has enough CPU'],
  ['pressed', 'machine short of CPU'],
  ['starved', 'machine starved of CPU'],
];
const legendMarkers: readonly (readonly [MarkerShape, string])[] = [
  ['issued', 'fault issued'],
  ['acked', 'acknowledged'],
  ['effect', 'effect'],
  ['heal', 'heal began'],
  ['healed', 'heal proven'],
  ['mark', 'mark in a log'],
];

/** The legend of shapes and patterns. */
export function legend(): Html {
  return html`<ul class="legend">
    ${legendPieces.map(([kind, words]) => {
      const [top, tall] = extents[kind];
      return html`<li>
        <svg aria-hidden="true"><rect class="${kind}" x="1" y="${top}" width="24" height="${tall}" /></svg
        >${words}
      </li>`;
    })}${legendMarkers.map(
      ([shape, words]) =>
        html`<li>
          <svg aria-hidden="true">
            <svg x="12" overflow="visible"><path class="marker ${shape}" d="${shapes[shape]}" /></svg></svg
          >${words}
        </li>`,
    )}
  </ul> `;
}
