import { describe, expect, test } from 'vitest';
import { composeDown } from './compose.down.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';

const params = composeDown.params.parse({ projectDirectory: '/opt/app' });
const plain = ['docker', 'compose', '--project-directory', '/opt/app'];
const before = { services: ['web', 'db'], idle: [], compose: plain };

interface Project {
  readonly running?: readonly string[];
  readonly requested?: readonly string[];
  /** Exited services, with their exit codes. */
  readonly exited?: Readonly<Record<string, number>>;
  /** One line per container: project, config files, environment files. */
  readonly labels?: readonly string[];
}

const project = ({ running = [], requested = ['web', 'db'], exited = {}, labels = [] }: Project) =>
  scriptedHost((argv) => {
    const said = (lines: readonly string[]) => ({ stdout: lines.map((line) => `${line}\n`).join('') });
    if (argv[1] === 'ps') return said(labels);
    if (argv.includes('--all'))
      return said(Object.entries(exited).map(([service, code]) => `${service} exited ${code}`));
    if (argv.includes('ps')) return said(running);
    if (argv.includes('config')) return said(requested);
    return {};
  });

describe('compose.down', () => {
  test('takes the project down by its folder', async () => {
    const host = project({ running: ['web'] });
    await composeDown.inject(params, before, faultContext(host));
    expect(host.commands).toEqual(['docker compose --project-directory /opt/app down']);
  });

  test('refuses a project that is already down', async () => {
    await expect(composeDown.before(params, faultContext(project({})))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: cannot take /opt/app down: no service of the project is running',
      hint: 'Start the project first: docker compose --project-directory /opt/app up -d',
    });
  });

  test('has taken effect when no service of it runs', async () => {
    const record = (running: readonly string[]) =>
      composeDown.effect(params, before, faultContext(project({ running })));
    await expect(record(['db'])).resolves.toBe(false);
    await expect(record([])).resolves.toBe(true);
  });

  test('starts the project again, and only once', async () => {
    const down = project({});
    await composeDown.heal(params, before, faultContext(down));
    expect(down.commands.at(-1)).toBe('docker compose --project-directory /opt/app up -d');
    const up = project({ running: ['web', 'db'] });
    await composeDown.heal(params, before, faultContext(up));
    expect(up.commands.some((command) => command.endsWith('up -d'))).toBe(false);
  });

  test('is healed when every service of the active profiles runs', async () => {
    const healed = (state: Project) => composeDown.healed(params, before, faultContext(project(state)));
    await expect(healed({ running: ['web'] })).resolves.toBe(false);
    await expect(healed({ running: ['web'], requested: ['web'] })).resolves.toBe(true);
  });

  test('throws instead of reporting a heal if Compose lists no service', async () => {
    await expect(
      composeDown.healed(params, before, faultContext(project({ requested: [] }))),
    ).rejects.toMatchObject({
      code: 'host-unreachable',
      message:
        'alpha: `docker compose --project-directory /opt/app config --services` listed no services: no output',
    });
  });

  test('quotes the output of Compose if it has no service name', async () => {
    const warning = 'WARN[0000] compose.yaml: the attribute `version` is obsolete';
    await expect(
      composeDown.healed(params, before, faultContext(project({ requested: [warning] }))),
    ).rejects.toMatchObject({
      message: `alpha: \`docker compose --project-directory /opt/app config --services\` listed no services: ${warning}`,
    });
  });

  describe('with a one-shot service', () => {
    const requested = ['migrate', 'web', 'db'];
    const running = ['web', 'db'];

    test('is healed without it if it did not run before the fault', async () => {
      const host = project({ running, requested });
      const noted = await composeDown.before(params, faultContext(host));
      expect(noted).toEqual({ services: running, idle: ['migrate'], compose: plain });
      await expect(composeDown.healed(params, noted, faultContext(host))).resolves.toBe(true);
      const partly = project({ running: ['db'], requested });
      await expect(composeDown.healed(params, noted, faultContext(partly))).resolves.toBe(false);
    });

    test.each([
      [{ migrate: 0 }, true],
      [{ migrate: 1 }, false],
      [{}, false],
    ])('of a profile added later, is healed when it has exited 0: %j', async (exited, healed) => {
      const host = project({ running, requested, exited });
      await expect(composeDown.healed(params, before, faultContext(host))).resolves.toBe(healed);
      // Records of older versions do not contain the idle services.
      const old = { services: running };
      await expect(composeDown.healed(params, old, faultContext(host))).resolves.toBe(healed);
    });

    test('a service that ran before the fault is not a one-shot service, even if it exited 0', async () => {
      const host = project({ running: ['db'], exited: { web: 0 } });
      await expect(composeDown.healed(params, before, faultContext(host))).resolves.toBe(false);
    });
  });

  describe('created from other files', () => {
    const running = ['web', 'db'];
    const compose = `${plain.join(' ')} --project-name shop --file /opt/app/a.yaml --file /opt/app/b.yaml --env-file /opt/app/prod.env`;
    const labels = ['shop\t/opt/app/a.yaml,/opt/app/b.yaml\t/opt/app/prod.env'];

    test('is started from those files', async () => {
      const host = project({ running, labels: [...labels, ...labels] });
      const slash = composeDown.params.parse({ projectDirectory: '/opt/app/' });
      await composeDown.before(slash, faultContext(host));
      expect(host.commands[1]).toContain('--filter label=com.docker.compose.project.working_dir=/opt/app --');
      const noted = await composeDown.before(params, faultContext(host));
      expect(noted.compose?.join(' ')).toBe(compose);
      expect(composeDown.undo?.(params, noted)).toBe(`${compose} up -d`);
      const down = project({});
      await composeDown.heal(params, noted, faultContext(down));
      expect(down.commands.at(-1)).toBe(`${compose} up -d`);
    });

    test('is started from the files that the scenario names', async () => {
      const named = composeDown.params.parse({
        projectDirectory: '/opt/app',
        files: ['c.yaml', '/etc/d.yaml'],
      });
      const noted = await composeDown.before(named, faultContext(project({ running, labels })));
      expect(noted.compose).toEqual([...plain, '--file', '/opt/app/c.yaml', '--file', '/etc/d.yaml']);
    });

    test.each([
      [
        { running, labels: [...labels, 'shop\t/opt/app/a.yaml\t'] },
        'alpha: cannot find the Compose files of /opt/app: its containers come from different files or projects',
      ],
      [
        { running: [...running, 'debug'] },
        'alpha: cannot take /opt/app down: service debug is running, but `docker compose --project-directory /opt/app up -d` would not start it again',
      ],
    ])('is refused if `up` would not start all of it again: %j', async (state, message) => {
      await expect(composeDown.before(params, faultContext(project(state)))).rejects.toMatchObject({
        code: 'fault-failed',
        message,
      });
    });
  });
});
