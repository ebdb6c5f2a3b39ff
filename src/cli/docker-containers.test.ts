import { describe, expect, test } from 'vitest';
import type { Outcome } from '../hosts/run-command.ts';
import { localEngine } from './docker-containers.ts';

const exited = (stdout: string, exitCode = 0, stderr = ''): Outcome => ({
  kind: 'exited',
  exitCode,
  stdout,
  stderr,
});

/** The engine whose client answers each command like this, and the commands that it got. */
function engineWith(outcome: Outcome) {
  const commands: string[] = [];
  const engine = localEngine(async ({ argv }) => {
    commands.push(argv.join(' '));
    return outcome;
  });
  return { engine, commands };
}

describe('the engine on this machine', () => {
  test('lists containers with their Compose project and service', async () => {
    const text = 'shop-web-1\trunning\tshop\tweb\tFalse\ndb,shop-web-1/db\texited\t\t\t\n';
    const { engine, commands } = engineWith(exited(text));
    expect(await engine.containers()).toEqual([
      { name: 'shop-web-1', state: 'running', project: 'shop', service: 'web' },
      { name: 'db', state: 'exited' },
    ]);
    expect(commands).toEqual([
      'docker ps --all --format {{.Names}}\t{{.State}}\t{{.Label "com.docker.compose.project"}}\t{{.Label "com.docker.compose.service"}}\t{{.Label "com.docker.compose.oneoff"}}',
    ]);
  });

  test.each<[Outcome, string]>([
    [
      exited('', 1, 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n'),
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.',
    ],
    [{ kind: 'not-started', code: 'ENOENT', message: 'spawn docker ENOENT' }, 'spawn docker ENOENT'],
    [{ kind: 'timed-out' }, 'no answer within 5 s'],
    [{ kind: 'overflow', limitBytes: 1_048_576 }, 'the answer has more than 1048576 bytes'],
  ])('gives the reason if it does not answer: %j', async (outcome, why) => {
    expect(await engineWith(outcome).engine.containers()).toBe(why);
    expect(await engineWith(outcome).engine.mainProcess('web')).toBeUndefined();
  });

  test.each([
    ['    PID COMMAND\n   4711 nginx\n   4790 nginx\n', 'nginx'],
    ['    PID COMMAND\n   4711 docker-init\n   4790 postgres\n', 'postgres'],
    ['    PID COMMAND\n   4711 tini\n', undefined],
    ['', undefined],
  ])('names the main process, and not the init process before it: %j', async (top, name) => {
    const { engine, commands } = engineWith(exited(top));
    expect(await engine.mainProcess('web')).toBe(name);
    expect(commands).toEqual(['docker top web -eo pid,comm']);
  });
});
