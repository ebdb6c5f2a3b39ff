import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { openOutput, type ProcessOutput } from './output.ts';

/** Output to streams that are not terminals, and the text of both. */
function opened(): { readonly output: ProcessOutput; readonly printed: () => string } {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const env = { FIREDRILL_COMMAND_NAME: 'pnpm firedrill' };
  const output = openOutput({ stdout, stderr, env } as unknown as NodeJS.Process);
  return { output, printed: () => `${String(stdout.read() ?? '')}|${String(stderr.read() ?? '')}` };
}

describe('output', () => {
  test('escapes workflow commands in external text, but not those for the CI runner', () => {
    const { output, printed } = opened();
    output.data('verdict\n::set-output name=verdict::pass\n');
    output.progress('mark: ##[add-mask]a');
    output.workflowCommand('::error title=a::##[b]');
    expect(printed()).toBe(
      'verdict\n: :set-output name=verdict::pass\n|mark: # #[add-mask]a\n::error title=a::##[b]\n',
    );
  });

  test('names commands as the user calls them, but not in data and in what a CI runner keeps', () => {
    const { output, printed } = opened();
    const hint = 'run `firedrill heal`';
    output.data(`{"hint":"${hint}"}\n`);
    output.text(`${hint}\n`);
    output.progress(hint);
    output.workflowCommand(`::error::${hint}`);
    expect(printed()).toBe(
      '{"hint":"run `firedrill heal`"}\nrun `pnpm firedrill heal`\n|run `pnpm firedrill heal`\n::error::run `firedrill heal`\n',
    );
  });

  test('has no control characters in the lines of a log', () => {
    const { output, printed } = opened();
    output.progress('one\u001B[2J\ntwo\r\u009B1A');
    expect(printed()).toBe('|one\\u001b[2J\ntwo\\u000d\\u009b1A\n');
  });
});
