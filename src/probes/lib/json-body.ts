/** What `JSON.parse` tells a reviver of a primitive: its text. */
interface Source {
  readonly source?: string;
}

/**
 * Parses JSON without loss: a number that a double cannot hold, such as a 64-bit LSN, becomes a text with all of its digits.
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  const exact = (_key: string, value: unknown, context?: Source): unknown =>
    typeof value === 'number' && isLossy(value) ? (context?.source ?? value) : value;
  return JSON.parse(text, exact);
}

/** Whole numbers beyond 2^53, and what is beyond all. */
function isLossy(value: number): boolean {
  return !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value));
}
