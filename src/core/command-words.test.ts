import { describe, expect, test } from 'vitest';
import { commandWords, exitText } from './command-words.ts';

describe('a command in a message', () => {
  test('is its words, on one line', () => {
    expect(commandWords(['pg_isready', '-h', 'a  b'])).toBe('`pg_isready -h a b`');
  });

  test('contains no script', () => {
    const script = 'for stat in /proc/[0-9]*/stat; do\n  read -r line <"$stat"\ndone';
    expect(commandWords(['sh', '-c', script, 'sh', 'postgres', ''])).toBe('`sh -c … sh postgres`');
  });

  test('keeps both ends of a long command: the program and the last arguments', () => {
    const words = ['docker', 'compose', '--project-directory', `/srv/${'x'.repeat(200)}`, 'up', '-d'];
    expect(commandWords(words)).toMatch(/^`docker compose --project-directory \/srv\/x+…x+ up -d`$/);
    expect(commandWords(words)).toHaveLength(102);
    expect(commandWords(['echo', 'x'.repeat(95)])).toBe(`\`echo ${'x'.repeat(95)}\``);
  });
});

test('the end of a command without output has no colon', () => {
  expect(exitText(3, ' inactive\n')).toBe('exit 3: inactive');
  expect(exitText(1, '\n')).toBe('exit 1');
});
