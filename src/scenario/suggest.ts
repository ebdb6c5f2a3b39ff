import { closest, distance } from 'fastest-levenshtein';

/** `; did you mean "x"?` when a known word is near, else a list of the known ones. */
export function suggest(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  if (near !== undefined) return `; did you mean "${near}"?`;
  return known.length === 0 ? '' : `; known: ${known.join(', ')}`;
}

/** The known word that a word is a slip of the hand away from; undefined where none is. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  // Two letters in the wrong order are one slip, however short the word.
  const swapped = known.find((candidate) => isSwapped(word, candidate));
  if (swapped !== undefined || known.length === 0 || word.length > maxWordChars) return swapped;
  const near = closest(word, known);
  return distance(word, near) <= Math.max(1, Math.floor(word.length / 3)) ? near : undefined;
}

/** No word that could be meant is that long. */
const maxWordChars = 200;

function isSwapped(word: string, other: string): boolean {
  if (word.length !== other.length) return false;
  let at = 0;
  while (at < word.length && word[at] === other[at]) at++;
  return (
    at < word.length - 1 &&
    word[at] === other[at + 1] &&
    word[at + 1] === other[at] &&
    word.slice(at + 2) === other.slice(at + 2)
  );
}
