import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Host } from '../../src/core/host.ts';
import { listProcesses, signalProcesses } from '../../src/faults/lib/processes.ts';
import { sshPeer } from '../../src/faults/lib/ssh-peer.ts';
import { faultContext } from '../../src/faults/testing/fault-context.ts';
import { keptShell, scattered, scatteredArgv, shellCommand } from '../../src/core/shell-quote.ts';
import { createLocalHost } from '../../src/hosts/local.ts';
import { sharedTemporaryFolder } from '../temporary-folder.ts';

// Tests the faults' scripts that read /proc in the shells of images and machines.
const folder = sharedTemporaryFolder();
// A process name with every difficult character.
const name = 'od) d (dr';
copyFileSync('/bin/sleep', join(folder, name));

const started: ChildProcess[] = [];
afterEach(() => {
  for (const { pid } of started.splice(0)) if (pid !== undefined) killGroup(pid);
});

/** Kills a process group. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The test has already ended it.
  }
}

async function start(argv = [join(folder, name), '300']): Promise<ChildProcess> {
  const [file = '', ...words] = argv;
  const child = spawn(file, words, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  started.push(child);
  await once(child, 'spawn');
  return child;
}

/** Pids of the processes with that name in /proc. */
function pidsOf(process: string): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && nameOf(pid) === process);
}

function nameOf(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** An `exec` that runs scripts with another shell, wrapped by `by`. */
function execBy(words: readonly string[], by: (argv: readonly string[]) => string[]): Host['exec'] {
  return (argv, options) =>
    createLocalHost('alpha').exec(by(argv[0] === 'sh' ? [...words, ...argv.slice(1)] : argv), options);
}

/** This machine with another shell. A parent sh runs it, so that the shell is not a child of the test, which started the processes. */
function shell(words: readonly string[]): Host {
  const exec = execBy(words, (argv) => ['sh', '-c', '"$@"; exit $?', 'sh', ...argv]);
  return { ...createLocalHost('alpha'), exec };
}

describe.each([[['sh']], [['bash']], [['busybox', 'sh']]])('in %j', (words) => {
  const ctx = faultContext(shell(words));
  test('processes are found by name and start time, and signaled together', async () => {
    await expect(listProcesses(ctx, { process: name })).resolves.toEqual([]);
    const children = [await start(), await start()];
    const exits = children.map((child) => once(child, 'exit'));
    // A process gets the program's name at its exec.
    await expect
      .poll(async () => (await listProcesses(ctx, { process: name })).length, { timeout: 15_000 })
      .toBe(2);
    const lines = await listProcesses(ctx, { process: name });
    const pids = new Set(lines.map((line) => Number(line.split(' ')[0])));
    expect(pids).toEqual(new Set(children.map(({ pid }) => pid)));
    expect(lines.every((line) => /^\d+ \d+$/.test(line))).toBe(true);
    expect((await signalProcesses(ctx, { process: name }, 'KILL')).exitCode).toBe(0);
    await Promise.all(exits);
    expect(children.map(({ signalCode }) => signalCode)).toEqual(['SIGKILL', 'SIGKILL']);
    await expect(listProcesses(ctx, { process: name })).resolves.toEqual([]);
    expect((await signalProcesses(ctx, { process: name }, 'TERM')).exitCode).toBe(1);
  });

  test("firedrill's own shells and their commands are not found", async () => {
    // A shell with a unique process name, in the role of the login shell that runs a command over SSH.
    copyFileSync('/bin/dash', join(folder, 'odsh'));
    const ranBy = (argv: readonly string[]): string[] => {
      const [, ...reading] = scatteredArgv(scattered(`${shellCommand(argv)}\nexit $?`));
      return [join(folder, 'odsh'), ...reading];
    };
    const { host } = ctx;
    const over = { ...ctx, host: { ...host, exec: execBy(words, ranBy) } };
    // A probe's command, such as `nginx -t`, and the kept shell for such commands.
    const probe = await start(ranBy([join(folder, name), '300']));
    await start([join(folder, 'odsh'), ...keptShell.slice(1)]);
    await expect.poll(() => pidsOf(name).length, { timeout: 15_000 }).toBe(1);
    await expect.poll(() => pidsOf('odsh').length, { timeout: 15_000 }).toBe(2);
    for (const process of ['odsh', name]) {
      await expect(listProcesses(over, { process })).resolves.toEqual([]);
      expect((await signalProcesses(over, { process }, 'KILL')).exitCode).toBe(1);
    }
    expect(probe.exitCode).toBeNull();
  });

  test('the SSH connection is read from an ancestor process if sudo has cleared the environment', async () => {
    const connection = '203.0.113.9 50000 2001:db8::11 22';
    const script = 'env -i PATH="$PATH" "$@"; true';
    const behindSudo: Host = {
      ...ctx.host,
      exec: (argv, options) =>
        createLocalHost('alpha').exec(
          [
            'env',
            `SSH_CONNECTION=${connection}`,
            'sh',
            '-c',
            script,
            'sh',
            ...(argv[0] === '/bin/sh' ? [...words, ...argv.slice(1)] : argv),
          ],
          options,
        ),
    };
    await expect(sshPeer({ ...ctx, host: behindSudo })).resolves.toMatchObject({
      client: { family: 4 },
      clientPort: 50000,
      server: { family: 6 },
      serverPort: 22,
    });
  });
});
