/** The context that `JSON.parse` passes to a reviver: the source text of a primitive. */
interface Source {
  readonly source?: string;
}

/**
 * Parses JSON without loss: a number that a double cannot represent, such as a 64-bit LSN, becomes a string
 * with all of its digits.
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  const exact = (_key: string, value: unknown, context?: Source): unknown =>
    typeof value === 'number' && isLossy(value) ? (context?.source ?? value) : value;
  return JSON.parse(text, exact);
}

/** Whole numbers beyond 2^53, and numbers that overflow to infinity. */
function isLossy(value: number): boolean {
  return !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value));
}
