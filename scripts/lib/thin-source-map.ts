const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/**
 * The mappings of a source map (ECMA-426) with the first position of each line only: stack traces show the right lines, and the
 * file is less than half as large. The map must have one source and no names.
 */
export function thinMappings(mappings: string): string {
  // Source, line, and column of the original are relative to the segment before, also across lines.
  const before = { line: 0, column: 0 };
  const kept = { line: 0, column: 0 };
  return mappings
    .split(';')
    .map((line) => {
      let first: { readonly generated: number; readonly line: number; readonly column: number } | undefined;
      for (const segment of line === '' ? [] : line.split(',')) {
        const [generated = 0, source = 0, lines = 0, columns = 0] = decode(segment);
        if (source !== 0) throw new Error('thin a source map: it has more than one source');
        before.line += lines;
        before.column += columns;
        first ??= { generated, ...before };
      }
      if (first === undefined) return '';
      const values = [first.generated, 0, first.line - kept.line, first.column - kept.column];
      Object.assign(kept, { line: first.line, column: first.column });
      return values.map(encode).join('');
    })
    .join(';');
}

/** The numbers of a segment: base64 VLQ, the sign in the lowest bit. */
function decode(segment: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const digit of segment) {
    const bits = digits.indexOf(digit);
    value += (bits & 31) << shift;
    shift += 5;
    if ((bits & 32) !== 0) continue;
    numbers.push((value & 1) === 0 ? value >> 1 : -(value >> 1));
    value = 0;
    shift = 0;
  }
  return numbers;
}

function encode(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = '';
  do {
    const bits = rest & 31;
    rest >>= 5;
    text += digits[rest > 0 ? bits | 32 : bits];
  } while (rest > 0);
  return text;
}
