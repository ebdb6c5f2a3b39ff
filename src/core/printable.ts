import { escapeControlCharacters } from './control-characters.ts';

/** A text for one line of a message, at most `maxChars` of it: what a terminal would obey is written as \\uXXXX. */
export function printable(text: string, maxChars: number): string {
  return escapeControlCharacters(text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`);
}
