import type { CloudServer } from '../../core/cloud.ts';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import type { ExecResult, Host } from '../../core/host.ts';
import { neverFollowed } from '../../hosts/testing/never-followed.ts';
import { faultContext } from './fault-context.ts';
import { linuxHost } from './linux-host.ts';

/** How one step goes wrong. */
export type Disturbance =
  /** The command never arrives, and the call rejects. */
  | 'lost before'
  /** The command runs, but its answer is lost, and the call rejects. */
  | 'lost after'
  /** The command does not run. The output is empty, and the exit code is 0. */
  | 'silent'
  /** The command does not run. The output is a login banner, and the exit code is 0. */
  | 'another answers'
  /** The command runs. A login banner and a trailer surround its output. */
  | 'noisy'
  /** The command does not run: its program has another version without these options. */
  | 'another version'
  /** The command does not run: its program does not exist. */
  | 'no program'
  /** The command runs, but its answer comes after other pending work. */
  | 'late';

/** The address of firedrill's SSH connection to the machine, through eth1. */
export const managementAddress = '2001:db8::9';

/** Returns the disturbance of a step, counted from 0. */
export type DisturbanceAt = (step: number) => Disturbance | undefined;

/**
 * A simulated machine for every kind of fault, with services, containers, processes, packet rules, links, and
 * power.
 */
export interface SimulatedMachine {
  /** A fault context with these disturbances from now on. Resets the step count. */
  context(disturbances?: DisturbanceAt): FaultContext;
  /** From now on, no command changes the machine. */
  freeze(): void;
  /** True if any part of a fault is in force. */
  isBroken(): boolean;
  /** Steps since the last call of `context`. */
  steps(): number;
}

const noise = { before: 'Welcome, authorised use only\n', after: 'session was recorded\n' };

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
  const change = (changes: Partial<typeof well>): void => {
    if (!frozen) Object.assign(well, changes);
  };

  /** Runs one step with its disturbance, if any. */
  const step = async <T>(
    act: () => T,
    another: (disturbance: Disturbance, answer: () => T) => T,
  ): Promise<T> => {
    const disturbance = disturbances(steps);
    steps += 1;
    if (disturbance === 'late') await new Promise(setImmediate);
    if (disturbance === undefined || disturbance === 'late') return act();
    if (disturbance === 'lost before') throw lost();
    if (disturbance === 'lost after') {
      act();
      throw lost();
    }
    return another(disturbance, act);
  };

  const said = (stdout: string, exitCode = 0, stderr = ''): ExecResult => ({ exitCode, stdout, stderr });
  const otherwise =
    (argv: readonly string[]) =>
    (disturbance: Disturbance, act: () => ExecResult): ExecResult => {
      if (disturbance === 'another answers') return said(noise.before);
      if (disturbance === 'another version') return said('', 1, `${argv[0]}: unrecognized option\n`);
      if (disturbance === 'no program') return said('', 127, `sh: 1: exec: ${argv[0]}: not found\n`);
      if (disturbance !== 'noisy') return said('');
      const { stdout, stderr, exitCode } = act();
      return said(
        `${noise.before}${stdout}${noise.after}`,
        exitCode,
        `${noise.before}${stderr}${noise.after}`,
      );
    };

  const systemctl = (argv: readonly string[]): ExecResult => {
    const [, verb] = argv;
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

  /** Shell scripts: the one that reads SSH_CONNECTION, or a fault's undo. */
  const shell = (script: string): ExecResult => {
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

  const act = (changes: Partial<typeof well>): Promise<void> =>
    step(
      () => change(changes),
      () => {},
    );
  const host: Host = {
    name: 'alpha',
    transport: 'script',
    follow: neverFollowed,
    exec: async (argv, options) => {
      await ready;
      if (!well.power || well.server !== 'ACTIVE') throw lost();
      return step(() => answer(argv, options.input), otherwise(argv));
    },
    power: {
      describe: { cut: 'cut', on: 'on' },
      // A power switch has no empty answer, so a disturbed step always rejects.
      isOn: () => step(() => well.power, unknown),
      cut: () => act({ power: false }),
      on: () => act({ power: true }),
    },
  };
  const accept = async (changes: Partial<typeof well>): Promise<{ requestId: string }> => {
    await act(changes);
    return { requestId: 'req-1' };
  };
  const server: CloudServer = {
    where: 'server web-1 of cloud lab',
    state: () => step(() => ({ status: well.server, taskState: null }), unknown),
    stop: () => accept({ server: 'SHUTOFF' }),
    start: () => accept({ server: 'ACTIVE' }),
    reboot: () => accept({ boot: well.boot + 1 }),
    action: () => Promise.resolve(undefined),
  };

  return {
    context(next = () => undefined) {
      disturbances = next;
      steps = 0;
      return faultContext(host, server);
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
  };
}

function lost(): DrillError {
  return new DrillError('host-unreachable', 'alpha: the answer was lost');
}

function unknown(): never {
  throw lost();
}
