import { escapeControlCharacters } from './control-characters.ts';

/**
 * External text for one line of a message, at most `maxChars` long; control characters are written as
 * \\uXXXX.
 */
export function messageText(text: string, maxChars: number): string {
  return escapeControlCharacters(text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`);
}
