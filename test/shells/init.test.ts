import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { sharedTemporaryFolder } from '../temporary-folder.ts';

const folder = sharedTemporaryFolder();

const command = `'${process.execPath}' '${join(import.meta.dirname, '../../bin/firedrill.mjs')}'`;

/** Runs `firedrill init` on zsh's pseudo terminal; each answer waits for its question. */
async function onTerminal(
  out: string,
  answers: readonly (readonly [question: string, typed: string])[],
): Promise<string> {
  const turns = answers.map(
    ([question, typed]) =>
      `zpty -r init seen '*${question}*' && print -r -- "$seen"; zpty -n -w init $'${typed}'`,
  );
  const script = [
    'zmodload zsh/zpty',
    `zpty init "${command} init ${join(folder, out)}; echo ended \\$?"`,
    ...turns,
    'zpty -r init seen \'*ended [0-9]*\'; print -r -- "$seen"',
  ];
  const { stdout } = await execa('zsh', ['-f', '-c', script.join('\n')], {
    timeout: 280_000,
    stdin: 'ignore',
  });
  return stdout;
}

describe('firedrill init on a terminal', () => {
  test('asks, and writes files from the answers', async () => {
    const said = await onTerminal('pair', [
      ['name of the stack', '\\r'],
      ['where the stack runs', 'docker\\r'],
      ['hosts, as', 'node-1=10.0.0.1 node-2=10.0.0.2\\r'],
      ['URL that clients use', 'http://10.0.0.3/\\r'],
      ['virtual address', '\\r'],
      ['first fault', 'power.cut\\r'],
    ]);
    expect(said).toContain('ended 0');
    expect(readFileSync(join(folder, 'pair', 'target.yaml'), 'utf8')).toContain('container: node-2');
    expect(existsSync(join(folder, 'pair', 'scenarios', 'power-cut.yaml'))).toBe(true);
  });

  test('accepts answers that are pasted at once', async () => {
    const answers = ['', 'docker', 'node-1=10.0.0.1 node-2=10.0.0.2', 'http://10.0.0.3/', '', 'power.cut'];
    const typed = answers.map((answer) => `${answer}\\r`).join('');
    expect(await onTerminal('pasted', [['name of the stack', typed]])).toContain('ended 0');
    expect(readFileSync(join(folder, 'pasted', 'target.yaml'), 'utf8')).toContain('container: node-2');
    expect(existsSync(join(folder, 'pasted', 'scenarios', 'power-cut.yaml'))).toBe(true);
  });

  test.each([
    ['Ctrl-C', '\\x03'],
    ['Ctrl-D', '\\x04'],
  ])('ends with %s, and writes nothing', async (name, typed) => {
    const said = await onTerminal(name, [['name of the stack', typed]]);
    expect(said).toContain('ended 5');
    expect(said).toContain('Nothing was changed');
    expect(existsSync(join(folder, name))).toBe(false);
  });
});
