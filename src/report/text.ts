import { stripControlCharacters } from '../core/control-characters.ts';

/**
 * External text (probe bodies, messages, names) as one safe line for a terminal. Control characters, which could move the
 * cursor or change colors, and characters that reverse the writing direction become spaces.
 */
export function plain(text: string): string {
  return stripControlCharacters(text).trim();
}

/** External text escaped for a Markdown paragraph, list, or table cell. */
export function markdown(text: string): string {
  return (
    plain(text)
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(/[\\`*_{}[\]|#~!$^]/g, (c) => `\\${c}`)
      .replace(/:\/\//g, '&#58;//')
      // A mention, but not the @ within `probe@host`.
      .replace(/(?<![A-Za-z0-9])@/g, '&#64;')
      // `probe@host.name` would become an email link. An invisible word joiner after the @ prevents it.
      .replace(/@(?=[\w-]+\.\w)/g, '@&#8288;')
      .replace(/\bwww\./gi, (w) => `${w.slice(0, 3)}&#46;`)
      .replace(/^([-+=])(?=[-+=\s]|$)/, '\\$1')
      .replace(/^(\d+)([.)])(?=\s|$)/, '$1\\$2')
  );
}

/** A bar of `share` (0 to 1) in `width` cells; a share above 0 has at least one cell. */
export function bar(share: number, width: number): string {
  const cells = share <= 0 ? 0 : Math.min(width, Math.max(1, Math.round(share * width)));
  return '█'.repeat(cells);
}

/** Rows padded to aligned columns; the last column is not padded. */
export function aligned(
  rows: readonly (readonly string[])[],
  rightAligned: readonly number[] = [],
): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        if (rightAligned.includes(index)) return cell.padStart(width);
        return index === row.length - 1 ? cell : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** `1 window`, `2 windows`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The text with a capital first letter. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Words of a cell on lines of at most `limit` characters; a longer word is cut. */
export function wrap(text: string, limit: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).flatMap((w) => cut(w, limit))) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= limit)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.length === 0 ? [''] : lines;
}

function cut(word: string, limit: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < word.length; at += limit) parts.push(word.slice(at, at + limit));
  return parts;
}
