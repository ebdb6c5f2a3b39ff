import { describe, expect, test } from 'vitest';
import { composeDown } from './compose.down.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';

const params = composeDown.params.parse({ projectDirectory: '/opt/app' });
const before = { services: ['web', 'db'] };
const project = (running: readonly string[], wanted: readonly string[] = ['web', 'db']) =>
  scriptedHost((argv) => {
    if (argv.includes('ps')) return { stdout: running.map((name) => `${name}\n`).join('') };
    if (argv.includes('config')) return { stdout: wanted.map((name) => `${name}\n`).join('') };
    return {};
  });

describe('compose.down', () => {
  test('takes the project down by its folder', async () => {
    const host = project(['web']);
    await composeDown.inject(params, before, faultContext(host));
    expect(host.commands).toEqual(['docker compose --project-directory /opt/app down']);
  });

  test('refuses a project that is already down', async () => {
    await expect(composeDown.before(params, faultContext(project([])))).rejects.toMatchObject({
      code: 'fault-failed',
    });
  });

  test('has taken effect when nothing of it runs', async () => {
    await expect(composeDown.effect(params, before, faultContext(project(['db'])))).resolves.toBe(false);
    await expect(composeDown.effect(params, before, faultContext(project([])))).resolves.toBe(true);
  });

  test('brings it up again, once', async () => {
    const down = project([]);
    await composeDown.heal(params, before, faultContext(down));
    expect(down.commands.at(-1)).toBe('docker compose --project-directory /opt/app up -d');
    const up = project(['web', 'db']);
    await composeDown.heal(params, before, faultContext(up));
    expect(up.commands.some((command) => command.endsWith('up -d'))).toBe(false);
  });

  test('is healed when every service that the present profiles ask for runs', async () => {
    await expect(composeDown.healed(params, before, faultContext(project(['web'])))).resolves.toBe(false);
    await expect(composeDown.healed(params, before, faultContext(project(['web'], ['web'])))).resolves.toBe(
      true,
    );
  });
});
