import { describe, expect, test } from 'vitest';
import { escapeCiCommands } from './ci-commands.ts';

/** Whether GitHub's runner would execute a line as a command: ActionCommand.cs, TryParseV2 and TryParse. */
function isCommand(line: string): boolean {
  return /^\s*::[\w-]+(?: .*?)?::/.test(line) || /##\[[^\]]*\]/.test(line);
}

describe('output', () => {
  test.each([
    ['::add-mask::a', ': :add-mask::a'],
    ['  ::set-output name=verdict::pass', '  : :set-output name=verdict::pass'],
    ['+ 1.0 s  log: ##[set-output name=verdict]pass', '+ 1.0 s  log: # #[set-output name=verdict]pass'],
    ['two\n::stop-commands::x\nlines', 'two\n: :stop-commands::x\nlines'],
    ['###[error]x', '## #[error]x'],
    ['##vso[task.setvariable variable=a]b', '# #vso[task.setvariable variable=a]b'],
    ["##teamcity[buildStop comment='x']", "# #teamcity[buildStop comment='x']"],
  ])('%j becomes text without a command', (text, safe) => {
    expect(escapeCiCommands(text)).toBe(safe);
    expect(escapeCiCommands(text).split('\n').filter(isCommand)).toEqual([]);
  });

  test.each([
    'std::vector::at',
    '# Title',
    '## Why',
    'listening on ::1 and [::]:80',
    '::ffff:127.0.0.1',
    'issue #12 [x]',
  ])('%j stays unchanged', (text) => {
    expect(escapeCiCommands(text)).toBe(text);
  });

  test('JSON keeps its value', () => {
    const value = { a: '##[add-mask]a', '::error::': ['###vso[x]', '::error::x'] };
    for (const text of [JSON.stringify(value), JSON.stringify([value], null, 2)]) {
      expect(JSON.parse(escapeCiCommands(text))).toEqual(JSON.parse(text));
      expect(text).toContain('##[');
      expect(escapeCiCommands(text)).not.toMatch(/##\w*\[/);
    }
  });
});
