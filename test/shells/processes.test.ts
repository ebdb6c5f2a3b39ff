import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Host } from '../../src/core/host.ts';
import { listProcesses, signalProcesses } from '../../src/faults/lib/processes.ts';
import { sshPeer } from '../../src/faults/lib/ssh-peer.ts';
import { faultContext } from '../../src/faults/testing/fault-context.ts';
import { createLocalHost } from '../../src/hosts/local.ts';

// The scripts of faults that read /proc, in the shells that images and machines have.
const folder = mkdtempSync(join(tmpdir(), 'processes-'));
// What a name may be made of.
const name = 'od) d (dr';
copyFileSync('/bin/sleep', join(folder, name));
afterAll(() => rmSync(folder, { recursive: true }));

const started: ChildProcess[] = [];
afterEach(() => started.splice(0).forEach((child) => child.kill('SIGKILL')));

async function start(): Promise<ChildProcess> {
  const child = spawn(join(folder, name), ['300'], { stdio: 'ignore' });
  started.push(child);
  await once(child, 'spawn');
  return child;
}

/** This machine, with another shell. */
function shell(words: readonly string[]): Host {
  const local = createLocalHost('alpha');
  return {
    ...local,
    exec: (argv, options) => local.exec(argv[0] === 'sh' ? [...words, ...argv.slice(1)] : argv, options),
  };
}

describe.each([[['sh']], [['bash']], [['busybox', 'sh']]])('in %j', (words) => {
  const ctx = faultContext(shell(words));
  test('processes are found by name and start, and signalled all at once', async () => {
    await expect(listProcesses(ctx, { process: name })).resolves.toEqual([]);
    const children = [await start(), await start()];
    const exits = children.map((child) => once(child, 'exit'));
    // The name is that of the program from its exec on.
    await expect
      .poll(async () => (await listProcesses(ctx, { process: name })).length, { timeout: 150_000 })
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

  test('the SSH connection is read from an ancestor, where sudo has emptied the environment', async () => {
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
