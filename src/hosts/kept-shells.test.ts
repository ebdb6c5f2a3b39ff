import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { keepShells, type ShellOutcome } from './kept-shells.ts';
import type { Command } from './run-command.ts';
import { sharedTemporaryFolder } from '../../test/temporary-folder.ts';

const folder = sharedTemporaryFolder();
afterEach(() => {
  vi.useRealTimers();
});

/** Kept shells on this machine. Each writes its process id to a file when it starts. */
function shells(name: string): {
  run: (argv: readonly string[], limits?: Partial<Command>) => Promise<ShellOutcome>;
  started: () => Promise<number[]>;
} {
  const file = join(folder, name);
  const attempt = keepShells(['sh', '-c', 'echo $$ >>"$1"; exec sh', 'sh', file]);
  return {
    run: async (argv, limits = {}) =>
      attempt({ argv, timeoutMs: 55_000, signal: new AbortController().signal, ...limits }),
    started: async () => (await readFile(file, 'utf8')).trim().split('\n').map(Number),
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function exited(exitCode: number, stdout = '', stderr = ''): ShellOutcome {
  return { kind: 'exited', exitCode, stdout, stderr };
}

describe('kept shells', () => {
  it('return exit code and both streams, with unchanged arguments and output, from one shell', async () => {
    const { run, started } = shells('one');
    const script = 'printf "%s|" "$@"; printf err >&2; exit 3';
    const words = ["it's", '$HOME', 'a\nb', '-n', '*', 'ü €', ''];
    expect(await run(['sh', '-c', script, 'sh', ...words])).toEqual(exited(3, `${words.join('|')}|`, 'err'));
    expect(await run(['printf', String.raw`\n\nlast line without an end`])).toEqual(
      exited(0, '\n\nlast line without an end'),
    );
    expect(await run(['cat'])).toEqual(exited(0));
    expect(await started()).toHaveLength(1);
  });

  it('return a shell’s exit codes for programs that cannot be run, and for killed ones', async () => {
    const { run, started } = shells('codes');
    expect(await run(['/nonexistent/program'])).toMatchObject({ exitCode: 127 });
    expect(await run(['/etc/passwd'])).toMatchObject({ exitCode: 126 });
    expect(await run(['sh', '-c', 'kill -9 $$'])).toMatchObject({ exitCode: 137 });
    // Builtins that would end or change the shell are run as programs.
    expect(await run(['exit', '7'])).toMatchObject({ exitCode: 127 });
    expect(await run(['cd', '/'])).not.toMatchObject({ kind: 'lost' });
    expect(await started()).toHaveLength(1);
  });

  it('run concurrent commands in parallel, and keep those shells', async () => {
    const { run, started } = shells('many');
    const meet = (mine: string, other: string): string[] => [
      'sh',
      '-c',
      'touch "$1"; until [ -e "$2" ]; do sleep 0.02; done; echo "$1"',
      'sh',
      join(folder, mine),
      join(folder, other),
    ];
    const both = await Promise.all([run(meet('left', 'right')), run(meet('right', 'left'))]);
    expect(both).toEqual([exited(0, `${folder}/left\n`), exited(0, `${folder}/right\n`)]);
    await run(['true']);
    expect(await started()).toHaveLength(2);
  });

  it('return large output complete, in pieces of any size', async () => {
    const { run } = shells('large');
    const outcome = await run(['seq', '200000']);
    const requested = Array.from({ length: 200_000 }, (_, i) => `${i + 1}\n`).join('');
    expect(outcome).toEqual(exited(0, requested));
  });

  it('truncate output at the requested limit, and report an overflow at the default limit', async () => {
    const { run } = shells('limits');
    expect(await run(['seq', '200000'], { maxOutputBytes: 10 })).toEqual({
      ...exited(0, '1\n2\n3\n4\n5\n'),
      truncated: true,
    });
    expect(await run(['head', '-c', '17000000', '/dev/zero'])).toEqual({
      kind: 'overflow',
      limitBytes: 16_777_216,
    });
    expect(await run(['echo', 'next'])).toEqual(exited(0, 'next\n'));
  });

  it('use another shell while a command that timed out or was cut short still runs', async () => {
    const { run, started } = shells('hung');
    // The shells have started before their command hangs: they have written their ids.
    expect(await run(['true'])).toEqual(exited(0));
    expect(await run(['sleep', '30'], { timeoutMs: 50 })).toEqual({ kind: 'timed-out' });
    expect(await run(['true'])).toEqual(exited(0));
    const controller = new AbortController();
    const running = run(['sleep', '30'], { signal: controller.signal });
    controller.abort();
    expect(await running).toEqual({ kind: 'aborted' });
    expect(await run(['true'], { signal: controller.signal })).toEqual({ kind: 'aborted' });
    expect(await run(['echo', 'after'])).toEqual(exited(0, 'after\n'));
    expect(await started()).toHaveLength(3);
  });

  it('use a shell again after the end of its command that was cut short, so that a slow host gets no new shells', async () => {
    const { run, started } = shells('slow');
    const slow = ['sh', '-c', 'until [ -e "$1" ]; do sleep 0.02; done; echo late', 'sh', join(folder, 'go')];
    expect(await run(['true'])).toEqual(exited(0));
    expect(await run(slow, { timeoutMs: 50 })).toEqual({ kind: 'timed-out' });
    await writeFile(join(folder, 'go'), '');
    // Until the late command has ended, others get a second shell, so that its output is not mixed with theirs.
    for (let n = 0; n < 10; n++) expect(await run(['echo', String(n)])).toEqual(exited(0, `${n}\n`));
    const both = await Promise.all([run(['sleep', '0.1']), run(['sleep', '0.1'])]);
    expect(both).toEqual([exited(0), exited(0)]);
    expect((await started()).length).toBeLessThanOrEqual(2);
  });

  it('give a shell the full time after each command that is cut short', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { run } = shells('twice');
    /** The shell that runs the next command. */
    const shellNow = async (): Promise<string> => {
      const outcome = await run(['sh', '-c', 'echo $PPID']);
      return outcome.kind === 'exited' ? outcome.stdout.trim() : outcome.kind;
    };
    /** Cuts a command short, which runs until `end` is called. */
    const cutOne = async (name: string) => {
      const [began, go] = [join(folder, `${name}-began`), join(folder, `${name}-go`)];
      const script = 'touch "$1"; until [ -e "$2" ]; do sleep 0.02; done';
      const controller = new AbortController();
      const running = run(['sh', '-c', script, 'sh', began, go], { signal: controller.signal });
      while (!existsSync(began)) await new Promise(setImmediate);
      controller.abort();
      expect(await running).toEqual({ kind: 'aborted' });
      return { end: () => writeFile(go, '') };
    };
    const first = await shellNow();
    const one = await cutOne('one');
    await vi.advanceTimersByTimeAsync(9000);
    await one.end();
    // Shells alternate: after the first one, the other is next.
    while ((await shellNow()) !== first);
    await shellNow();
    const two = await cutOne('two');
    // 10.5 s after the first cut, 1.5 s after the second.
    await vi.advanceTimersByTimeAsync(1500);
    await two.end();
    const used: string[] = [];
    while (used.length < 500 && used.at(-1) !== first && isAlive(Number(first))) used.push(await shellNow());
    expect(used.at(-1)).toBe(first);
  });

  it('are limited in number while commands hang', async () => {
    const { run, started } = shells('many-hung');
    // The limit alone ends shells here: no time passes in which a shell with a hung command, or without one, is closed.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    for (let n = 0; n < 12; n++) {
      const hung = run(['sleep', '5'], { timeoutMs: 30 });
      await vi.advanceTimersByTimeAsync(30);
      expect(await hung).toEqual({ kind: 'timed-out' });
    }
    expect(await run(['echo', 'after'])).toEqual(exited(0, 'after\n'));
    const alive = async () => (await started()).filter((pid) => isAlive(pid)).length;
    // A shell that was ended is a process until the system has noticed. `expect.poll` would advance the simulated time.
    while ((await alive()) > 8) await setTimeout(20);
  });

  it('report a shell that ended during a command, between two, or never started', async () => {
    const { run, started } = shells('lost');
    expect(await run(['sh', '-c', 'kill -9 $PPID'])).toEqual({ kind: 'lost' });
    await run(['true']);
    const [, second = 0] = await started();
    process.kill(second, 'SIGKILL');
    // The outcome is never an answer, also before the shell's end is noticed.
    const next = await run(['echo', 'there']);
    expect([{ kind: 'lost' }, exited(0, 'there\n')]).toContainEqual(next);
    const none = keepShells(['/nonexistent/shell']);
    const { signal } = new AbortController();
    expect(await none({ argv: ['true'], timeoutMs: 55_000, signal })).toEqual({ kind: 'lost' });
  });

  it('ignore marks that a command prints', async () => {
    const { run } = shells('forged');
    const file = join(folder, 'words');
    await writeFile(file, '\n00000000-0000-4000-8000-000000000000 0\nand more\n');
    expect(await run(['cat', file])).toEqual(exited(0, await readFile(file, 'utf8')));
  });
});
