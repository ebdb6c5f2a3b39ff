/* oxlint-disable no-control-regex -- the only file that lists the control characters of external text */

/**
 * C0, DEL, C1, and Unicode's line and paragraph separators: a terminal may interpret them, and they break a
 * line.
 */
const control = String.raw`\u0000-\u001f\u007f-\u009f\u2028\u2029`;
/**
 * These reverse the direction of the text after them (U+061C, U+200E, U+202A, U+2066, …) or have no width, so
 * that different texts look alike.
 */
const invisible = String.raw`\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff`;

const controlRuns = new RegExp(`[${control}]+`, 'g');
const controlRunsInLines = new RegExp(`(?:(?![\\t\\n])[${control}])+`, 'g');
const invisibles = new RegExp(`[${invisible}]`, 'g');
const either = new RegExp(`[${control}${invisible}]`, 'g');

/**
 * External text as one line: a run of control characters becomes a space, and invisible characters are
 * removed.
 */
export function stripControlCharacters(text: string): string {
  return text.replace(controlRuns, ' ').replace(invisibles, '');
}

/** As `stripControlCharacters`, but keeps line ends (as `\n`) and tabs. */
export function stripControlCharactersInLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(controlRunsInLines, ' ').replace(invisibles, '');
}

/**
 * External text for a message in which every character matters: control and invisible characters are written
 * as `\uXXXX`.
 */
export function escapeControlCharacters(text: string): string {
  return text.replace(either, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
