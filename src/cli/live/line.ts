import { styleText } from 'node:util';
import stringWidth from 'string-width';
import { messageText } from '../../core/message-text.ts';

/** A part of a line. The text must be sufficient without the color. */
export interface Span {
  readonly text: string;
  readonly style?: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
}

/** One line of a block that is redrawn. */
export type Line = readonly Span[];

/** Available room, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Capabilities of a terminal. */
export interface Abilities {
  readonly color: boolean;
  /** Characters beyond ASCII. */
  readonly unicode: boolean;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Longer than any line of a terminal, characters. */
const mostChars = 2000;

/** Texts with one column per character. Other texts need the slow width computation; they come from outside firedrill. */
const simple = /^[\u0020-\u007E▁▂▅█✓✗·→…\u2800-\u28FF]*$/;

/** The number of columns of a text. */
export function widthOf(text: string): number {
  return columnsOf(messageText(text, mostChars));
}

function columnsOf(text: string): number {
  return simple.test(text) ? text.length : stringWidth(text);
}

/** Pads or truncates a text to a number of columns. */
export function fit(text: string, columns: number): string {
  const cut = cutTo(messageText(text, mostChars), columns, '…');
  return cut + ' '.repeat(Math.max(0, columns - columnsOf(cut)));
}

/** Joins parts with `between`, and wraps them into lines. The first line begins with `head`; the others have the same indent. */
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
 * Renders a line for a terminal, truncated to `columns`. Control characters in its texts are escaped, so external text cannot
 * move the cursor or change a color. Only this function adds escape sequences.
 */
export function paint(line: Line, columns: number, { color, unicode }: Abilities): string {
  let left = columns;
  let reported = '';
  for (const { text, style } of line) {
    const plain = unicode ? messageText(text, mostChars) : asciiOf(messageText(text, mostChars));
    const cut = cutTo(plain, left, unicode ? '…' : '~');
    left -= columnsOf(cut);
    reported +=
      color && style !== undefined && cut !== '' ? styleText(style, cut, { validateStream: false }) : cut;
    if (cut !== plain) break;
  }
  return reported;
}

/** The label of a line, in its own column. */
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

/** The frame of the spinner at a moment of any monotonic clock, ms. */
export function spinner(nowMs: number): string {
  return spinnerFrames[Math.floor(Math.max(0, nowMs) / 100) % spinnerFrames.length] ?? '';
}
