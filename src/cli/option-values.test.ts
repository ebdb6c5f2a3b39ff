import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { labCommands } from './commands/lab.ts';
import { addVariable } from './option-values.ts';
import { listenForStop } from './stop.ts';

describe('name=value', () => {
  test.each([
    ['a=b', { a: 'b' }],
    ['a=b=c', { a: 'b=c' }],
    ['a=', { a: '' }],
    ['a==', { a: '=' }],
  ])('%s has everything after the first sign as its value', (text, expected) => {
    expect(addVariable(text, { before: '1' })).toEqual({ before: '1', ...expected });
  });

  test.each(['a', '=b', ''])('"%s" is refused', (text) => {
    expect(() => addVariable(text, {})).toThrow('expected name=value');
  });

  test('is accepted by `lab up --set`', () => {
    const stop = listenForStop(() => {});
    const lab = labCommands(stop, { data: () => {}, text: () => {}, progress: () => {} }, () => {});
    stop.dispose();
    const up = lab.commands.find((command: Command) => command.name() === 'up');
    const set = up?.options.find((option) => option.long === '--set');
    expect(set?.parseArg?.('a=b=c', {} as never)).toEqual({ a: 'b=c' });
  });
});
