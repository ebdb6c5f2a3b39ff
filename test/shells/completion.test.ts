import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { sharedTemporaryFolder } from '../temporary-folder.ts';

const root = join(import.meta.dirname, '../..');
const folder = sharedTemporaryFolder();

beforeAll(() => {
  // The installed command, and a folder with a file and a subfolder to complete.
  const command = join(folder, 'bin', 'firedrill');
  mkdirSync(join(folder, 'bin'));
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'bin/firedrill.mjs')}' "$@"\n`);
  chmodSync(command, 0o755);
  mkdirSync(join(folder, 'work', 'drills'), { recursive: true });
  writeFileSync(join(folder, 'work', 'mine.yaml'), '');
});

/** Runs a shell script in that folder; resolves to its stdout. */
async function inShell(shell: readonly [string, ...string[]], script: string): Promise<string> {
  const [file, ...args] = shell;
  const { stdout } = await execa(file, [...args, script], {
    cwd: join(folder, 'work'),
    env: {
      PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
      TERM: 'dumb',
      HOME: folder,
    },
    timeout: 280_000,
    stdin: 'ignore',
  });
  return stdout;
}

/** bash's completions for a line of these words; the last word is incomplete. */
async function inBash(...words: string[]): Promise<string[]> {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const script = `source <(firedrill completion bash); COMP_WORDS=(firedrill ${quoted}); COMP_CWORD=${words.length}
    _firedrill 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return (await inShell(['bash', '--norc', '-c'], script)).split('\n').filter((word) => word !== '');
}

describe('bash', () => {
  test('registers a completion function for the command', async () => {
    expect(
      await inShell(['bash', '--norc', '-c'], 'source <(firedrill completion bash); complete -p firedrill'),
    ).toBe('complete -F _firedrill firedrill');
  });

  test('offers commands, options, and values', async () => {
    expect(await inBash('sche')).toEqual(['schema']);
    expect(await inBash('lab', '')).toEqual(expect.arrayContaining(['up', 'down', 'status']));
    expect(await inBash('lab', 'up', '--st')).toEqual(['--stack']);
    expect(await inBash('lab', 'up', '--stack', 'w')).toEqual(['wazuh-lb']);
    expect(await inBash('lab', 'up', '--stack', '=', 'w')).toEqual(['wazuh-lb']);
    expect(await inBash('init', '--fault', 'container.')).toContain('container.pause');
    expect(await inBash('run', '--reporter', 'js')).toEqual(['json']);
  });

  test('offers files and folders for file arguments', async () => {
    expect((await inBash('run', '')).sort()).toEqual(['drills', 'mine.yaml']);
    expect(await inBash('report', '')).toEqual(['drills']);
  });
});

describe('zsh', () => {
  test('completes words on a terminal', async () => {
    // A shell on a pseudo terminal: its output is read until it has the complete word.
    const script = `
      zmodload zsh/zpty
      zpty shell 'zsh -f -i'
      zpty -w shell 'autoload -U compinit && compinit -u -d ${folder}/zcompdump && eval "$(firedrill completion zsh)" && echo re""ady'
      zpty -r shell seen '*ready*'
      zpty -n -w shell $'firedrill lab up --stack cert\\t'
      zpty -r shell seen '*--stack certlocker*' && echo completed
      zpty -n -w shell $'\\x15firedrill run mi\\t'
      zpty -r shell seen '*run mine.yaml*' && echo found
      zpty -d shell`;
    expect(await inShell(['zsh', '-f', '-c'], script)).toBe('completed\nfound');
  });

  test('also loads the script from its fpath', async () => {
    const script = `mkdir -p ${folder}/fpath && firedrill completion zsh > ${folder}/fpath/_firedrill
      fpath=(${folder}/fpath $fpath); autoload -U compinit && compinit -u -d ${folder}/zcompdump2; echo $_comps[firedrill]`;
    expect(await inShell(['zsh', '-f', '-c'], script)).toBe('_firedrill');
  });
});

describe('fish', () => {
  async function inFish(line: string): Promise<string[]> {
    const script = `firedrill completion fish | source; complete -C '${line}'`;
    return (await inShell(['fish', '--no-config', '-c'], script)).split('\n');
  }

  test('offers commands with descriptions, options, and values', async () => {
    expect(await inFish('firedrill sche')).toEqual(['schema\tprint the JSON Schema of a file']);
    expect((await inFish('firedrill lab up --st')).map((line) => line.replace(/\t.*/, ''))).toEqual([
      '--stack',
    ]);
    expect(await inFish('firedrill lab up --stack w')).toEqual(['wazuh-lb']);
  });

  test('offers files and folders for file arguments', async () => {
    expect((await inFish('firedrill run ')).map((line) => line.replace(/\t.*/, ''))).toEqual([
      'drills/',
      'mine.yaml',
    ]);
    expect((await inFish('firedrill report ')).map((line) => line.replace(/\t.*/, ''))).toEqual(['drills/']);
  });
});
