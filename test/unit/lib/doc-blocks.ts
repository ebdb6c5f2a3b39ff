import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './our-files.ts';

/** What a block of commands needs: nothing (it is run), the lab, or somebody's own stack. */
export type BlockNeed = 'nothing' | 'lab' | 'yours';

/** A fenced block of commands in a page. */
export interface DocBlock {
  readonly page: string;
  readonly line: number;
  readonly need: BlockNeed;
  /** Its commands, a line each, without prompts. */
  readonly commands: readonly string[];
}

/** The README and the pages of docs, by path from the root. */
export function pages(): string[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  return ['README.md', ...docs.sort()];
}

/** Its blocks of commands: fences called `sh` or `console`; a comment `lab` or `yours` above one says what it needs. */
export function blocksOf(page: string, text = readFileSync(join(root, page), 'utf8')): DocBlock[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    if (!/^\s*```(?:sh|console)$/.test(line)) return [];
    const length = lines.slice(i + 1).findIndex((later) => later.trim() === '```');
    const mark = /^\s*<!-- (\w+) -->$/.exec(
      lines.slice(0, i).findLast((before) => before.trim() !== '') ?? '',
    )?.[1];
    if (mark !== undefined && mark !== 'lab' && mark !== 'yours')
      throw new Error(`${page}:${i + 1}: no such mark: ${mark}`);
    const isConsole = line.includes('console');
    const commands = lines
      .slice(i + 1, i + 1 + length)
      .map((command) => command.trim())
      // Of a console only what was typed.
      .flatMap((command) => (isConsole ? (command.startsWith('$ ') ? [command.slice(2)] : []) : [command]))
      .filter((command) => command !== '' && !command.startsWith('#'));
    return [{ page, line: i + 1, need: mark ?? 'nothing', commands }];
  });
}

/** Lines within fences that have no language, or another one, and read like a command: they would not be run. */
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
