import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import {
  keptScript,
  markedArgv,
  markedScript,
  newMark,
  readMarks,
  type Mark,
  type MarkedShape,
} from './command-marks.ts';

/** The bytes between the marks of a stream, which arrives in pieces of `pieceBytes`. */
function read(mark: Mark, text: string, pieceBytes: number, shape: MarkedShape = 'run') {
  const reader = readMarks(mark, shape);
  const bytes = Buffer.from(text);
  const own: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    own.push(reader.add(bytes.subarray(at, at + pieceBytes)));
  const { started, ended, arrived, stray, sudoSaid } = reader;
  return { own: Buffer.concat(own).toString('utf8'), started, ended, arrived, stray, sudoSaid };
}

describe('a stream with marks', () => {
  const mark = newMark();
  const { whole } = mark;

  test.each([1, 2, 7, 64, 10_000])('gives the same result in pieces of %i bytes', (pieceBytes) => {
    const text = `hello${whole} A0\nsudo: no${whole} S4321\nout ü ${whole.slice(0, 20)}\nend${whole} E3\nbye`;
    expect(read(mark, text, pieceBytes)).toEqual({
      own: `out ü ${whole.slice(0, 20)}\nend`,
      started: 4321,
      ended: 3,
      arrived: true,
      stray: 'hellobye',
      sudoSaid: 'sudo: no',
    });
  });

  test('without a start mark has no output of the command', () => {
    const text = `not allowed: set -- ${mark.halves.join(' ')}\nprintf '%s%s S%d' 1\n`;
    expect(read(mark, text, 5)).toMatchObject({ own: '', started: undefined, ended: undefined, stray: text });
  });

  test('returns all stray text, also a possible beginning of a mark', () => {
    expect(read(mark, `no${whole.slice(0, 9)}`, 1).stray).toBe(`no${whole.slice(0, 9)}`);
    const after = `${whole} S1\n${whole} E0\nbye${whole.slice(0, 9)}`;
    expect(read(mark, after, 1).stray).toBe(`bye${whole.slice(0, 9)}`);
  });

  test('of another command has no mark of this command', () => {
    expect(read(mark, `${newMark().whole} S1\nout`, 100)).toMatchObject({ own: '', started: undefined });
  });

  test('of a dialogue holds no bytes back', () => {
    const reader = readMarks(mark, 'pipe');
    reader.add(Buffer.from(`${whole} S1\n`));
    expect(reader.add(Buffer.from(whole.slice(0, 3))).toString()).toBe(whole.slice(0, 3));
    expect(reader.add(Buffer.from(`${whole} E0\n`)).toString()).toBe(`${whole} E0\n`);
  });

  test('keeps the beginning of stray text, and counts all its bytes', () => {
    const reader = readMarks(mark, 'run');
    for (let n = 0; n < 100; n += 1) reader.add(Buffer.from('x'.repeat(100)));
    expect(reader.stray).toBe('x'.repeat(2000));
    expect(reader.strayBytes).toBeGreaterThan(9000);
  });
});

describe('a marked command', () => {
  /** Runs a shell and reads its output. */
  function run(
    shell: string,
    argv: readonly string[],
    mark: Mark,
    env: Readonly<Record<string, string>> = {},
  ) {
    const { stdout } = spawnSync(shell, [...argv], { encoding: 'utf8', env });
    return read(mark, stdout, 4096);
  }
  const shells = ['/bin/sh', '/bin/bash', '/bin/dash'];

  test.each(shells)('runs programs, not builtins, with %s, and returns their exit code', (shell) => {
    const asked = (argv: readonly string[]) => {
      const mark = newMark();
      return run(shell, ['-c', markedScript(argv, mark, 'run')], mark);
    };
    expect(asked(['printf', '%s|', "it's", '$HOME', ''])).toMatchObject({ own: "it's|$HOME||", ended: 0 });
    expect(asked(['exit', '7'])).toMatchObject({ own: '', ended: 127 });
    expect(asked(['sh', '-c', 'kill -9 $$'])).toMatchObject({ own: '', ended: 137 });
  });

  test('contains the words of its argv unchanged', () => {
    const mark = newMark();
    const [shell = '', ...argv] = markedArgv(['printf', '%s|', 'a', mark.halves[0]], mark, 'run');
    expect(run(shell, argv, mark)).toMatchObject({ own: `a|${mark.halves[0]}|`, ended: 0 });
  });

  test.each([{ LANG: 'de_DE.UTF-8' }, { LANG: 'de_DE.UTF-8', LANGUAGE: 'de', LC_ALL: 'de_DE.UTF-8' }])(
    'speaks English and finds the programs of administrators, whatever its user has set: %j',
    (locale) => {
      const env = { PATH: '/usr/local/bin:/usr/bin:/bin', ...locale };
      const mark = newMark();
      const words = 'echo "$LC_ALL|${LANGUAGE-unset}|$PATH"';
      const [shell = '', ...argv] = markedArgv(['sh', '-c', words], mark, 'run');
      expect(run(shell, argv, mark, env).own).toMatch(
        /^C(\.UTF-8)?\|unset\|\/usr\/local\/bin:\/usr\/bin:\/bin:\/usr\/local\/sbin:\/usr\/sbin:\/sbin\n$/,
      );
    },
  );

  test('in a kept shell has no input, and does not change the shell', () => {
    const mark = newMark();
    const script = `${keptScript(['cat'], mark)}echo after\n`;
    const { stdout } = spawnSync('/bin/sh', [], { encoding: 'utf8', input: script });
    expect(read(mark, stdout, 4096)).toMatchObject({ own: '', started: 0, ended: 0, stray: 'after\n' });
  });
});
