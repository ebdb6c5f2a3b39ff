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

/** The output of the script that lists processes. */
const found = (...lines: readonly string[]): Partial<ExecResult> => ({
  stdout: [...lines, 'all looked at\n'].join('\n'),
});
const isSearch = (argv: readonly string[]): boolean =>
  argv.some((word) => word.includes("echo 'all looked at'"));
const isKill = (argv: readonly string[]): boolean => argv.some((word) => word.includes('kill "-$signal"'));

/** A container in the given state, with the given processes. */
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
  test('kills by exact name inside the container, so that the restart policy applies', async () => {
    const host = container({});
    await processKill.inject(params, before, faultContext(host));
    expect(host.commands).toHaveLength(1);
    expect(host.commands[0]).toMatch(/^docker exec db sh -c [^]* sh postgres KILL$/);
  });

  describe('of PID 1 of a container', () => {
    const first = { ...before, processes: ['1 a', '8 b'] };
    const kill = 'sh -c test "$(cat "/proc/$1/comm")" = "$2" && kill -KILL "$1" sh 4711 postgres';

    test('sends KILL from the host, because the kernel drops a KILL from inside', async () => {
      const host = container({});
      await processKill.inject(params, first, faultContext(host));
      expect(host.commands).toEqual(['docker inspect --type container --format {{.State.Pid}} db', kill]);
    });

    test('sends signals that the process can handle from inside', async () => {
      const host = container({});
      await processKill.inject({ ...params, signal: 'TERM' }, first, faultContext(host));
      expect(host.commands[0]).toMatch(/^docker exec db sh -c [^]* sh postgres TERM$/);
    });

    test.each([
      [{ pid: '0' }, 'the engine reports PID "0"'],
      [{ kill: { exitCode: 1, stderr: 'cat: /proc/4711/comm: No such file or directory' } }, 'cat: .*'],
      [{ kill: { exitCode: 1, stderr: 'kill: Operation not permitted' } }, 'kill: Operation not permitted'],
    ])('reports a failed kill: %j', async (state, why) => {
      await expect(processKill.inject(params, first, faultContext(container(state)))).rejects.toMatchObject({
        code: 'fault-failed',
        message: expect.stringMatching(
          new RegExp(
            String.raw`^alpha: cannot SIGKILL postgres \(PID 1 of container db\) from the host: ${why}$`,
          ),
        ) as unknown,
      });
    });

    test('is refused if the host itself is that container', async () => {
      const host = container({ processes: ['1 10'] });
      const own = processKill.params.parse({ process: 'perl' });
      await expect(processKill.before(own, faultContext(host))).rejects.toMatchObject({
        code: 'fault-failed',
        message: 'alpha: cannot SIGKILL perl: it is PID 1 of its namespace',
      });
      // The process may handle SIGTERM, so it is sent from inside.
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
          'alpha: cannot list the processes named postgres in container db: sh cannot run: exec failed: "sh": executable file not found in $PATH',
      },
    ],
    // No output, or the output of another program, is not a list.
    [{ exitCode: 0, stdout: '' }, { code: 'host-unreachable' }],
    [{ exitCode: 0, stdout: 'This account is currently not available.\n' }, { code: 'host-unreachable' }],
    [
      { exitCode: 1, stderr: 'Error response from daemon: container 4711 is not running' },
      {
        code: 'host-unreachable',
        message:
          'alpha: cannot list the processes named postgres in container db: Error response from daemon: container 4711 is not running',
      },
    ],
  ])('throws if the processes cannot be listed: %j', async (answer, error) => {
    const host = scriptedHost((argv) =>
      argv[1] === 'inspect' ? { stdout: `running ${firstLife}\n${neverEnded}\n` } : answer,
    );
    await expect(processKill.before(params, faultContext(host))).rejects.toMatchObject(error);
    await expect(processKill.effect(params, before, faultContext(host))).rejects.toMatchObject(error);
    await expect(processKill.healed(params, before, faultContext(host))).rejects.toMatchObject(error);
  });

  test('without `container`, runs on the host itself', async () => {
    const host = container({});
    await processKill.inject(processKill.params.parse({ process: 'nginx' }), before, faultContext(host));
    expect(host.commands[0]).toMatch(/^sh -c [^]* sh nginx KILL$/);
  });

  test('treats an exec that ends with its container as success', async () => {
    await expect(
      processKill.inject(params, before, faultContext(container({ signalled: 137 }))),
    ).resolves.toBeNull();
  });

  test('fails when no process matched', async () => {
    await expect(
      processKill.inject(params, before, faultContext(container({ signalled: 1 }))),
    ).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: cannot kill -KILL postgres in container db: exit 1: no process has this name',
    });
  });

  test('refuses to start if no process has the name', async () => {
    await expect(processKill.before(params, faultContext(container({})))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: cannot kill postgres in container db: no process has this name',
    });
  });

  test('records the processes with their start times', async () => {
    const host = container({ processes: before.processes });
    await expect(processKill.before(params, faultContext(host))).resolves.toEqual(before);
  });

  test('has no effect while one of the old processes runs', async () => {
    const host = container({ processes: ['7 4711', '9 4712'] });
    await expect(processKill.effect(params, before, faultContext(host))).resolves.toBe(false);
  });

  test('is in effect when all of them are gone, even if a PID is reused', async () => {
    const host = container({ processes: ['7 9999'] });
    await expect(processKill.effect(params, before, faultContext(host))).resolves.toBe(true);
  });

  test.each([
    { startedAt: '2026-01-01T00:01:00Z' },
    { finishedAt: '2026-01-01T00:00:59Z', status: 'exited' },
  ])('is in effect when the container has exited since: %j', async (state) => {
    const host = container({ ...state, processes: before.processes });
    await expect(processKill.effect(params, before, faultContext(host))).resolves.toBe(true);
  });

  test('is not healed while the process is missing in a running container', async () => {
    await expect(processKill.healed(params, before, faultContext(container({})))).resolves.toBe(false);
  });

  test('does nothing if the process came back by itself', async () => {
    const host = container({ processes: ['8 9999'] });
    await processKill.heal(params, before, faultContext(host));
    expect(host.commands.filter((command) => /docker (start|restart)/.test(command))).toEqual([]);
  });

  test('starts a container that stays down', async () => {
    const host = container({ status: 'exited' });
    await processKill.heal(params, before, faultContext(host));
    expect(host.commands.at(-1)).toBe('docker start db');
  });

  test('restarts a running container whose process does not come back by itself', async () => {
    const host = container({});
    await processKill.heal(params, before, faultContext(host));
    expect(host.commands.at(-1)).toBe('docker restart db');
  });

  test('waits for the restart policy before it starts the container', async () => {
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
      ['inactive', 'alpha: cannot kill the process of keepalived.service: the unit is not active'],
      [undefined, 'alpha: no systemd unit keepalived.service'],
    ])('refuses a unit that is %s', async (state, message) => {
      const ctx = faultContext(host(state, '7 4711'));
      await expect(processKill.before(ofUnit, ctx)).rejects.toMatchObject({ code: 'fault-failed', message });
    });

    test('starts the unit if it stays down', async () => {
      const down = host('failed');
      await processKill.heal(ofUnit, onHost, faultContext(down));
      expect(acting(down)[0]).toBe('systemctl start keepalived.service');
    });

    test('waits for the unit’s restart policy before it starts the unit', async () => {
      const about = host('activating');
      const ctx = faultContext(about);
      await processKill.heal(ofUnit, onHost, ctx);
      expect(ctx.clock.nowMs()).toBeGreaterThanOrEqual(60_000);
      expect(acting(about)).toEqual(['systemctl restart keepalived.service']);
    });

    test('is not healed by a process of the same name elsewhere, as in a container of the host', async () => {
      const elsewhere = host('failed', '8 9999');
      await expect(processKill.healed(ofUnit, onHost, faultContext(elsewhere))).resolves.toBe(false);
    });

    test('leaves a unit alone that is active again', async () => {
      const back = host('active', '8 9999');
      await processKill.heal(ofUnit, onHost, faultContext(back));
      expect(acting(back)).toEqual([]);
    });

    test('cannot be combined with a container', () => {
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

    /** The container in these states, of which the last one stays. Commands in it work while it runs. */
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

    test('is in effect when the engine reports that the container has exited', async () => {
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

    test('is started through its engine if it stays down', async () => {
      const { host, powered } = containerHost([exited]);
      await processKill.heal(onHost, before, faultContext(host));
      expect(powered).toEqual(['on']);
    });

    test('is left to its restart policy while it is restarting', async () => {
      const { host, powered } = containerHost([{ ...exited, status: 'restarting' }, {}], '1 10');
      await processKill.heal(onHost, before, faultContext(host));
      expect(powered).toEqual([]);
    });

    test('is described in the plan', () => {
      expect(processKill.onContainer?.(onHost)).toContain('its restart policy applies');
      expect(processKill.onContainer?.(params)).toBeUndefined();
    });
  });
});
