import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './our-files.ts';

/** The prerequisite of a block of commands: nothing (the test runs it), the lab, or the reader's stack. */
export type BlockNeed = 'nothing' | 'lab' | 'yours';

/** A fenced block of commands in a page. */
export interface DocBlock {
  readonly page: string;
  readonly line: number;
  readonly need: BlockNeed;
  /** One command per line, without prompts. */
  readonly commands: readonly string[];
}

/** Paths of the README and the pages of docs, relative to the root. */
export function pages(): string[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  return ['README.md', ...docs.sort()];
}

/** The page's blocks of commands: fences of `sh` or `console`. A comment `lab` or `yours` above a fence is its prerequisite. */
export function blocksOf(page: string, text = readFileSync(join(root, page), 'utf8')): DocBlock[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    if (!/^\s*```(?:sh|console)$/.test(line)) return [];
    const length = lines.slice(i + 1).findIndex((later) => later.trim() === '```');
    const mark = /^\s*<!-- (\w+) -->$/.exec(
      lines.slice(0, i).findLast((before) => before.trim() !== '') ?? '',
    )?.[1];
    if (mark !== undefined && mark !== 'lab' && mark !== 'yours')
      throw new Error(`${page}:${i + 1}: unknown mark: ${mark}`);
    const isConsole = line.includes('console');
    const commands = lines
      .slice(i + 1, i + 1 + length)
      .map((command) => command.trim())
      // In a console block, only lines with a prompt are commands.
      .flatMap((command) => (isConsole ? (command.startsWith('$ ') ? [command.slice(2)] : []) : [command]))
      .filter((command) => command !== '' && !command.startsWith('#'));
    return [{ page, line: i + 1, need: mark ?? 'nothing', commands }];
  });
}

/** The files that a page shows: fences whose first line is a comment with a path below `drills`. */
export function filesOf(
  page: string,
  text = readFileSync(join(root, page), 'utf8'),
): { readonly path: string; readonly text: string }[] {
  return [...text.matchAll(/^```\w+\n((?:#|\/\/) (drills\/\S+)\n[^]*?)^```$/gm)].map(
    ([, content = '', path = '']) => ({ path, text: content }),
  );
}

/** Commands in fences of other languages, or of none: the test does not run them. */
export function strayCommands(text: string): string[] {
  let inside: string | undefined;
  return text.split('\n').filter((line) => {
    const fence = /^\s*```(\w*)$/.exec(line);
    if (fence !== null) inside = inside === undefined ? (fence[1] ?? '') : undefined;
    return (
      inside !== undefined &&
      !['sh', 'console', 'yaml'].includes(inside) &&
      /^\s*(?:npx |npm |firedrill )/.test(line)
    );
  });
}
