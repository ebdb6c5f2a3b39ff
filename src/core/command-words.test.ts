import { describe, expect, test } from 'vitest';
import { commandWords, exitWords } from './command-words.ts';

describe('a command in a message', () => {
  test('is its words, on one line', () => {
    expect(commandWords(['pg_isready', '-h', 'a  b'])).toBe('`pg_isready -h a b`');
  });

  test('has no script in it', () => {
    const script = 'for stat in /proc/[0-9]*/stat; do\n  read -r line <"$stat"\ndone';
    expect(commandWords(['sh', '-c', script, 'sh', 'postgres', ''])).toBe('`sh -c … sh postgres`');
  });

  test('has both of its ends where it is long: the program, and what it is about', () => {
    const words = ['docker', 'compose', '--project-directory', `/srv/${'x'.repeat(200)}`, 'up', '-d'];
    expect(commandWords(words)).toMatch(/^`docker compose --project-directory \/srv\/x+…x+ up -d`$/);
    expect(commandWords(words)).toHaveLength(102);
    expect(commandWords(['echo', 'x'.repeat(95)])).toBe(`\`echo ${'x'.repeat(95)}\``);
  });
});

test('the end of a command has no colon where the command said nothing', () => {
  expect(exitWords(3, ' inactive\n')).toBe('exit 3: inactive');
  expect(exitWords(1, '\n')).toBe('exit 1');
});
