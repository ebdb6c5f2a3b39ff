import type { CloudServer } from '../../core/cloud.ts';
import type { FaultContext } from '../../core/fault.ts';
import type { ExecResult, Host } from '../../core/host.ts';
import { neverFollowed } from '../../hosts/testing/never-followed.ts';
import {
  disturb,
  disturbCommand,
  lostAnswer,
  type DisturbanceAt,
} from '../../extension/conformance/disturbance.ts';
import { faultContext } from './fault-context.ts';
import { linuxHost } from './linux-host.ts';

/** The address of firedrill's SSH connection to the machine, through eth1. */
export const managementAddress = '2001:db8::9';

/**
 * A simulated machine for every kind of fault, with services, containers, processes, packet rules, links, and
 * power.
 */
export interface SimulatedMachine {
  /** Access to it with these disturbances from now on. Resets the step count. */
  access(disturbances?: DisturbanceAt): Pick<FaultContext, 'host' | 'server'>;
  /** A fault context with that access. */
  context(disturbances?: DisturbanceAt): FaultContext;
  /** From now on, no command changes the machine. */
  freeze(): void;
  /** True if any part of a fault is in force. */
  isBroken(): boolean;
  /** Steps since the last call of `access` or `context`. */
  steps(): number;
  /** Commands so far that changed it, except auto-revert timers. */
  changes(): number;
  /** The auto-revert timers on it. */
  timers(): readonly string[];
}

