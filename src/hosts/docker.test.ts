import { describe, expect, it } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { ExecResult } from '../core/host.ts';
import { createDockerHost } from './docker.ts';
import type { ShellOutcome } from './kept-shells.ts';
import type { Command, Outcome } from './run-command.ts';
import { ranMarked, unmarked } from './testing/marked-run.ts';

const id = '663de574bd7f8d38678d36c196b585626cdbf0fcb1ae78441da89ad970e0048b';
const limits = { timeoutMs: 1000, signal: AbortSignal.timeout(60_000) };
const running = exited(0, `${id} true false\n`);

function exited(exitCode: number, stdout = '', stderr = ''): Outcome {
  return { kind: 'exited', exitCode, stdout, stderr };
}

const noShell = exited(
  126,
  '',
  'OCI runtime exec failed: exec failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown\n',
);

/** A host with the given outcomes of `docker exec` and `docker inspect`. `shell` replaces the outcome of the marking shell. */
function host(
  exec: Outcome,
  inspect: Outcome = running,
  shell?: Outcome,
): { run: (...argv: string[]) => Promise<ExecResult>; commands: Command[]; stray: string[] } {
  const commands: Command[] = [];
  const stray: string[] = [];
  const docker = createDockerHost(
    'node-1',
    { kind: 'docker', container: 'lab-node-1' },
    async (command) => {
      commands.push(command);
      if (command.argv.includes('inspect')) return inspect;
      return shell !== undefined && unmarked(command.argv) !== undefined
        ? shell
        : ranMarked(command.argv, exec);
    },
    undefined,
    undefined,
    ({ message }) => stray.push(message),
  );
  return { run: async (...argv) => docker.exec(argv, limits), commands, stray };
}

/** A container without a shell. */
const shellless = (exec: Outcome, inspect: Outcome = running) => host(exec, inspect, noShell);

async function errorOf(promise: Promise<unknown>): Promise<DrillError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DrillError);
  return error as DrillError;
}

