import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { parseSync, Visitor, type Directive, type Statement } from 'oxc-parser';
import { root } from '../lib/product-files.ts';

/** A top-level declaration of a file: its text without `export` and `declare`, and the names that it uses. */
interface Declared {
  readonly text: string;
  readonly uses: ReadonlySet<string>;
}

/** A name in a file, or in an npm package. */
interface Origin {
  readonly from: string;
  readonly name: string;
}

/** A declaration file. */
interface Module {
  readonly declared: ReadonlyMap<string, Declared>;
  /** Names that are imported, or exported from another file, by their name here. */
  readonly foreign: ReadonlyMap<string, Origin>;
  /** Names that the file exports from others, in order. */
  readonly exported: readonly string[];
  /** Files of which it exports all names. */
  readonly wholes: readonly string[];
}

/**
 * The types of the public API in one file: what src/index.ts exports, and the declarations that these use. The compiler emits
 * the declarations; this joins them. Declarations that are not exported have no `export`, so no import can name them.
 */
export function publicTypes(): string {
  const folder = mkdtempSync(join(tmpdir(), 'firedrill-types-'));
  try {
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const project = ['-p', join(root, 'tsconfig.declarations.json'), '--outDir', folder];
    execFileSync(process.execPath, [compiler, ...project]);
    return joined(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function joined(folder: string): string {
  const modules = new Map<string, Module>();
  const moduleOf = (path: string): Module => {
    const known = modules.get(path);
    if (known !== undefined) return known;
    const read = readModule(path);
    const whole = read.wholes.flatMap((from) => moduleOf(from).exported.map((name) => ({ from, name })));
    const module = {
      ...read,
      foreign: new Map([...whole.map((origin) => [origin.name, origin] as const), ...read.foreign]),
      exported: [...new Set([...read.exported, ...whole.map(({ name }) => name)])],
    };
    modules.set(path, module);
    return module;
  };
  const entry = join(folder, 'index.d.ts');
  const isPublic = new Set(moduleOf(entry).exported);
  const texts: string[] = [];
  /** The file that each name was taken from. */
  const taken = new Map<string, string>();
  const packages = new Map<string, Set<string>>();
  /** Names that are declared in no file, such as `Partial`. */
  const ofLanguage = new Set<string>();
  const take = (path: string, name: string): void => {
    const { declared, foreign } = moduleOf(path);
    const origin = foreign.get(name);
    if (origin !== undefined && !origin.from.startsWith('/')) {
      packages.set(origin.from, (packages.get(origin.from) ?? new Set()).add(name));
      return;
    }
    if (origin !== undefined) {
      if (origin.name !== name) throw new Error(`${relative(folder, path)}: ${name} is renamed`);
      take(origin.from, origin.name);
      return;
    }
    const own = declared.get(name);
    // Other names are those of properties.
    if (own === undefined && /^[A-Z]/.test(name)) ofLanguage.add(name);
    if (own === undefined || taken.get(name) === path) return;
    if (taken.has(name)) throw new Error(`two public types have the name ${name}`);
    taken.set(name, path);
    texts.push(isPublic.has(name) ? own.text.replace(/^(\/\*\*.*?\*\/\n)?/s, '$1export ') : own.text);
    for (const use of own.uses) take(path, use);
  };
  for (const name of isPublic) take(entry, name);
  const hidden = [...ofLanguage].filter((name) => taken.has(name));
  if (hidden.length > 0)
    throw new Error(
      `these types hide types of the language that others use: ${hidden.join(', ')}; rename them`,
    );
  const imports = [...packages].flatMap(([from, names]) => {
    const shown = [...names].filter((name) => isPublic.has(name));
    const list = (of: Iterable<string>): string => [...of].sort().join(', ');
    return [
      `import type { ${list(names)} } from '${from}';\n`,
      ...(shown.length === 0 ? [] : [`export { ${list(shown)} } from '${from}';\n`]),
    ];
  });
  return `${imports.join('')}${texts.join('\n')}\nexport {};\n`;
}

function readModule(path: string): Module {
  const text = readFileSync(path, 'utf8');
  const { program, errors, comments } = parseSync(path, text);
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
  const declared = new Map<string, Declared>();
  const foreign = new Map<string, Origin>();
  const exported: string[] = [];
  const wholes: string[] = [];
  const fileOf = (source: string): string =>
    source.startsWith('.') ? join(dirname(path), source.replace(/\.[jt]s$/, '.d.ts')) : source;
  for (const statement of program.body) {
    if (statement.type === 'ImportDeclaration') {
      for (const item of statement.specifiers) {
        const name = item.type === 'ImportSpecifier' && 'name' in item.imported ? item.imported.name : '*';
        foreign.set(item.local.name, { from: fileOf(statement.source.value), name });
      }
      continue;
    }
    if (statement.type === 'ExportAllDeclaration') {
      wholes.push(fileOf(statement.source.value));
      continue;
    }
    if (statement.type === 'ExportNamedDeclaration' && statement.source !== null) {
      for (const { local, exported: as } of statement.specifiers) {
        if (!('name' in local) || !('name' in as)) continue;
        foreign.set(as.name, { from: fileOf(statement.source.value), name: local.name });
        exported.push(as.name);
      }
      continue;
    }
    const names = namesOf(statement);
    if (names.length === 0) continue;
    const doc = comments.findLast(
      ({ value, end }) =>
        value.startsWith('*') && end <= statement.start && text.slice(end, statement.start).trim() === '',
    );
    const code = text
      .slice(statement.start, statement.end)
      .replace(/^export /, '')
      .replace(/^declare /, '');
    const inlined: string[] = [];
    const needsDeclare = !/^(interface|type) /.test(code);
    // The compiler names types of other files so where it infers them.
    const inline = /import\("(\.[^"]+)"\)\.(\w+)/g;
    for (const [, source = '', name = ''] of code.matchAll(inline)) {
      foreign.set(name, { from: fileOf(source), name });
      inlined.push(name);
    }
    const own: Declared = {
      text: `${doc === undefined ? '' : `${text.slice(doc.start, doc.end)}\n`}${needsDeclare ? 'declare ' : ''}${code.replaceAll(inline, '$2')}\n`,
      uses: new Set([...usesOf(statement), ...inlined]),
    };
    for (const name of names) declared.set(name, own);
  }
  return { declared, foreign, exported, wholes };
}

/** The names that a statement declares. */
function namesOf(statement: Statement | Directive): string[] {
  const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
  switch (node?.type) {
    case 'VariableDeclaration':
      return node.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
    case 'ClassDeclaration':
    case 'TSDeclareFunction':
    case 'FunctionDeclaration':
      return node.id === null ? [] : [node.id.name];
    default:
      return [];
  }
}

/** The names of types and values that a statement refers to, in order. */
function usesOf(statement: Statement | Directive): ReadonlySet<string> {
  const names = new Set<string>();
  new Visitor({
    Identifier: ({ name }) => void names.add(name),
  }).visit({ type: 'Program', body: [statement], sourceType: 'module', hashbang: null, start: 0, end: 0 });
  return names;
}
