import { LineCounter, isMap, isNode, isScalar, parseDocument, type Document } from 'yaml';
import { DrillError } from '../core/errors.ts';

/** One thing wrong in an input file; line and column count from 1. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Input that cannot be used: every problem found, each with file, line and column. Nothing was touched. */
export class InvalidInput extends DrillError {
  readonly path: string;
  readonly problems: readonly Problem[];

  constructor(path: string, problems: readonly Problem[]) {
    const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
    super('invalid-input', sorted.map((p) => `${path}:${p.line}:${p.column}: ${p.message}`).join('\n'));
    this.path = path;
    this.problems = sorted;
  }
}

/** A path into the document: `['faults', 0, 'kind']`. */
export type NodePath = readonly (string | number)[];

/** A parsed YAML file that can say where each of its values stands. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly value: unknown;
  /** The problem at a value (or at its nearest existing parent). */
  at(path: NodePath, message: string): Problem;
  /** The problem at a key of the map at `path`. */
  atKey(path: NodePath, key: string, message: string): Problem;
}

/** Longest file that is read: scenario files are a page or two. */
const maxChars = 1_000_000;

/**
 * Parses YAML strictly: one document, unique keys, no merge keys, YAML 1.2 core types.
 * @throws InvalidInput
 */
export function parseSource(path: string, text: string): Source {
  if (text.length > maxChars) {
    throw new InvalidInput(path, [{ line: 1, column: 1, message: `longer than ${maxChars} characters` }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: false,
    uniqueKeys: true,
    prettyErrors: false,
  });
  const position = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (document.errors.length > 0) {
    throw new InvalidInput(
      path,
      document.errors.map((error) => ({
        ...position(error.pos[0]),
        message: `not valid YAML: ${error.message}`,
      })),
    );
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new InvalidInput(path, [
      {
        line: 1,
        column: 1,
        message: `not usable YAML: ${error instanceof Error ? error.message : String(error)}`,
      },
    ]);
  }
  return {
    path,
    text,
    value,
    at: (nodePath, message) => ({ ...position(offsetOf(document, nodePath)), message }),
    atKey: (nodePath, key, message) => ({ ...position(keyOffsetOf(document, nodePath, key)), message }),
  };
}

/** The same file with another value in the same places: what stands where stays known. */
export function withValue(source: Source, value: unknown): Source {
  return { ...source, value };
}

function offsetOf(document: Document.Parsed, path: NodePath): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

function keyOffsetOf(document: Document.Parsed, path: NodePath, key: string): number {
  const parent = path.length === 0 ? document.contents : document.getIn(path, true);
  if (isMap(parent)) {
    for (const pair of parent.items) {
      if (isScalar(pair.key) && String(pair.key.value) === key && pair.key.range) return pair.key.range[0];
    }
  }
  return offsetOf(document, path);
}
