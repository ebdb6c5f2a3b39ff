import { describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { ContainerReport, ExecResult, Host } from '../core/host.ts';
import { processKill } from './process.kill.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';

const params = processKill.params.parse({ container: 'db', process: 'postgres' });
const firstLife = '2026-01-01T00:00:00Z';
const neverEnded = '0001-01-01T00:00:00Z';
const before = { life: `${firstLife} ${neverEnded}`, processes: ['7 4711'] };

/** What finds processes answers with these lines. */
const found = (...lines: readonly string[]): Partial<ExecResult> => ({
  stdout: [...lines, 'all looked at\n'].join('\n'),
});
const isSearch = (argv: readonly string[]): boolean =>
  argv.some((word) => word.includes("echo 'all looked at'"));
const isKill = (argv: readonly string[]): boolean => argv.some((word) => word.includes('kill "-$signal"'));

/** A container in some state, with the given processes. */
function container(state: {
  status?: string;
  startedAt?: string;
  finishedAt?: string;
  processes?: readonly string[];
  signalled?: number;
  pid?: string;
  kill?: Partial<ExecResult>;
}) {
  return scriptedHost((argv) => {
    if (argv.includes('{{.State.Pid}}')) return { stdout: `${state.pid ?? '4711'}\n` };
    if (isSearch(argv)) return found(...(state.processes ?? []));
    if (isKill(argv)) return { exitCode: state.signalled ?? 0 };
    if (argv[0] === 'sh') return state.kill ?? {};
    if (argv[1] === 'inspect')
      return {
        stdout: `${state.status ?? 'running'} ${state.startedAt ?? firstLife}\n${state.finishedAt ?? neverEnded}\n`,
      };
    return {};
  });
}

describe('process.kill', () => {
  test('kills by exact name inside the container, so that the restart policy answers', async () => {
    const host = container({});
    await processKill.inject(params, before, faultContext(host));
    expect(host.commands).toHaveLength(1);
    expect(host.commands[0]).toMatch(/^docker exec db sh -c [^]* sh postgres KILL$/);
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
      expect(host.commands[0]).toMatch(/^docker exec db sh -c [^]* sh postgres TERM$/);
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
      const host = container({ processes: ['1 10'] });
      const own = processKill.params.parse({ process: 'perl' });
      await expect(processKill.before(own, faultContext(host))).rejects.toMatchObject({
        code: 'fault-failed',
        message: 'alpha: cannot SIGKILL perl: it is PID 1 of its namespace',
      });
      // One that it may handle is its own to answer.
      const polite = processKill.params.parse({ process: 'perl', signal: 'TERM' });
      await expect(processKill.before(polite, faultContext(host))).resolves.toMatchObject({
        processes: ['1 10'],
      });
    });
  });

  test.each([
    [
      { exitCode: 127, stderr: 'exec failed: "sh": executable file not found in $PATH' },
      {
        code: 'fault-failed',
        message:
          'alpha: cannot look for postgres in container db: sh cannot be run: exec failed: "sh": executable file not found in $PATH',
      },
    ],
    // Silence, or another's words, are no list.
    [{ exitCode: 0, stdout: '' }, { code: 'host-unreachable' }],
    [{ exitCode: 0, stdout: 'This account is currently not available.\n' }, { code: 'host-unreachable' }],
    [
      { exitCode: 1, stderr: 'Error response from daemon: container 4711 is not running' },
      {
        code: 'host-unreachable',
        message:
          'alpha: cannot look for postgres in container db: Error response from daemon: container 4711 is not running',
      },
    ],
  ])('knows nothing of processes that it could not look for: %j', async (answer, error) => {
    const host = scriptedHost((argv) =>
      argv[1] === 'inspect' ? { stdout: `running ${firstLife}\n${neverEnded}\n` } : answer,
    );
    await expect(processKill.before(params, faultContext(host))).rejects.toMatchObject(error);
    await expect(processKill.effect(params, before, faultContext(host))).rejects.toMatchObject(error);
    await expect(processKill.healed(params, before, faultContext(host))).rejects.toMatchObject(error);
  });

  test('runs on the host itself without a container', async () => {
    const host = container({});
    await processKill.inject(processKill.params.parse({ process: 'nginx' }), before, faultContext(host));
    expect(host.commands[0]).toMatch(/^sh -c [^]* sh nginx KILL$/);
  });

  test('takes an exec that dies with its container for the fault at work', async () => {
    await expect(
      processKill.inject(params, before, faultContext(container({ signalled: 137 }))),
    ).resolves.toBeNull();
  });

  test('fails when no process matched', async () => {
    await expect(
      processKill.inject(params, before, faultContext(container({ signalled: 1 }))),
    ).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: cannot kill -KILL postgres in container db: exit 1: no process of that name',
    });
  });

  test('refuses to start where there is nothing to kill', async () => {
    await expect(processKill.before(params, faultContext(container({})))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: no process named postgres to kill in container db',
    });
  });

  test('notes the processes with their start times', async () => {
    const host = container({ processes: before.processes });
    await expect(processKill.before(params, faultContext(host))).resolves.toEqual(before);
  });

  test('sees no effect while one of the old processes lives', async () => {
    const host = container({ processes: ['7 4711', '9 4712'] });
    await expect(processKill.effect(params, before, faultContext(host))).resolves.toBe(false);
  });

  test('sees the effect when all of them are gone, even if the pid is used again', async () => {
    const host = container({ processes: ['7 9999'] });
    await expect(processKill.effect(params, before, faultContext(host))).resolves.toBe(true);
  });

  test.each([
    { startedAt: '2026-01-01T00:01:00Z' },
    { finishedAt: '2026-01-01T00:00:59Z', status: 'exited' },
  ])('sees the effect when the container has ended a life: %j', async (state) => {
    const host = container({ ...state, processes: before.processes });
    await expect(processKill.effect(params, before, faultContext(host))).resolves.toBe(true);
  });

  test('is not healed while the process is missing in a running container', async () => {
    await expect(processKill.healed(params, before, faultContext(container({})))).resolves.toBe(false);
  });

  test('heals nothing that healed itself', async () => {
    const host = container({ processes: ['8 9999'] });
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
    /** A host whose unit is in this state, with the given processes. */
    const host = (state: string | undefined, ...processes: readonly string[]) =>
      scriptedHost((argv) => {
        if (isSearch(argv)) return found(...processes);
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
      const ctx = faultContext(host(state, '7 4711'));
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

    test('is not healed by a process of the same name, as in a container of the host', async () => {
      const elsewhere = host('failed', '8 9999');
      await expect(processKill.healed(ofUnit, onHost, faultContext(elsewhere))).resolves.toBe(false);
    });

    test('leaves one alone that is back', async () => {
      const back = host('active', '8 9999');
      await processKill.heal(ofUnit, onHost, faultContext(back));
      expect(acting(back)).toEqual([]);
    });

    test('is not taken beside a container', () => {
      const { error } = processKill.params.safeParse({ container: 'db', process: 'postgres', unit });
      expect(error?.issues).toMatchObject([{ path: ['unit'] }]);
    });
  });

  describe('on a host that is a container itself', () => {
    const onHost = processKill.params.parse({ process: 'postgres', signal: 'TERM' });
    const report: ContainerReport = {
      status: 'running',
      startedAt: firstLife,
      finishedAt: neverEnded,
      restartPolicy: 'no',
      sharesMachineNetwork: false,
    };

    /** The container in these states, the last one for good; commands in it work while it runs. */
    function containerHost(states: readonly Partial<ContainerReport>[], ...processes: readonly string[]) {
      const left = states.map((state) => ({ ...report, ...state }));
      const powered: string[] = [];
      let status = '';
      const host: Host = {
        ...scriptedHost((argv) => {
          if (status !== 'running') throw new DrillError('host-unreachable', 'alpha: it stopped');
          return isSearch(argv) ? found(...processes) : {};
        }),
        power: {
          describe: { cut: '', on: '' },
          isOn: () => Promise.resolve(status === 'running'),
          cut: () => Promise.resolve(),
          on: async () => void powered.push('on'),
        },
        container: {
          name: 'db',
          inspect: async () => {
            const state = (left.length > 1 ? left.shift() : left[0]) ?? report;
            status = state.status;
            return state;
          },
        },
      };
      return { host, powered };
    }
    const exited = { status: 'exited', finishedAt: '2026-01-01T00:01:00Z' };

    test('goes down with the process: its engine tells', async () => {
      const { host } = containerHost([{}], '1 10', '7 4711');
      const noted = await processKill.before(onHost, faultContext(host));
      expect(noted).toEqual({ life: before.life, processes: ['1 10', '7 4711'] });
      const down = containerHost([exited]);
      await expect(processKill.effect(onHost, noted, faultContext(down.host))).resolves.toBe(true);
      await expect(processKill.healed(onHost, noted, faultContext(down.host))).resolves.toBe(false);
      const back = containerHost(
        [{ startedAt: '2026-01-01T00:01:01Z', finishedAt: exited.finishedAt }],
        '1 10',
      );
      await expect(processKill.effect(onHost, noted, faultContext(back.host))).resolves.toBe(true);
      await expect(processKill.healed(onHost, noted, faultContext(back.host))).resolves.toBe(true);
    });

    test('is started by its engine where it stays down', async () => {
      const { host, powered } = containerHost([exited]);
      await processKill.heal(onHost, before, faultContext(host));
      expect(powered).toEqual(['on']);
    });

    test('is left to its restart policy while that is at work', async () => {
      const { host, powered } = containerHost([{ ...exited, status: 'restarting' }, {}], '1 10');
      await processKill.heal(onHost, before, faultContext(host));
      expect(powered).toEqual([]);
    });

    test('has that in the plan', () => {
      expect(processKill.onContainer?.(onHost)).toContain('its restart policy applies');
      expect(processKill.onContainer?.(params)).toBeUndefined();
    });
  });
});
