import { closest, distance } from 'fastest-levenshtein';

/** `; did you mean "x"?` for a similar known word, else a list of the known words. */
export function suggest(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  if (near !== undefined) return `; did you mean "${near}"?`;
  return known.length === 0 ? '' : `; known: ${listed(known)}`;
}

/** Longest list of words in a message. */
const mostListed = 30;

/** `a, b, c`; a long list ends with the number of the other words. */
export function listed(words: readonly string[]): string {
  const rest = words.length - mostListed;
  return rest <= 0 ? words.join(', ') : `${words.slice(0, mostListed).join(', ')}, and ${rest} more`;
}

/** The known word of which `word` is a likely typo; undefined if there is none. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  // Two swapped letters count as one typo, even in a short word.
  const swapped = known.find((candidate) => isSwapped(word, candidate));
  if (swapped !== undefined || known.length === 0 || word.length > maxWordChars) return swapped;
  const near = closest(word, known);
  return distance(word, near) <= Math.max(1, Math.floor(word.length / 3)) ? near : undefined;
}

/** No known word is longer than this. */
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
