import { describe, expect, test } from 'vitest';
import { createDockerHost } from './docker.ts';
import { askForPodman, dockerOnly } from './docker-only.ts';
import type { CommandRunner, Outcome } from './run-command.ts';

const signal = AbortSignal.timeout(60_000);
const limits = { timeoutMs: 60_000, signal };

/** The container `web` on an engine with these version answers, and the commands that it gets. */
function web(versions: Outcome) {
  const commands: string[] = [];
  const run: CommandRunner = async ({ argv }) => {
    commands.push(argv.join(' '));
    if (/ (--version|version)$/.test(argv.join(' '))) return versions;
    return { kind: 'exited', exitCode: 0, stdout: 'true\n', stderr: '' };
  };
  const host = createDockerHost('node-1', { kind: 'docker', container: 'web' }, run);
  return { host: dockerOnly(host, askForPodman(['docker'], run)), commands };
}
const exited = (stdout: string): Outcome => ({ kind: 'exited', exitCode: 0, stdout, stderr: '' });

describe('a host that is a container', () => {
  test('refuses every command if `docker` is Podman', async () => {
    const { host, commands } = web(exited('podman version 4.3.1\n'));
    const refusal = { code: 'host-unreachable', message: expect.stringContaining('Podman') as string };
    await expect(host.exec(['true'], limits)).rejects.toMatchObject(refusal);
    await expect(host.follow(['true'], signal).next()).rejects.toMatchObject(refusal);
    await expect(host.power?.isOn(signal)).rejects.toMatchObject(refusal);
    await expect(host.power?.cut(signal)).rejects.toMatchObject(refusal);
    await expect(host.power?.on(signal)).rejects.toMatchObject(refusal);
    await expect(host.container?.inspect(signal)).rejects.toMatchObject(refusal);
    expect(commands).toEqual(['docker --version', 'docker version']);
  });

  test.each<Outcome>([exited('Docker version 26.1.5, build a72d7cd\n'), { kind: 'timed-out' }])(
    'is used where it is not known to be Podman: %j',
    async (versions) => {
      const { host, commands } = web(versions);
      await expect(host.power?.isOn(signal)).resolves.toBe(true);
      await expect(host.power?.isOn(signal)).resolves.toBe(true);
      expect(commands.filter((command) => command.endsWith('version'))).toHaveLength(2);
    },
  );
});
