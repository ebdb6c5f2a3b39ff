import { stripControlCharacters } from './control-characters.ts';

/** Longest message that a sample or an error carries, characters: bounded, because targets write into it. */
const messageLimit = 300;

/** A text from outside as a message: one line without control characters, cut to 300 characters. */
export function shorten(text: string): string {
  const clean = stripControlCharacters(text).trim();
  return clean.length <= messageLimit ? clean : `${clean.slice(0, messageLimit - 1)}…`;
}