/** Creates a machine without a fault. */
export function createMachine(): SimulatedMachine {
  const well = {
    serviceUp: true,
    invocation: 1,
    container: 'running' as 'running' | 'exited' | 'paused' | 'gone',
    startedAt: 1,
    composeUp: true,
    process: true,
    rules: {} as Readonly<Record<string, readonly string[]>>,
    linkUp: true,
    qdisc: '',
    power: true,
    server: 'ACTIVE' as 'ACTIVE' | 'SHUTOFF',
    boot: 1,
    commandDone: false,
  };
  let frozen = false;
  let disturbances: DisturbanceAt = () => undefined;
  let steps = 0;
  let changes = 0;
  let timers: readonly string[] = [];
  const change = (next: Partial<typeof well>): void => {
    if (frozen) return;
    Object.assign(well, next);
    changes += 1;
  };

  /** Runs one call of the power switch or the cloud with its disturbance. */
  const call = <T>(name: string, act: () => T, other: () => T): Promise<T> => {
    const disturbance = disturbances(steps++, [name]);
    if (typeof disturbance === 'object') throw new Error('the machine has no clock');
    return disturb(disturbance, act, other);
  };

  const said = (stdout: string, exitCode = 0, stderr = ''): ExecResult => ({ exitCode, stdout, stderr });

  /** `systemd-run` creates an auto-revert timer. */
  const runLater = (text: string): ExecResult => {
    const timer = `${/--unit=(\S+)/.exec(text)?.[1]}.timer`;
    if (timers.includes(timer)) return said('', 1, `Unit ${timer} already exists.`);
    if (!frozen) timers = [...timers, timer];
    return said('');
  };
  /** The script that replaces a timer with a new one. */
  const renew = (script: string): ExecResult => {
    const older = timers;
    const made = runLater(script);
    if (made.exitCode !== 0 || frozen) return made;
    timers = older.length === 0 ? [] : timers.slice(-1);
    return said('', older.length === 0 ? 1 : 0);
  };
  const systemctlOfTimers = (verb: string | undefined): ExecResult => {
    if (verb === 'stop' && !frozen) timers = [];
    if (verb !== 'list-units') return said('');
    return said(timers.map((timer) => `${timer} loaded active waiting\n`).join(''));
  };

  const systemctl = (argv: readonly string[]): ExecResult => {
    const [, verb] = argv;
    if (argv.at(-1)?.startsWith('firedrill-') === true) return systemctlOfTimers(verb);
    if (verb === 'stop' && argv.includes('nginx.service')) change({ serviceUp: false, process: false });
    if (verb === 'start') change({ serviceUp: true, process: true, invocation: well.invocation + 1 });
    if (verb === 'restart') change({ serviceUp: true, process: true, invocation: well.invocation + 1 });
    if (verb !== 'show') return said('');
    const state = well.serviceUp ? 'active' : 'inactive';
    return said(
      `LoadState=loaded\nActiveState=${state}\nCanReload=yes\nInvocationID=${well.invocation}\nStateChangeTimestampMonotonic=${well.invocation}\nTriggeredBy=\n`,
    );
  };

  /** The scripts that list processes, and that signal them. */
  const processes = (script: string, killed: Partial<typeof well>): ExecResult => {
    if (!script.includes('kill')) return said(`${well.process ? '1234 5678\n' : ''}all looked at\n`);
    if (!well.process) return said('', 1);
    change(killed);
    return said('');
  };

  const noContainer = said('', 1, 'Error: No such container: web\n');
  const docker = (argv: readonly string[]): ExecResult => {
    const [, verb] = argv;
    if (verb === 'compose') return compose(argv);
    if (verb === 'exec') return processes(argv[5] ?? '', { process: false });
    if (well.container === 'gone') return noContainer;
    if (verb === 'inspect') {
      if (!argv.includes('--format')) return said(JSON.stringify([made]));
      return said(`${well.container} 2026-01-0${well.startedAt}T00:00:00Z\n`);
    }
    const states = {
      stop: 'exited',
      kill: 'exited',
      pause: 'paused',
      unpause: 'running',
      rm: 'gone',
    } as const;
    if (verb !== undefined && verb in states) {
      const container = states[verb as keyof typeof states];
      change({ container, process: container === 'running' });
    }
    if (verb === 'start' || verb === 'restart') {
      change({ container: 'running', process: true, startedAt: well.startedAt + 1 });
    }
    return said('');
  };
  const label = 'com.docker.compose.';
  const made = {
    Id: 'f00d',
    Name: '/web',
    Config: {
      Labels: {
        [`${label}project`]: 'app',
        [`${label}service`]: 'web',
        [`${label}project.config_files`]: '/opt/app/compose.yaml',
      },
    },
  };
  const compose = (argv: readonly string[]): ExecResult => {
    if (argv.includes('down')) change({ composeUp: false });
    if (argv.includes('up'))
      change({
        composeUp: true,
        ...(well.container === 'gone' ? { container: 'running', process: true } : {}),
      });
    if (argv.includes('config')) return said(argv.includes('--services') ? 'web\ndb\n' : '');
    if (argv.includes('ps')) return said(well.composeUp ? 'web\ndb\n' : '');
    return said('');
  };

  /** `iptables-restore` adds rules from its input, and `iptables -S` prints them. */
  const filter = (argv: readonly string[], input: string): ExecResult => {
    const tool = argv[0]?.replace('-restore', '') ?? '';
    if (argv.includes('-S'))
      return said(
        ['-P PREROUTING ACCEPT', '-P POSTROUTING ACCEPT', ...(well.rules[tool] ?? []), ''].join('\n'),
      );
    if (argv.includes('--test')) return said('');
    const added = input
      .split('\n')
      .filter((line) => /^(:|-A|-I)/.test(line))
      .map((line) => line.replace(/^:(\S+).*/, '-N $1').replace(/^-I (\S+) 1/, '-A $1'));
    change({ rules: { ...well.rules, [tool]: added } });
    return said('');
  };

  /** Shell scripts: the renewal of a timer, the one that reads SSH_CONNECTION, or a fault's undo. */
  const shell = (script: string): ExecResult => {
    if (script.includes('systemd-run')) return renew(script);
    if (script.includes('SSH_CONNECTION')) return said(`${managementAddress} 50000 2001:db8::1 22\n`);
    if (script.includes('iptables')) change({ rules: {} });
    if (script.includes('qdisc del')) change({ qdisc: '' });
    if (script.includes('link set')) change({ linkUp: true });
    return said('');
  };

  const answer = (argv: readonly string[], input = ''): ExecResult => {
    const [program = '', ...words] = argv;
    const line = argv.join(' ');
    if (program === 'systemctl') return systemctl(argv);
    if (program === 'systemd-run') return runLater(line);
    if (line.startsWith('cat /etc/machine-id')) return said(`machine-1\nboot-${well.boot}\n`);
    if (program === 'docker') return docker(argv);
    if (program.startsWith('iptables') || program.startsWith('ip6tables')) return filter(argv, input);
    if (program === '/bin/sh') return shell(words.join(' '));
    if (program === 'sh') return processes(words[1] ?? '', { process: false, serviceUp: false });
    if (program === 'cat') return said(`boot-${well.boot}\n1 (init) S ${'0 '.repeat(18)}${well.boot} 0\n`);
    if (program === 'tc') {
      const handle = /handle (\S+) netem/.exec(line)?.[1];
      if (handle !== undefined) change({ qdisc: handle });
      const own = well.qdisc === '' ? [] : [{ kind: 'netem', handle: well.qdisc, root: true }];
      return said(
        line.includes('show') ? JSON.stringify([{ kind: 'noqueue', handle: '0:', root: true }, ...own]) : '',
      );
    }
    if (line === 'ip link set dev eth0 down') {
      change({ linkUp: false });
      return said('');
    }
    if (line.startsWith('ip -j route get ')) return said(JSON.stringify([{ dev: 'eth1' }]));
    if (['ip -j -6 rule show', 'ip -j -6 route show table all'].includes(line)) return said('[]');
    if (line.includes('route show table all')) {
      return said(
        well.linkUp && line.includes('-4') ? 'default via 198.18.0.1 dev eth0 proto static \n' : '',
      );
    }
    if (program === 'break') change({ commandDone: true });
    if (program === 'repair') change({ commandDone: false });
    if (program === 'is-broken') return said('', well.commandDone ? 0 : 1);
    if (program === 'is-repaired') return said('', well.commandDone ? 1 : 0);
    return standard(argv);
  };

  const linux = linuxHost(() => undefined);
  const links = new Map<string, string>();
  const standard = (argv: readonly string[]): ExecResult => {
    const text = links.get(argv.join(' ')) ?? '';
    return said(
      argv.includes('link') && !well.linkUp
        ? text.replace(
            '"ifname":"eth0","flags":["BROADCAST","UP","LOWER_UP"]',
            '"ifname":"eth0","flags":["BROADCAST"]',
          )
        : text,
    );
  };
  const ready = Promise.all(
    ['ip -j -d link show', 'ip -j address show', 'ip -j -4 route show default'].map(async (line) => {
      const limits = { timeoutMs: 1000, signal: new AbortController().signal };
      links.set(line, (await linux.exec(line.split(' '), limits)).stdout);
    }),
  );

  const act = (name: string, next: Partial<typeof well>): Promise<void> =>
    call(
      name,
      () => change(next),
      () => {},
    );
  const host: Host = {
    name: 'alpha',
    transport: 'script',
    follow: neverFollowed,
    exec: async (argv, options) => {
      await ready;
      if (!well.power || well.server !== 'ACTIVE') throw lostAnswer();
      return disturbCommand(disturbances(steps++, argv), argv, options, () => answer(argv, options.input));
    },
    power: {
      describe: { cut: 'cut', on: 'on' },
      // A power switch has no empty answer, so a disturbed step always rejects.
      isOn: () => call('power.isOn', () => well.power, unknown),
      cut: () => act('power.cut', { power: false }),
      on: () => act('power.on', { power: true }),
    },
  };
  const accept = async (name: string, next: Partial<typeof well>): Promise<{ requestId: string }> => {
    await act(name, next);
    return { requestId: 'req-1' };
  };
  const server: CloudServer = {
    where: 'server web-1 of cloud lab',
    state: () => call('server.state', () => ({ status: well.server, taskState: null }), unknown),
    stop: () => accept('server.stop', { server: 'SHUTOFF' }),
    start: () => accept('server.start', { server: 'ACTIVE' }),
    reboot: () => accept('server.reboot', { boot: well.boot + 1 }),
    action: () => Promise.resolve(undefined),
  };

  const access = (next: DisturbanceAt = () => undefined): Pick<FaultContext, 'host' | 'server'> => {
    disturbances = next;
    steps = 0;
    return { host, server };
  };
  return {
    access,
    context: (next) => {
      const accessed = access(next);
      return faultContext(accessed.host, accessed.server);
    },
    freeze: () => void (frozen = true),
    isBroken: () =>
      !well.serviceUp ||
      well.container !== 'running' ||
      !well.composeUp ||
      !well.process ||
      Object.keys(well.rules).length > 0 ||
      !well.linkUp ||
      well.qdisc !== '' ||
      !well.power ||
      well.server !== 'ACTIVE' ||
      well.commandDone,
    steps: () => steps,
    changes: () => changes,
    timers: () => timers,
  };
}

function unknown(): never {
  throw lostAnswer();
}
