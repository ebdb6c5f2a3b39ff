import { describe, expect, test } from 'vitest';
import { containerRemove } from './container.remove.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';

const params = containerRemove.params.parse({ container: 'web-1', projectDirectory: '/opt/app' });
const made = {
  'com.docker.compose.project': 'app',
  'com.docker.compose.service': 'web',
  'com.docker.compose.oneoff': 'False',
  'com.docker.compose.project.config_files': '/opt/app/compose.yaml,/opt/app/more.yaml',
};
const compose =
  'docker compose --project-directory /opt/app --project-name app --file /opt/app/compose.yaml --file /opt/app/more.yaml';
const before = {
  id: 'c0ffee',
  name: 'web-1',
  up: `${compose} up --detach --no-recreate web`.split(' '),
};

/** A host on which the container with this ID is in this state (undefined: missing), with these labels. */
const host = (
  status: string | undefined,
  labels: Readonly<Record<string, string>> | null = made,
  id = 'c0ffee',
) =>
  scriptedHost((argv) => {
    if (argv.includes('config'))
      return labels === made ? {} : { exitCode: 1, stderr: 'no such service: web' };
    if (argv[1] !== 'inspect') return {};
    if (status === undefined || ![id, 'web-1'].includes(argv.at(-1) ?? '')) {
      return { exitCode: 1, stderr: `Error: No such container: ${argv.at(-1)}` };
    }
    if (argv.includes('--format')) return { stdout: `${status} 2026-01-01T00:00:00Z\n` };
    return { stdout: JSON.stringify([{ Id: id, Name: '/web-1', Config: { Labels: labels } }]) };
  });

describe('container.remove', () => {
  test('records how to recreate the container, after Compose has accepted that service', async () => {
    const engine = host('running');
    await expect(containerRemove.before(params, faultContext(engine))).resolves.toEqual(before);
    expect(engine.commands.at(-1)).toBe(`${compose} config --quiet web`);
    expect(engine.commands.some((command) => command.includes(' rm '))).toBe(false);
  });

  test.each([
    ['compose.prod.yaml', '/opt/app/compose.prod.yaml'],
    ['/etc/app/compose.yaml', '/etc/app/compose.yaml'],
  ])('uses the `file` parameter: %s', async (file, path) => {
    const engine = host('running');
    await containerRemove.before({ ...params, file }, faultContext(engine));
    expect(engine.commands.at(-1)).toBe(
      `docker compose --project-directory /opt/app --project-name app --file ${path} config --quiet web`,
    );
  });

  test.each([
    ['a container that does not exist', undefined, made, {}, 'alpha: no container named web-1'],
    ['a container that is not running', 'paused', made, {}, 'alpha: container web-1 is paused, not running'],
    [
      'a container that Compose did not create',
      'running',
      null,
      {},
      'alpha: cannot remove container web-1: `docker compose up` did not create it, so the heal could not recreate it',
    ],
    [
      'a container that `docker compose run` created',
      'running',
      { ...made, 'com.docker.compose.oneoff': 'True' },
      {},
      'alpha: cannot remove container web-1: `docker compose up` did not create it, so the heal could not recreate it',
    ],
    [
      'a container of another service',
      'running',
      made,
      { service: 'db' },
      'alpha: container web-1 belongs to service web, not db',
    ],
    [
      'a container whose service is no longer in the files',
      'running',
      { ...made, 'com.docker.compose.project.config_files': '' },
      {},
      'alpha: `docker compose --project-directory /opt/app --project-name app config --quiet web` exited 1: no such service: web',
    ],
  ])('refuses %s', async (_name, status, labels, fields, message) => {
    const ctx = faultContext(host(status, labels));
    await expect(containerRemove.before({ ...params, ...fields }, ctx)).rejects.toMatchObject({
      code: 'fault-failed',
      message,
    });
  });

  test('removes by ID, and is in effect when that ID is gone, whichever container has the name', async () => {
    const engine = host('running');
    await containerRemove.inject(params, before, faultContext(engine));
    expect(engine.commands).toEqual(['docker rm --force c0ffee']);
    const record = (attempt: ReturnType<typeof host>) =>
      containerRemove.effect(params, before, faultContext(attempt));
    await expect(record(engine)).resolves.toBe(false);
    await expect(record(host(undefined))).resolves.toBe(true);
    await expect(record(host('running', made, 'f00d'))).resolves.toBe(true);
  });

  test('recreates it with Compose, and is healed when a container with the name runs', async () => {
    const gone = host(undefined);
    await expect(containerRemove.healed(params, before, faultContext(gone))).resolves.toBe(false);
    await containerRemove.heal(params, before, faultContext(gone));
    expect(gone.commands.at(-1)).toBe(`${compose} up --detach --no-recreate web`);
    const created = host('created', made, 'f00d');
    await expect(containerRemove.healed(params, before, faultContext(created))).resolves.toBe(false);
    const back = host('running', made, 'f00d');
    await expect(containerRemove.healed(params, before, faultContext(back))).resolves.toBe(true);
    await containerRemove.heal(params, before, faultContext(back));
    expect(back.commands.some((command) => command.startsWith('docker compose'))).toBe(false);
  });
});
