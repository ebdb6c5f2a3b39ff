import { parseSync } from 'oxc-parser';
import { LineCounter } from 'yaml';

/** What a text of a source file is to its reader. */
export type TextKind = 'error' | 'hint' | 'description' | 'text';

/** A text in a source file. `text` of a template has `{name}` in place of each expression. Lines count from 1. */
export interface SourceText {
  readonly line: number;
  readonly text: string;
}

/** All words of a source file that a person reads. */
export interface SourceWords {
  readonly texts: readonly (SourceText & { readonly kind: TextKind })[];
  readonly comments: readonly SourceText[];
  /** Names that the file declares: variables, functions, types, parameters, and fields. */
  readonly names: readonly SourceText[];
}

/** A node of the syntax tree (ESTree with TypeScript). */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** Reads a source file. @throws Error if it cannot be parsed */
export function wordsOfSource(path: string, source: string): SourceWords {
  const { program, comments, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message ?? 'cannot be parsed'}`);
  const lineOf = lineFinder(source);
  const texts: (SourceText & { kind: TextKind })[] = [];
  const names: SourceText[] = [];
  visit(program as unknown as Node, [], (node, parents) => {
    const name = declaredName(node, parents);
    if (name !== undefined) names.push({ line: lineOf(node.start), text: name });
    const text = textOf(node);
    if (text !== undefined && !isModulePath(parents))
      texts.push({ line: lineOf(node.start), text, kind: kindOf(node, parents) });
  });
  return {
    texts,
    names,
    comments: comments.map(({ value, start }) => ({ line: lineOf(start), text: value })),
  };
}

function visit(
  node: Node,
  parents: readonly Node[],
  see: (node: Node, parents: readonly Node[]) => void,
): void {
  see(node, parents);
  const within = [...parents, node];
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, within, see);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** The name that an identifier gives to something; undefined for one that only uses it. */
function declaredName(node: Node, parents: readonly Node[]): string | undefined {
  if (node.type !== 'Identifier' && node.type !== 'PrivateIdentifier') return undefined;
  const [parent, above] = parents.toReversed();
  return parent !== undefined && declares(node, parent, above) ? String(node['name']) : undefined;
}

function declares(node: Node, parent: Node, above: Node | undefined): boolean {
  if (/Declar|Function|ClassExpression|TSParameter|TSEnum/.test(parent.type))
    return parent['id'] === node || asNodes(parent['params']).includes(node);
  if (parent.type === 'Property' && above?.type === 'ObjectPattern') return parent['value'] === node;
  const place = declaringPlaces.get(parent.type);
  if (place !== undefined) return parent[place] === node;
  if (parent.type === 'ArrayPattern') return true;
  if (parent.type === 'ImportSpecifier')
    return parent['local'] === node && (parent['imported'] as Node)['name'] !== node['name'];
  return fieldTypes.has(parent.type) && parent['key'] === node && parent['computed'] !== true;
}

/** Node types that declare the name in one of their fields. */
const declaringPlaces: ReadonlyMap<string, string> = new Map([
  ['AssignmentPattern', 'left'],
  ['RestElement', 'argument'],
  ['CatchClause', 'param'],
  ['TSTypeParameter', 'name'],
  ['TSNamedTupleMember', 'label'],
  ['ImportDefaultSpecifier', 'local'],
  ['ImportNamespaceSpecifier', 'local'],
]);

const fieldTypes = new Set([
  'Property',
  'MethodDefinition',
  'PropertyDefinition',
  'TSPropertySignature',
  'TSMethodSignature',
]);

function asNodes(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(node: Node): string | undefined {
  if (node.type === 'Literal' && typeof node['value'] === 'string') return node['value'];
  if (node.type !== 'TemplateLiteral') return undefined;
  const parts = asNodes(node['quasis']).map(
    (part) => (part as { value: { cooked: string | null } }).value.cooked ?? '',
  );
  const holes = asNodes(node['expressions']).map((hole) => `{${holeName(hole as Node)}}`);
  return parts.map((part, i) => part + (holes[i] ?? '')).join('');
}

/** The last name in an expression, such as `name` of `host.name`. */
function holeName(node: Node): string {
  switch (node.type) {
    case 'Identifier':
      return String(node['name']);
    case 'MemberExpression':
      return holeName(node['property'] as Node);
    case 'CallExpression': {
      const [first] = asNodes(node['arguments']);
      return first === undefined ? holeName(node['callee'] as Node) : holeName(first as Node);
    }
    case 'TSNonNullExpression':
    case 'ChainExpression':
      return holeName(node['expression'] as Node);
    default:
      return '…';
  }
}

function isModulePath(parents: readonly Node[]): boolean {
  return /^(Import|Export)(Named|All)?(Declaration|Expression)$/.test(parents.at(-1)?.type ?? '');
}

const descriptions = new Set(['describe', 'description', 'option', 'argument', 'Option', 'meta']);

/** What the text is, by the nearest call or field around it. */
function kindOf(node: Node, parents: readonly Node[]): TextKind {
  let inner: Node = node;
  for (const parent of parents.toReversed()) {
    if (parent.type === 'Property' && parent['value'] === inner) {
      const key = parent['key'] as Node;
      if (key['name'] === 'hint') return 'hint';
      if (key['name'] === 'description') return 'description';
      if (key['name'] === 'error' || key['name'] === 'message') return 'error';
    }
    if (parent.type === 'CallExpression' || parent.type === 'NewExpression') {
      const called = calledName(parent['callee'] as Node);
      if (descriptions.has(called)) return 'description';
      if (/Error$|^(problem|report|refuse|labError|malformed)$/.test(called)) return 'error';
      return 'text';
    }
    if (/Function|Program|ClassBody/.test(parent.type)) return 'text';
    inner = parent;
  }
  return 'text';
}

function calledName(node: Node): string {
  if (node.type === 'MemberExpression') return calledName(node['property'] as Node);
  return typeof node['name'] === 'string' ? node['name'] : '';
}

function lineFinder(source: string): (offset: number) => number {
  const counter = new LineCounter();
  counter.addNewLine(0);
  for (const { index } of source.matchAll(/\n/g)) counter.addNewLine(index + 1);
  return (offset) => counter.linePos(offset).line;
}
