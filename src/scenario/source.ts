import { isNode, isScalar, isSeq, parseDocument, type Node } from 'yaml';
import { DrillError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { readNodes, type Reading } from './nodes.ts';
import { characterProblem, depthProblem, positionsIn } from './text-limits.ts';

/** One thing wrong in an input file; line and column count from 1. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Nobody reads on after that many; a file that is no YAML at all has one for every line. */
const maxProblems = 50;
/** A message may quote the file, which may have anything in it. */
const maxMessageChars = 1000;

/** Input that cannot be used: every problem found, each with file, line and column. Nothing was touched. */
export class InvalidInput extends DrillError {
  readonly path: string;
  readonly problems: readonly Problem[];

  constructor(path: string, problems: readonly Problem[]) {
    // What stands at an anchor may be wrong once for each alias.
    const each = new Map(problems.map((p) => [`${p.line}:${p.column} ${p.message}`, p]));
    const sorted = [...each.values()]
      .toSorted((a, b) => a.line - b.line || a.column - b.column)
      .slice(0, maxProblems)
      .map(({ message, ...place }) => ({ ...place, message: printable(message, maxMessageChars) }));
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
  /** What is wrong with the text, although a value could be made of it; `parseWith` refuses it. */
  readonly textProblems: readonly Problem[];
  /** The problem at a value (or at its nearest existing parent). */
  at(path: NodePath, message: string): Problem;
  /** The problem at a key of the map at `path`. */
  atKey(path: NodePath, key: string, message: string): Problem;
}

/** Longest file that is read: scenario files are a page or two. */
const maxChars = 100_000;

/**
 * Parses YAML strictly: one document, unique keys of plain text, no merge keys, no tags, YAML 1.2 core types, and no more
 * of anything than a file that people write has: what is read takes no longer than a moment, whatever it is.
 * @throws InvalidInput
 */
export function parseSource(path: string, given: string): Source {
  const text = given.replace(/^\uFEFF/, '');
  const position = positionsIn(text);
  const refused = (offset: number, message: string): InvalidInput =>
    new InvalidInput(path, [{ ...position(offset), message }]);
  if (text.length > maxChars) throw refused(0, `longer than ${maxChars} characters`);
  const early = characterProblem(text) ?? depthProblem(text);
  if (early !== undefined) throw refused(early.offset, early.message);

  const document = parseDocument(text, {
    // A %YAML line in the file does not change it.
    schema: 'core',
    merge: false,
    // Found below: the parser compares each key with each other one.
    uniqueKeys: false,
    prettyErrors: false,
    // `silent` would keep quiet about a second document, too.
    logLevel: 'error',
  });
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) {
    throw new InvalidInput(
      path,
      wrong.map(({ code, pos, message }) => ({
        ...position(pos[0]),
        message:
          code === 'MULTIPLE_DOCS'
            ? 'a second document begins here; a file holds one'
            : `not valid YAML: ${message}`,
      })),
    );
  }
  const { value, problems, merges, targetOf, pairOf } = readNodes(document.contents);
  if (problems.length > 0) {
    throw new InvalidInput(
      path,
      problems.map(({ offset, message }) => ({ ...position(offset), message })),
    );
  }
  const found = (nodePath: NodePath): Node | null =>
    nodeAt(document.contents, nodePath, { targetOf, pairOf });
  return {
    path,
    text,
    value,
    textProblems: merges.map(({ offset, message }) => ({ ...position(offset), message })),
    at: (nodePath, message) => ({ ...position(found(nodePath)?.range?.[0] ?? 0), message }),
    atKey: (nodePath, key, message) => {
      const parent = found(nodePath);
      const own = pairOf(parent, key);
      const node = isScalar(own?.key) ? own.key : parent;
      return { ...position(node?.range?.[0] ?? 0), message };
    },
  };
}

/** The same file with another value in the same places: what stands where stays known. */
export function withValue(source: Source, value: unknown): Source {
  return { ...source, value };
}

/** The node at a path, or the nearest of those that it should be in. */
function nodeAt(
  root: Node | null,
  path: NodePath,
  { targetOf, pairOf }: Pick<Reading, 'targetOf' | 'pairOf'>,
): Node | null {
  let node = root === null ? null : targetOf(root);
  for (const part of path) {
    let next: unknown;
    if (isSeq(node)) next = node.items[Number(part)];
    else next = pairOf(node, String(part))?.value;
    if (!isNode(next)) break;
    node = targetOf(next);
  }
  return node;
}
