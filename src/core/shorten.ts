import { stripControlCharacters } from './control-characters.ts';

/** Longest message of a sample or error, characters, because it may contain text of the target. */
const messageLimit = 300;

/** External text as a message: one line without control characters, truncated to 300 characters. */
export function shorten(text: string): string {
  const clean = stripControlCharacters(text).trim();
  return clean.length <= messageLimit ? clean : `${clean.slice(0, messageLimit - 1)}…`;
}