describe('docker host', () => {
  it('runs docker exec with the unchanged command', async () => {
    const { run, commands } = host(exited(0, 'out', 'err'));
    expect(await run('sh', '-c', 'echo "$1"; true', 'x y')).toEqual({
      exitCode: 0,
      stdout: 'out',
      stderr: 'err',
    });
    expect(commands.map((c) => [...c.argv.slice(0, 4), ...(unmarked(c.argv)?.argv ?? [])])).toEqual([
      ['docker', 'exec', 'lab-node-1', '/bin/sh', 'sh', '-c', 'echo "$1"; true', 'x y'],
    ]);
    expect(commands[0]).toMatchObject({ timeoutMs: 1000, signal: limits.signal });
  });

  it('names the context and passes input on', async () => {
    const commands: Command[] = [];
    const docker = createDockerHost(
      'n',
      { kind: 'docker', container: 'c', context: 'far' },
      async (command) => {
        commands.push(command);
        return ranMarked(command.argv, exited(0));
      },
    );
    await docker.exec(['cat'], { ...limits, input: 'text' });
    expect(commands[0]?.input).toBe('text');
    expect(commands[0]?.argv.slice(0, 7)).toEqual([
      'docker',
      '--context',
      'far',
      'exec',
      '-i',
      'c',
      '/bin/sh',
    ]);
    expect(docker.transport).toBe('docker --context far exec c');
  });

  it.each([1, 2, 125, 126, 127, 255])('returns the exit code %i of the command as data', async (exitCode) => {
    const { run, commands } = host(exited(exitCode, '', 'command says no'));
    expect(await run('x')).toEqual({ exitCode, stdout: '', stderr: 'command says no' });
    expect(commands).toHaveLength(1);
  });

  it.each([
    ['no such container', exited(1, '', 'Error response from daemon: No such container: lab-node-1\n')],
    ['no such container (20.10)', exited(1, '', 'Error: No such container: lab-node-1\n')],
    ['not running', exited(1, '', `Error response from daemon: Container ${id} is not running\n`)],
    [
      'paused',
      exited(1, '', 'Error response from daemon: Container lab-node-1 is paused, unpause the container\n'),
    ],
    ['no engine', exited(1, '', 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n')],
    [
      'broken runtime',
      exited(126, '', 'OCI runtime exec failed: exec failed: cannot exec in a stopped container\n'),
    ],
  ])('throws host-unreachable: %s', async (_name, outcome) => {
    const stopped = exited(1, '', 'Error: No such container: lab-node-1');
    for (const inspect of [stopped, running]) {
      for (const one of [host(exited(0), inspect, outcome), shellless(outcome, inspect)]) {
        const error = await errorOf(one.run('systemctl', 'is-active', 'ssh'));
        expect(error.code).toBe('host-unreachable');
        expect(error.message).toContain('lab-node-1');
      }
    }
  });

  it('throws host-unreachable if the container dies during the command', async () => {
    const stopped = exited(0, `${id} false false\n`);
    const error = await errorOf(shellless(exited(137), stopped).run('sleep', '9'));
    expect(error.code).toBe('host-unreachable');
    expect(await host(exited(137)).run('sh', '-c', 'kill -9 $$')).toMatchObject({ exitCode: 137 });
  });

  it('reports an unknown outcome without an end mark', async () => {
    const killed = (inspect: Outcome) =>
      createDockerHost('node-1', { kind: 'docker', container: 'lab-node-1' }, async ({ argv }) => {
        if (argv.includes('inspect')) return inspect;
        const { mark } = unmarked(argv) ?? { mark: '' };
        return exited(137, `${mark} S7\nhalf`, `${mark} S7\n`);
      });
    const gone = await errorOf(killed(exited(0, `${id} false false\n`)).exec(['sleep', '9'], limits));
    expect(gone.message).toBe('node-1: cannot access container lab-node-1: the container stopped');
    const there = await errorOf(killed(running).exec(['sleep', '9'], limits));
    expect(there.message).toBe(
      'node-1: `sleep 9` was interrupted, and its outcome is unknown: `docker exec` ended with exit 137 before the command ended',
    );
  });

  it('counts a command without a start mark as not run, with any exit code', async () => {
    for (const said of ['', 'Emulate Docker CLI using podman.\n']) {
      const error = await errorOf(host(exited(0), running, exited(0, said)).run('true'));
      expect(error.code).toBe('host-unreachable');
    }
  });

  it('removes text of the Docker client around the output, and reports it once', async () => {
    const stray: string[] = [];
    const docker = createDockerHost(
      'node-1',
      { kind: 'docker', container: 'lab-node-1' },
      async ({ argv }) => {
        const outcome = ranMarked(argv, exited(1, '', 'real\n')) as Extract<Outcome, { kind: 'exited' }>;
        return { ...outcome, stderr: `WARNING: config.json\n${outcome.stderr}what's next\n` };
      },
      undefined,
      undefined,
      ({ message }) => stray.push(message),
    );
    for (let n = 0; n < 2; n += 1) {
      expect(await docker.exec(['x'], limits)).toEqual({ exitCode: 1, stdout: '', stderr: 'real\n' });
    }
    expect(stray).toEqual([
      "node-1: the login shell, sudo, or the transport prints text around command output; firedrill ignores it: WARNING: config.json what's next",
    ]);
  });

  it('runs commands unmarked in a container without a shell, and looks for a shell once', async () => {
    const { run, commands } = shellless(exited(3, 'out'));
    expect(await run('x')).toEqual({ exitCode: 3, stdout: 'out', stderr: '' });
    expect(await run('x')).toMatchObject({ exitCode: 3 });
    expect(commands.map(({ argv }) => unmarked(argv) !== undefined)).toEqual([true, false, false]);
  });

  it('treats a missing program as a failure of the command, on either stream', async () => {
    const words =
      'OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH: unknown\n';
    expect(await shellless(exited(126, words)).run('nosuch')).toMatchObject({ exitCode: 127, stdout: '' });
    expect(await shellless(exited(127, '', words)).run('nosuch')).toMatchObject({
      exitCode: 127,
      stdout: '',
    });
  });

  it('treats messages of an inner docker as data', async () => {
    const inner = exited(1, '', 'Error response from daemon: No such container: app-postgres\n');
    expect(await shellless(inner).run('docker', 'stop', 'app-postgres')).toMatchObject({ exitCode: 1 });
    const down = exited(1, '', 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n');
    expect(await shellless(down).run('docker', 'ps')).toMatchObject({ exitCode: 1 });
    // A message about the node itself is an error.
    const outer = exited(1, '', `Error response from daemon: Container ${id} is not running\n`);
    expect((await errorOf(shellless(outer).run('docker', 'ps'))).code).toBe('host-unreachable');
  });

  it.each([
    ['did not end within 1 s, and its outcome is unknown', { kind: 'timed-out' }],
    ['was cut short', { kind: 'aborted' }],
    ['wrote more than 5 bytes of output', { kind: 'overflow', limitBytes: 5 }],
    ['`docker` cannot be started', { kind: 'not-started', code: 'ENOENT', message: 'spawn docker ENOENT' }],
  ] satisfies [string, Outcome][])('throws host-unreachable: %s', async (words, outcome) => {
    const error = await errorOf(host(outcome).run('true'));
    expect(error.code).toBe('host-unreachable');
    expect(error.message).toContain(words);
    expect(error.message).toContain('node-1');
  });
});

describe('a read-only command', () => {
  const asked = { ...limits, attempt: true } as const;

  /** A docker host with the given outcome of its kept shells, and the commands of its runner. */
  function attempted(outcome: ShellOutcome, exec = exited(0)) {
    const commands: Command[] = [];
    const starts: (readonly string[])[] = [];
    const docker = createDockerHost(
      'node-1',
      { kind: 'docker', container: 'lab-node-1', context: 'far' },
      async (command) => {
        commands.push(command);
        return command.argv.includes('inspect') ? running : ranMarked(command.argv, exec);
      },
      undefined,
      (start) => {
        starts.push(start);
        return async () => outcome;
      },
    );
    return { docker, commands, starts };
  }

  it('runs in a kept shell, and other commands do not', async () => {
    const { docker, commands, starts } = attempted(exited(3, 'out', 'err') as ShellOutcome);
    expect(await docker.exec(['x'], asked)).toEqual({ exitCode: 3, stdout: 'out', stderr: 'err' });
    expect(commands).toEqual([]);
    expect(starts).toEqual([
      ['docker', '--context', 'far', 'exec', '-i', 'lab-node-1', 'sh', '-s', 'fd-kept'],
    ]);
    expect(await docker.exec(['x'], limits)).toMatchObject({ exitCode: 0 });
    expect(commands).toHaveLength(1);
  });

  it('runs again with docker exec if there is no shell', async () => {
    expect(await attempted({ kind: 'lost' }, exited(4)).docker.exec(['x'], asked)).toMatchObject({
      exitCode: 4,
    });
  });

  it('is not run again after it was cut short', async () => {
    const { docker, commands } = attempted({ kind: 'timed-out' });
    expect((await errorOf(docker.exec(['x'], asked))).message).toContain('did not end within 1 s');
    expect(commands).toEqual([]);
  });
});

describe('power of a docker host', () => {
  const signal = AbortSignal.timeout(60_000);

  /** A container that is on or off, with Docker's answers to `kill` and `start`. */
  function machine(on: boolean, answers: { kill?: Outcome; start?: Outcome; inspect?: Outcome } = {}) {
    const commands: string[] = [];
    const transport = { kind: 'docker', container: 'lab-node-1', context: 'far' } as const;
    const docker = createDockerHost('node-1', transport, async ({ argv }) => {
      commands.push(argv.join(' '));
      if (argv.includes('inspect')) return answers.inspect ?? exited(0, `${on}\n`);
      return answers[argv.includes('kill') ? 'kill' : 'start'] ?? exited(0);
    });
    const { power } = docker;
    if (power === undefined) throw new Error('no power switch');
    return { power, commands };
  }

  it('is cut with docker kill and restored with docker start, through the context', async () => {
    const { power, commands } = machine(true);
    await power.cut(signal);
    await power.on(signal);
    expect(commands).toEqual([
      'docker --context far kill lab-node-1',
      'docker --context far start lab-node-1',
    ]);
    expect(power.describe).toEqual({ cut: commands[0], on: commands[1] });
  });

  it.each([true, false])('is read from the engine: %s', async (on) => {
    await expect(machine(on).power.isOn(signal)).resolves.toBe(on);
  });

  it('multiplies the time limits by the patience', async () => {
    const timeouts: number[] = [];
    const transport = { kind: 'docker', container: 'lab-node-1' } as const;
    const { power } = createDockerHost('node-1', transport, async ({ argv, timeoutMs }) => {
      timeouts.push(timeoutMs);
      return exited(0, argv.includes('inspect') ? 'true\n' : '');
    });
    await power?.isOn(signal);
    await power?.isOn(signal, 4);
    await power?.on(signal, 2);
    expect(timeouts).toEqual([5000, 20_000, 60_000]);
  });

  it('accepts a failed kill of a stopped container, but not of a running one', async () => {
    const kill = exited(
      1,
      '',
      'Error response from daemon: Cannot kill container: lab-node-1: is not running\n',
    );
    await expect(machine(false, { kill }).power.cut(signal)).resolves.toBeUndefined();
    const error = await errorOf(machine(true, { kill }).power.cut(signal));
    expect(error.code).toBe('host-unreachable');
  });

  it('throws host-unreachable if the engine does not answer', async () => {
    const inspect = exited(1, '', 'Cannot connect to the Docker daemon\n');
    expect((await errorOf(machine(true, { inspect }).power.isOn(signal))).code).toBe('host-unreachable');
    const start: Outcome = { kind: 'timed-out' };
    expect((await errorOf(machine(false, { start }).power.on(signal))).message).toContain(
      'docker --context far start lab-node-1',
    );
  });
});
