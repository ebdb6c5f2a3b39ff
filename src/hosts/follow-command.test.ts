import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import type { FollowEnd } from '../core/host.ts';
import { createDockerHost } from './docker.ts';
import type { CommandFollower, FollowOutcome } from './follow-command.ts';
import { createLocalHost } from './local.ts';
import { unmarked } from './testing/marked-run.ts';

const host = createLocalHost('here');
/** Prints its process id, then sleeps for much longer than a test. */
const sleeper = ['sh', '-c', 'echo $$; exec sleep 300'];

/** Follows a command to its end. */
async function wholeOf(argv: readonly string[]): Promise<{ lines: string[]; end: FollowEnd }> {
  const following = host.follow(argv, AbortSignal.timeout(240_000));
  const lines: string[] = [];
  for (;;) {
    const step = await following.next();
    if (step.done === true) return { lines, end: step.value };
    lines.push(step.value);
  }
}

/** The first line. Without one, the test fails by its timeout. */
async function firstOf(following: AsyncGenerator<string, FollowEnd, void>): Promise<string> {
  const step = await following.next();
  return step.done === true ? 'ended' : step.value;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function expectGone(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { timeout: 120_000 }).toBe(false);
}

describe('following a command', () => {
  it('yields its lines with unchanged arguments, then its end', async () => {
    const script = 'printf "%s\\n" "$1" two; echo err >&2; printf torn; exit 3';
    expect(await wholeOf(['sh', '-c', script, 'sh', 'a  $b "c"'])).toEqual({
      lines: ['a  $b "c"', 'two', 'torn'],
      end: { exitCode: 3, stderr: 'err\n' },
    });
  });

  it('returns a shell’s exit code for a missing program', async () => {
    const { end } = await wholeOf(['/nonexistent/program']);
    expect(end).toMatchObject({ exitCode: 127, stderr: expect.stringContaining('program') as string });
  });

  it('yields a line when it is written, not when the command ends', async () => {
    const following = host.follow(sleeper, AbortSignal.timeout(240_000));
    expect(Number(await firstOf(following))).toBeGreaterThan(0);
    await following.return({ exitCode: 0, stderr: '' });
  });

  it('ends the command when the consumer stops', async () => {
    const following = host.follow(sleeper, AbortSignal.timeout(240_000));
    const pid = Number(await firstOf(following));
    expect(isAlive(pid)).toBe(true);
    await following.return({ exitCode: 0, stderr: '' });
    await expectGone(pid);
  });

  it('ends the command and the wait when the signal aborts', async () => {
    const controller = new AbortController();
    const following = host.follow(sleeper, controller.signal);
    const pid = Number(await firstOf(following));
    const waiting = following.next();
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'host-unreachable' });
    await expectGone(pid);
    await expect(host.follow(['true'], controller.signal).next()).rejects.toThrow('no longer followed');
  });

  it('kills a command that ignores SIGTERM', async () => {
    const stubborn = ['sh', '-c', 'trap "" TERM; echo $$; while :; do sleep 1; done'];
    const following = host.follow(stubborn, AbortSignal.timeout(240_000));
    const pid = Number(await firstOf(following));
    await following.return({ exitCode: 0, stderr: '' });
    await expectGone(pid);
  });

  it('ends the command when the following process is killed', async () => {
    const program = `
      import { createLocalHost } from ${JSON.stringify(new URL('./local.ts', import.meta.url).href)};
      const following = createLocalHost('here').follow(${JSON.stringify(sleeper)}, new AbortController().signal);
      for await (const line of following) console.log(line);`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expectGone(pid);
  });
});

describe('following in a container', () => {
  /** A host whose `docker exec` prints a line and has this outcome. */
  function container(outcome: FollowOutcome): { following: () => Promise<FollowEnd>; asked: string[][] } {
    const asked: string[][] = [];
    const follower: CommandFollower = async function* ({ argv }) {
      asked.push([...argv.slice(0, 7), ...(unmarked(argv)?.argv ?? [])]);
      yield 'line';
      return outcome;
    };
    const transport = { kind: 'docker', container: 'lab-node-1', context: 'far' } as const;
    const docker = createDockerHost('node-1', transport, undefined, follower);
    const following = async (): Promise<FollowEnd> => {
      const lines = docker.follow(['tcpdump', '-n'], AbortSignal.timeout(240_000));
      expect(await lines.next()).toEqual({ done: false, value: 'line' });
      const end = await lines.next();
      return end.value as FollowEnd;
    };
    return { following, asked };
  }

  it('ties the command to the standard input of docker exec', async () => {
    const { following, asked } = container({ kind: 'exited', exitCode: 1, stderr: 'no such device' });
    expect(await following()).toEqual({ exitCode: 1, stderr: 'no such device' });
    expect(asked).toEqual([
      ['docker', '--context', 'far', 'exec', '-i', 'lab-node-1', '/bin/sh', 'tcpdump', '-n'],
    ]);
  });

  it('throws host-unreachable if docker cannot run the command', async () => {
    const words = 'Error response from daemon: Container lab-node-1 is not running\n';
    const { following } = container({ kind: 'not-run', exitCode: 1, why: words });
    await expect(following()).rejects.toMatchObject({
      code: 'host-unreachable',
      message: expect.stringContaining('is not running') as string,
    });
    const missing = container({ kind: 'not-started', message: 'spawn docker ENOENT' });
    await expect(missing.following()).rejects.toMatchObject({ code: 'host-unreachable' });
  });
});
