import { isAlias, isMap, isNode, isScalar, isSeq, type Node } from 'yaml';
import { suggest } from './suggest.ts';
import { maxDepth, tooDeep, type TextProblem } from './text-limits.ts';

/** What the nodes of a document come to. */
export interface Reading {
  readonly value: unknown;
  /** Why nothing can be made of it. */
  readonly problems: readonly TextProblem[];
  /** Merge keys (`<<`): not supported, but read, so that what else is wrong is found, too. */
  readonly merges: readonly TextProblem[];
  /** The node that an alias stands for; any other stands for itself. */
  readonly targetOf: (node: Node) => Node;
  /** The pair of a map that has a key of that name: its own, else that of a map merged into it. */
  readonly pairOf: (map: Node | null, name: string) => NodePair | undefined;
}

/** A key of a map, and what stands under it. */
interface NodePair {
  readonly key: unknown;
  readonly value: unknown;
}

const mergeKey = '<<';

/** Most values that a file may come to, those that aliases repeat included. */
const maxValues = 10_000;

/** A node that was read. */
interface Read {
  readonly value: unknown;
  /** Values in it, itself included. */
  readonly count: number;
  /** Levels below it. */
  readonly height: number;
}

const nothing: Read = { value: undefined, count: 1, height: 0 };

/** The text of a key; a number stays as it was written. undefined: it is no plain text. */
function keyText(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  const { value, source } = key;
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? (source ?? String(value)) : undefined;
}

/** The plain value of a document, and what is wrong with it as a whole; shared where aliases share it. */
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
      return refuse(node, 'a text with U+0000: no command, name or path takes one');
    return { value, count: 1, height: 0 };
  };

  const readAlias = (node: Node, name: string, depth: number): Read => {
    const target = anchors.get(name);
    if (target === undefined) {
      return refuse(
        node,
        `no anchor "${name}" stands before this alias${suggest(name, [...anchors.keys()])}`,
      );
    }
    const made = known.get(target);
    if (made === undefined) return refuse(node, `the alias "${name}" stands within what it stands for`);
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
      if (seen.has(name)) refuse(key as Node, `the key "${name}" is there already`);
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
    const named = (wanted: string): NodePair | undefined =>
      map.items.find(({ key }) => keyText(key) === wanted);
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

/** The fields that a merge key adds: of one map, or of several, of which the first wins. */
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

const tooMany = `more than ${maxValues} values, those that aliases repeat included`;

/** Some nodes as a list. */
function together(items: readonly Read[]): Read {
  return {
    value: items.map(({ value }) => value),
    count: 1 + items.reduce((sum, { count }) => sum + count, 0),
    height: 1 + Math.max(0, ...items.map(({ height }) => height)),
  };
}
