import { styleText } from 'node:util';
import stringWidth from 'string-width';
import { printable } from '../../core/printable.ts';

/** A part of a line; what a colour tells is told by its text as well. */
export interface Span {
  readonly text: string;
  readonly style?: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
}

/** One line of a block that is redrawn. */
export type Line = readonly Span[];

/** How much room there is, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What a terminal can show. */
export interface Abilities {
  readonly color: boolean;
  /** Characters beyond ASCII. */
  readonly unicode: boolean;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** More than any line has room for. */
const mostChars = 2000;

/** What the views are made of takes one column a character; only what others said is looked at more closely, which takes long. */
const simple = /^[\u0020-\u007E▁▂▅█✓✗·→…\u2800-\u28FF]*$/;

/** How many columns a text takes. */
export function widthOf(text: string): number {
  return columnsOf(printable(text, mostChars));
}

function columnsOf(text: string): number {
  return simple.test(text) ? text.length : stringWidth(text);
}

/** The text in exactly so many columns: filled up, or cut. */
export function fit(text: string, columns: number): string {
  const cut = cutTo(printable(text, mostChars), columns, '…');
  return cut + ' '.repeat(Math.max(0, columns - columnsOf(cut)));
}

/** Parts one after another, with `between` between two, in as many lines as they need; the first line begins with `head`, others are indented as far. */
export function flow(head: Span, parts: readonly Line[], between: string, columns: number): Line[] {
  const indent = widthOf(head.text);
  const lines: Span[][] = [[head]];
  let used = indent;
  for (const part of parts) {
    const width = lineWidth(part);
    const line = lines.at(-1);
    if (line === undefined || (used > indent && used + widthOf(between) + width > columns)) {
      lines.push([{ text: ' '.repeat(indent) }, ...part]);
      used = indent + width;
    } else {
      if (used > indent) line.push({ text: between, style: 'dim' });
      line.push(...part);
      used += (used > indent ? widthOf(between) : 0) + width;
    }
  }
  return lines;
}

/**
 * The line for a terminal, at most so many columns of it. What others said cannot move the cursor or change a colour:
 * nothing but this puts escape sequences in.
 */
export function paint(line: Line, columns: number, { color, unicode }: Abilities): string {
  let left = columns;
  let told = '';
  for (const { text, style } of line) {
    const plain = unicode ? printable(text, mostChars) : asciiOf(printable(text, mostChars));
    const cut = cutTo(plain, left, unicode ? '…' : '~');
    left -= columnsOf(cut);
    told +=
      color && style !== undefined && cut !== '' ? styleText(style, cut, { validateStream: false }) : cut;
    if (cut !== plain) break;
  }
  return told;
}

/** What a line is about, in a column of its own. */
export function label(text: string): Span {
  return { text: `  ${text.padEnd(8)} `, style: 'dim' };
}

function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0);
}

function cutTo(text: string, columns: number, mark: string): string {
  if (columnsOf(text) <= columns) return text;
  let cut = '';
  let width = 0;
  for (const { segment } of segmenter.segment(text)) {
    width += columnsOf(segment);
    if (width > columns - 1) break;
    cut += segment;
  }
  return columns > 0 ? cut + mark : '';
}

const ascii: Readonly<Record<string, string>> = {
  '▁': '_',
  '▂': '.',
  '▅': 'o',
  '█': '#',
  '✓': '+',
  '✗': 'x',
  '·': '-',
  '→': '>',
  '…': '~',
};
const spinnerFrames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const asciiFrames = String.raw`|/-\|/-\|/`;

function asciiOf(text: string): string {
  return text.replaceAll(
    /[^\u0020-\u007E]/gu,
    (character) => ascii[character] ?? asciiFrames[spinnerFrames.indexOf(character)] ?? '?',
  );
}

/** The sign of something under way, at that moment. */
export function spinner(nowMs: number): string {
  return spinnerFrames[Math.floor(Math.max(0, nowMs) / 100) % spinnerFrames.length] ?? '';
}
