const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** A source map (ECMA-426). */
export interface SourceMap {
  readonly version: number;
  readonly file?: string;
  readonly names: readonly string[];
  readonly sources: readonly string[];
  /** Text of each source; null if it is left out. */
  readonly sourcesContent?: readonly (string | null)[] | undefined;
  readonly mappings: string;
}

/**
 * The map without names, and in each line without the positions that only change the column: stack traces show the right lines,
 * and the mappings are a quarter as long.
 */
export function thinSourceMap({ version, sources, sourcesContent, mappings }: SourceMap): SourceMap {
  return { version, names: [], sources, sourcesContent, mappings: thinMappings(mappings) };
}

function thinMappings(mappings: string): string {
  // Source, line, and column of the original are relative to the segment before, also across lines. The column of the code is
  // relative within its line.
  let [source, line, column] = [0, 0, 0];
  let kept = { source: 0, line: 0, column: 0 };
  return mappings
    .split(';')
    .map((codeLine) => {
      let codeColumn = 0;
      let keptCodeColumn: number | undefined;
      const segments: string[] = [];
      for (const segment of codeLine === '' ? [] : codeLine.split(',')) {
        const [right = 0, otherSource, down = 0, along = 0] = decode(segment);
        codeColumn += right;
        // Code that comes from no source.
        if (otherSource === undefined) continue;
        source += otherSource;
        line += down;
        column += along;
        if (keptCodeColumn !== undefined && source === kept.source && line === kept.line) continue;
        const moves = [source - kept.source, line - kept.line, column - kept.column];
        segments.push([codeColumn - (keptCodeColumn ?? 0), ...moves].map(encode).join(''));
        keptCodeColumn = codeColumn;
        kept = { source, line, column };
      }
      return segments.join(',');
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
