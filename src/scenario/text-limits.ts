import { CST, Lexer } from 'yaml';

/** Something that a file must not contain, and the offset where it begins. */
export interface TextProblem {
  readonly offset: number;
  readonly message: string;
}

/** Deepest nesting that is parsed. Hand-written files have fewer than ten levels. */
export const maxDepth = 50;

// Characters that YAML 1.2 does not allow (section 5.1), and U+FFFD, which the decoder writes for bytes that are not UTF-8.
// oxlint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u0084\u0086-\u009F\uFEFF\uFFFD-\uFFFF]/;
const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** The first character that YAML does not allow. */
export function characterProblem(text: string): TextProblem | undefined {
  const found = forbidden.exec(text) ?? loneSurrogate.exec(text);
  if (found === null) return undefined;
  const [character] = found;
  if (character === '\uFFFD')
    return { offset: found.index, message: 'the file is not UTF-8 from here on; save it as UTF-8' };
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return { offset: found.index, message: `the character U+${code} is not allowed in YAML; remove it` };
}

/**
 * The first place that is nested too deep. This check runs before the parser, which recurses for each level and ends the
 * whole process at some thousands of levels. Levels by indentation are not counted: each needs a longer line than the one
 * before, so the limit on characters bounds them.
 */
export function depthProblem(text: string): TextProblem | undefined {
  let offset = 0;
  let inFlow = 0;
  let inLine = 0;
  for (const token of new Lexer().lex(text)) {
    switch (CST.tokenType(token)) {
      case 'flow-map-start':
      case 'flow-seq-start':
        inFlow++;
        break;
      case 'flow-map-end':
      case 'flow-seq-end':
        inFlow--;
        break;
      case 'seq-item-ind':
      case 'explicit-key-ind':
      case 'map-value-ind':
        inLine++;
        break;
      case 'newline':
        inLine = 0;
        break;
      // Tokens that the lexer adds; they have no text.
      case 'byte-order-mark':
      case 'doc-mode':
      case 'flow-error-end':
      case 'scalar':
        continue;
      default:
    }
    if (inFlow > maxDepth || (inFlow === 0 && inLine > maxDepth)) return { offset, message: tooDeep };
    offset += token.length;
  }
  return undefined;
}

/** The message for a value that is nested too deep. */
export const tooDeep = `nested more than ${maxDepth} levels deep`;

/** Returns a function from an offset in the text to its line and column, which count from 1. */
export function positionsIn(text: string): (offset: number) => { line: number; column: number } {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    const line = starts.findLastIndex((start) => start <= offset);
    return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
}
