import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { productFiles } from '../../scripts/lib/product-files.ts';
import { wordsOfSource } from '../../scripts/lib/source-text.ts';
import { buildProgram } from '../../src/cli/main.ts';
import { openOutput } from '../../src/cli/output.ts';
import { listenForStop } from '../../src/cli/stop.ts';

// A message names a command in backticks, without `npx`: `withCommandName` then makes it what the user's shell runs.

const root = join(import.meta.dirname, '../..');
const stop = listenForStop(() => {});
const program = buildProgram(stop, openOutput(), () => {});
stop.dispose();

/** Files whose texts name the command as it is, and why. */
const asItIs = [
  'src/cli/command-name.ts', // it makes the name
  'src/cli/commands/completion.ts', // the scripts complete the command `firedrill` of PATH
];
/** The program itself prints hints, too, before the command line is loaded. */
const sources = [...productFiles(), 'bin/firedrill.mjs'];
const texts = sources
  .filter((path) => !asItIs.includes(path))
  .flatMap((path) =>
    wordsOfSource(path, readFileSync(join(root, path), 'utf8')).texts.map(({ text }) => ({ path, text })),
  );
const commandsIn = (text: string): string[] =>
  [...text.matchAll(/`firedrill\s+([^`]+)`/g)].map(([, command]) => command ?? '');

describe('commands in messages', () => {
  test('exist, with their options', () => {
    const commands = texts.flatMap(({ path, text }) =>
      commandsIn(text).map((command) => ({ path, command })),
    );
    expect(commands.length).toBeGreaterThan(40);
    expect(commands.filter(({ command }) => !exists(command))).toEqual([]);
  });

  test('are in backticks, and begin with the name that the boundary replaces', () => {
    const names = program.commands.map((command) => command.name()).join('|');
    const bare = new RegExp(String.raw`(?<!\`)\bfiredrill\s+(?:${names})\b(?![\w-])|npx firedrill`);
    expect(texts.filter(({ text }) => bare.test(text))).toEqual([]);
  });

  test('pass the boundary: nothing else writes to the streams of the process', () => {
    const writers = sources.filter((path) =>
      /process\.std(?:out|err)\.write\(|console\.\w+\(/.test(readFileSync(join(root, path), 'utf8')),
    );
    expect(writers).toEqual([
      // After the output is closed: reports of defects.
      'src/cli/end-process.ts',
      // Questions on a terminal.
      'src/cli/terminal-ask.ts',
      // A process of its own, whose output the engine reads.
      'src/engine/control-program.ts',
      // Before the command line is loaded; its hints name no command of firedrill.
      'bin/firedrill.mjs',
    ]);
  });
});

/** Whether the words are a command of firedrill, with options that it has. */
function exists(words: string): boolean {
  let command: Command | undefined = program;
  for (const word of words.split(/\s+/)) {
    if (command === undefined) return false;
    if (word.startsWith('--')) {
      if (![command, program].some((one) => one?.options.some(({ long }) => long === word))) return false;
    } else if (command.commands.length > 0) command = command.commands.find((one) => one.name() === word);
  }
  return command !== undefined && command !== program;
}
