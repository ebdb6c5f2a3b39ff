import { isAlias, isMap, isNode, isScalar, isSeq, type Node } from 'yaml';
import { suggest } from './suggest.ts';
import { maxDepth, tooDeep, type TextProblem } from './text-limits.ts';

/** The value of a document, and the problems of its nodes. */
export interface Reading {
  readonly value: unknown;
  /** Problems that leave no usable value. */
  readonly problems: readonly TextProblem[];
  /** Merge keys (`<<`). They are not supported, but read, so that other problems are found, too. */
  readonly merges: readonly TextProblem[];
  /** The target of an alias; any other node is returned as it is. */
  readonly targetOf: (node: Node) => Node;
  /** The pair with this key: of the map itself, else of a map that is merged into it. */
  readonly pairOf: (map: Node | null, name: string) => NodePair | undefined;
}

/** A key of a map, and its value. */
interface NodePair {
  readonly key: unknown;
  readonly value: unknown;
}

const mergeKey = '<<';

/** Most values in a file, including those that aliases repeat. */
const maxValues = 10_000;

/** The result of reading a node. */
interface Read {
  readonly value: unknown;
  /** Number of values in the node, including itself. */
  readonly count: number;
  /** Number of levels below the node. */
  readonly height: number;
}

const nothing: Read = { value: undefined, count: 1, height: 0 };

/** The text of a key; a number keeps its spelling. undefined: the key is not plain text. */
function keyText(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  const { value, source } = key;
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? (source ?? String(value)) : undefined;
}

/** Reads the plain value of a document and its problems. Aliases share the value of their anchor. */
export function readNodes(root: Node | null): Reading {
  const problems: TextProblem[] = [];
  const merges: TextProblem[] = [];
  const anchors = new Map<string, Node>();
  const targets = new Map<Node, Node>();
  const known = new Map<Node, Read>();
  let values = 0;

  const refuse = (node: Node, message: string): Read => {
    problems.push({ offset: node.range?.[0] ?? 0, message });
    return nothing;
  };

  const read = (node: Node, depth: number): Read => {
    if (isAlias(node)) return readAlias(node, node.source, depth);
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
    if (depth > maxDepth) return refuse(node, tooDeep);
    if (++values === maxValues + 1) refuse(node, tooMany);
    let made: Read;
    if (isMap(node)) made = readMap(node.items, depth);
    else if (isSeq(node)) made = together(node.items.map((item) => read(item as Node, depth + 1)));
    else made = readScalar(node, node.value);
    known.set(node, made);
    return made;
  };

  const readScalar = (node: Node, value: unknown): Read => {
    if (typeof value === 'string' && value.includes('\0'))
      return refuse(node, 'the text contains U+0000, which no command, name, or path accepts; remove it');
    return { value, count: 1, height: 0 };
  };

  const readAlias = (node: Node, name: string, depth: number): Read => {
    const target = anchors.get(name);
    if (target === undefined) {
      return refuse(
        node,
        `no anchor "${name}" is defined before this alias${suggest(name, [...anchors.keys()])}`,
      );
    }
    const made = known.get(target);
    if (made === undefined) return refuse(node, `the alias "${name}" is inside its own anchor`);
    if (depth + made.height > maxDepth) return refuse(node, tooDeep);
    const before = values;
    values += made.count;
    if (before <= maxValues && values > maxValues) return refuse(node, tooMany);
    targets.set(node, target);
    return made;
  };

  const readMap = (pairs: readonly NodePair[], depth: number): Read => {
    const seen = new Map<string, Read>();
    for (const { key, value } of pairs) {
      const name = keyText(key);
      if (name === undefined) {
        refuse((key ?? value) as Node, 'a key must be plain text');
        continue;
      }
      if (seen.has(name)) refuse(key as Node, `the key "${name}" is defined twice; remove one`);
      seen.set(name, value === null ? { ...nothing, value: null } : read(value as Node, depth + 1));
    }
    const made = together([...seen.values()]);
    const merged = seen.get(mergeKey);
    if (merged !== undefined) {
      const { key } = pairs.find((pair) => keyText(pair.key) === mergeKey) ?? {};
      merges.push({ offset: (key as Node).range?.[0] ?? 0, message: noMerge });
    }
    const own = [...seen].filter(([name]) => name !== mergeKey).map(([name, item]) => [name, item.value]);
    return { ...made, value: { ...mergedValue(merged?.value), ...Object.fromEntries(own) } };
  };

  const { value } = root === null ? { value: null } : read(root, 0);
  const targetOf = (node: Node): Node => targets.get(node) ?? node;
  const pairOf = (map: Node | null, name: string): NodePair | undefined => {
    if (!isMap(map)) return undefined;
    const named = (requested: string): NodePair | undefined =>
      map.items.find(({ key }) => keyText(key) === requested);
    return (
      named(name) ??
      mergedNodes(named(mergeKey)?.value, targetOf)
        .map((node) => pairOf(node, name))
        .find(Boolean)
    );
  };
  return { value, problems, merges, targetOf, pairOf };
}

const noMerge = 'merge keys (<<) are not supported; write the fields out';

/** The fields that a merge key adds, from one map or from a list of maps, where the first map wins. */
function mergedValue(value: unknown): object {
  const maps = [value].flat().filter((item) => typeof item === 'object' && item !== null);
  return Object.assign({}, ...maps.toReversed()) as object;
}

/** The maps that a merge key names. */
function mergedNodes(value: unknown, targetOf: (node: Node) => Node): Node[] {
  if (!isNode(value)) return [];
  const node = targetOf(value);
  return isSeq(node) ? node.items.filter(isNode).map(targetOf) : [node];
}

const tooMany = `more than ${maxValues} values, including those that aliases repeat`;

/** Combines the results of child nodes into that of a list. */
function together(items: readonly Read[]): Read {
  return {
    value: items.map(({ value }) => value),
    count: 1 + items.reduce((sum, { count }) => sum + count, 0),
    height: 1 + Math.max(0, ...items.map(({ height }) => height)),
  };
}
