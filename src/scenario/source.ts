import { isNode, isScalar, isSeq, parseDocument, type Node } from 'yaml';
import { DrillError } from '../core/errors.ts';
import { messageText } from '../core/message-text.ts';
import { readNodes, type Reading } from './yaml-tree.ts';
import { characterProblem, depthProblem, positionsIn } from './text-limits.ts';

/** An error in an input file. Line and column count from 1. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A file that is not YAML can have an error in every line, so the list is cut to this many. */
const maxProblems = 50;
/** A message may quote the file, whose texts can be of any length. */
const maxMessageChars = 1000;

/** An invalid input file: every problem, with file, line, and column. It is thrown before firedrill changes anything. */
export class InvalidInput extends DrillError {
  readonly path: string;
  readonly problems: readonly Problem[];

  constructor(path: string, problems: readonly Problem[]) {
    // An error at an anchor is reported once for each of its aliases.
    const each = new Map(problems.map((p) => [`${p.line}:${p.column} ${p.message}`, p]));
    const sorted = [...each.values()]
      .toSorted((a, b) => a.line - b.line || a.column - b.column)
      .slice(0, maxProblems)
      .map(({ message, ...place }) => ({ ...place, message: messageText(message, maxMessageChars) }));
    const [first] = sorted;
    super(
      'invalid-input',
      sorted.map((p) => `${path}:${p.line}:${p.column}: ${p.message}`).join('\n'),
      first === undefined ? {} : { where: { file: path, line: first.line, column: first.column } },
    );
    this.path = path;
    this.problems = sorted;
  }
}

/** A path into the document: `['faults', 0, 'kind']`. */
export type NodePath = readonly (string | number)[];

/** A parsed YAML file with the position of each value. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly value: unknown;
  /** Errors of the text that leave a value to check. `parseWith` reports them with the errors of the value. */
  readonly textProblems: readonly Problem[];
  /** Makes a problem at a value, or at its nearest existing parent. */
  at(path: NodePath, message: string): Problem;
  /** Makes a problem at a key of the map at `path`. */
  atKey(path: NodePath, key: string, message: string): Problem;
}

/** Longest file that is parsed, in characters. Scenario files are one or two pages. */
const maxChars = 100_000;

/**
 * Parses YAML strictly: one document, unique keys of plain text, no merge keys, no tags, and YAML 1.2 core types. Limits
 * on length, depth, and values keep the parsing time short for any input.
 * @throws InvalidInput
 */
export function parseSource(path: string, given: string): Source {
  const text = given.replace(/^\uFEFF/, '');
  const position = positionsIn(text);
  const refused = (offset: number, message: string): InvalidInput =>
    new InvalidInput(path, [{ ...position(offset), message }]);
  if (text.length > maxChars) throw refused(0, `the file is longer than ${maxChars} characters`);
  const early = characterProblem(text) ?? depthProblem(text);
  if (early !== undefined) throw refused(early.offset, early.message);

  const document = parseDocument(text, {
    // A %YAML line in the file does not change the schema.
    schema: 'core',
    merge: false,
    // `readNodes` finds duplicate keys: the parser compares every pair of keys, which is quadratic.
    uniqueKeys: false,
    prettyErrors: false,
    // With `silent`, the parser would not report a second document.
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
            ? 'a second YAML document begins here; move it to its own file'
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

/** The same file with another value. Positions stay those of the file. */
export function withValue(source: Source, value: unknown): Source {
  return { ...source, value };
}

/** The node at a path, or its nearest existing ancestor. */
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
