import { describe, expect, test } from 'vitest';
import type { ExecResult } from '../core/host.ts';
import { processKill } from './process.kill.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';

const params = processKill.params.parse({ container: 'db', process: 'postgres' });
const firstLife = '2026-01-01T00:00:00Z';
const before = { life: firstLife, processes: ['7 Thu Jan 1 00:00:00 2026'] };

/** A container in some state, with the given `ps` lines. */
function container(state: {
  status?: string;
  startedAt?: string;
  ps?: string;
  pkill?: number;
  pid?: string;
  kill?: Partial<ExecResult>;
}) {
  return scriptedHost((argv) => {
    if (argv.includes('{{.State.Pid}}')) return { stdout: `${state.pid ?? '4711'}\n` };
    if (argv[0] === 'sh') return state.kill ?? {};
    if (argv[1] === 'inspect')
      return { stdout: `${state.status ?? 'running'} ${state.startedAt ?? firstLife}\n` };
    if (argv.includes('ps')) return { stdout: state.ps ?? '', exitCode: state.ps === undefined ? 1 : 0 };
    if (argv.includes('pkill')) return { exitCode: state.pkill ?? 0 };
    return {};
  });
}

describe('process.kill', () => {
  test('kills by exact name inside the container, so that the restart policy answers', async () => {
    const host = container({});
    await processKill.inject(params, before, faultContext(host));
    expect(host.commands).toEqual(['docker exec db pkill -KILL -x postgres']);
  });

  test('freezes several processes before it kills them: none hears of the death of another', async () => {
    const host = container({});
    const several = { ...before, processes: ['7 a', '8 b'] };
    await processKill.inject(params, several, faultContext(host));
    await processKill.inject({ ...params, signal: 'TERM' }, several, faultContext(host));
    expect(host.commands).toEqual([
      'docker exec db sh -c pkill -STOP -x "$1"; pkill -KILL -x "$1" sh postgres',
      'docker exec db pkill -TERM -x postgres',
    ]);
  });

  describe('of the first process of a container', () => {
    const first = { ...before, processes: ['1 a', '8 b'] };
    const kill = 'sh -c test "$(cat "/proc/$1/comm")" = "$2" && kill -KILL "$1" sh 4711 postgres';

    test('is done from the host, as the kernel lets no KILL from within reach it', async () => {
      const host = container({});
      await processKill.inject(params, first, faultContext(host));
      expect(host.commands).toEqual(['docker inspect --type container --format {{.State.Pid}} db', kill]);
    });

    test('is done from within by signals that it may handle', async () => {
      const host = container({});
      await processKill.inject({ ...params, signal: 'TERM' }, first, faultContext(host));
      expect(host.commands).toEqual(['docker exec db pkill -TERM -x postgres']);
    });

    test.each([
      [{ pid: '0' }, 'its pid is "0"'],
      [{ kill: { exitCode: 1, stderr: 'cat: /proc/4711/comm: No such file or directory' } }, 'cat: .*'],
      [{ kill: { exitCode: 1, stderr: 'kill: Operation not permitted' } }, 'kill: Operation not permitted'],
    ])('says so where that cannot be: %j', async (state, why) => {
      await expect(processKill.inject(params, first, faultContext(container(state)))).rejects.toMatchObject({
        code: 'fault-failed',
        message: expect.stringMatching(
          new RegExp(
            `^alpha: postgres is process 1 of container db, and could not be killed from the host: ${why}$`,
          ),
        ) as unknown,
      });
    });

    test('is refused where the host itself is that container: nothing inside can', async () => {
      const host = container({ ps: 'Ss 1 Thu Jan 1 00:00:00 2026' });
      const own = processKill.params.parse({ process: 'perl' });
      await expect(processKill.before(own, faultContext(host))).rejects.toMatchObject({
        code: 'fault-failed',
        message: 'alpha: perl is process 1 there, which no KILL from within reaches',
      });
      // One that it may handle is its own to answer.
      const polite = processKill.params.parse({ process: 'perl', signal: 'TERM' });
      await expect(processKill.before(polite, faultContext(host))).resolves.toMatchObject({
        processes: ['1 Thu Jan 1 00:00:00 2026'],
      });
    });
  });

  test('tells a missing ps from a missing process', async () => {
    const host = scriptedHost((argv) =>
      argv[1] === 'inspect'
        ? { stdout: `running ${firstLife}\n` }
        : { exitCode: 127, stderr: 'exec failed: "ps": executable file not found in $PATH' },
    );
    await expect(processKill.before(params, faultContext(host))).rejects.toMatchObject({
      message:
        'alpha: ps, which finds postgres, cannot be run in container db: exec failed: "ps": executable file not found in $PATH',
      mend: 'Install procps there (ps and pkill), in its image.',
    });
  });

  test('runs on the host itself without a container', async () => {
    const host = container({});
    await processKill.inject(processKill.params.parse({ process: 'nginx' }), before, faultContext(host));
    expect(host.commands).toEqual(['pkill -KILL -x nginx']);
  });

  test('takes an exec that dies with its container for the fault at work', async () => {
    await expect(
      processKill.inject(params, before, faultContext(container({ pkill: 137 }))),
    ).resolves.toBeNull();
  });

  test('fails when no process matched', async () => {
    await expect(
      processKill.inject(params, before, faultContext(container({ pkill: 1 }))),
    ).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: `docker exec db pkill -KILL -x postgres` exited 1: no process matched',
    });
  });

  test('refuses to start where there is nothing to kill', async () => {
    await expect(processKill.before(params, faultContext(container({})))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: no process named postgres to kill in container db',
    });
  });

  test('notes the processes with their start times and leaves zombies out', async () => {
    const ps = 'Ss      7 Thu Jan  1 00:00:00 2026\nZ       9 Thu Jan  1 00:00:01 2026\n';
    await expect(processKill.before(params, faultContext(container({ ps })))).resolves.toEqual(before);
  });

  test('sees no effect while one of the old processes lives', async () => {
    const host = container({ ps: 'Ss      7 Thu Jan  1 00:00:00 2026\n' });
    await expect(processKill.effect(params, before, faultContext(host))).resolves.toBe(false);
  });

  test('sees the effect when all of them are gone, even if the pid is used again', async () => {
    const host = container({ ps: 'Ss      7 Thu Jan  1 00:00:30 2026\n' });
    await expect(processKill.effect(params, before, faultContext(host))).resolves.toBe(true);
  });

  test('sees the effect when the container was restarted', async () => {
    const host = container({ startedAt: '2026-01-01T00:01:00Z', ps: 'Ss 7 Thu Jan 1 00:00:00 2026' });
    await expect(processKill.effect(params, before, faultContext(host))).resolves.toBe(true);
  });

  test('is not healed while the process is missing in a running container', async () => {
    await expect(processKill.healed(params, before, faultContext(container({})))).resolves.toBe(false);
  });

  test('heals nothing that healed itself', async () => {
    const host = container({ ps: 'Ss 8 Thu Jan 1 00:01:00 2026' });
    await processKill.heal(params, before, faultContext(host));
    expect(host.commands.filter((command) => /docker (start|restart)/.test(command))).toEqual([]);
  });

  test('starts a container that stayed down', async () => {
    const host = container({ status: 'exited' });
    await processKill.heal(params, before, faultContext(host));
    expect(host.commands.at(-1)).toBe('docker start db');
  });

  test('restarts a running container whose process does not come back by itself', async () => {
    const host = container({});
    await processKill.heal(params, before, faultContext(host));
    expect(host.commands.at(-1)).toBe('docker restart db');
  });

  test('waits for the restart policy before it helps', async () => {
    const host = container({ status: 'restarting' });
    const ctx = faultContext(host);
    await processKill.heal(params, before, ctx);
    expect(ctx.clock.nowMs()).toBeGreaterThanOrEqual(60_000);
    expect(host.commands.at(-1)).toBe('docker restart db');
  });

  describe('of a systemd unit', () => {
    const unit = 'keepalived.service';
    const ofUnit = processKill.params.parse({ process: 'keepalived', unit });
    const onHost = { life: 'host', processes: before.processes };
    /** A host whose unit is in this state, with the given `ps` lines. */
    const host = (state: string | undefined, ps = '') =>
      scriptedHost((argv) => {
        if (argv[0] === 'ps') return { stdout: ps };
        if (argv[1] !== 'show') return {};
        return {
          stdout: `LoadState=${state === undefined ? 'not-found' : 'loaded'}\nActiveState=${state}\n`,
        };
      });
    const acting = ({ commands }: ReturnType<typeof host>) =>
      commands.filter((line) => /^systemctl (?!show)/.test(line));

    test.each([
      ['inactive', 'alpha: keepalived.service is not active'],
      [undefined, 'alpha: no systemd unit keepalived.service'],
    ])('refuses one that is %s: the process is of another', async (state, message) => {
      const ctx = faultContext(host(state, 'Ss 7 Thu Jan 1 00:00:00 2026'));
      await expect(processKill.before(ofUnit, ctx)).rejects.toMatchObject({ code: 'fault-failed', message });
    });

    test('starts it where it stays down', async () => {
      const down = host('failed');
      await processKill.heal(ofUnit, onHost, faultContext(down));
      expect(acting(down)[0]).toBe('systemctl start keepalived.service');
    });

    test('waits for its restart policy before it helps', async () => {
      const about = host('activating');
      const ctx = faultContext(about);
      await processKill.heal(ofUnit, onHost, ctx);
      expect(ctx.clock.nowMs()).toBeGreaterThanOrEqual(60_000);
      expect(acting(about)).toEqual(['systemctl restart keepalived.service']);
    });

    test('leaves one alone that is back', async () => {
      const back = host('active', 'Ss 8 Thu Jan 1 00:01:00 2026');
      await processKill.heal(ofUnit, onHost, faultContext(back));
      expect(acting(back)).toEqual([]);
    });

    test('is not taken beside a container', () => {
      const { error } = processKill.params.safeParse({ container: 'db', process: 'postgres', unit });
      expect(error?.issues).toMatchObject([{ path: ['unit'] }]);
    });
  });
});
