import { homedir, userInfo } from 'node:os';
import { DrillError } from '../core/errors.ts';
import type { SshTransport } from '../core/plan.ts';
import type { CommandRunner } from './run-command.ts';

/** A host as the command `ssh` would reach it, as far as firedrill has to know. Files by absolute path. */
export interface SshSettings {
  /** As the target names it. */
  readonly asked: string;
  /** The command by which people would go there. */
  readonly words: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly hostKeyAlias?: string;
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Socket of the agent; absent where none is to be asked. */
  readonly agent?: string;
  readonly knownHostsFiles: readonly string[];
  /** `new`: a host without any known key is taken at its word. */
  readonly unknownKeys: 'refused' | 'new';
  /** Key types to ask the host for, the most wanted first. */
  readonly hostKeyAlgorithms: readonly string[];
  /** IP version; 0 for either. */
  readonly family: 0 | 4 | 6;
  readonly bindAddress?: string;
  /** Of TCP and of SSH's handshake, each. */
  readonly connectTimeoutMs: number;
}

/** The way to a host: its settings, and the jump host through which it is reached, itself reached in a way. */
export interface SshRoute {
  readonly settings: SshSettings;
  readonly via?: SshRoute;
}

/** What of its surroundings the configuration depends on. */
export interface SshSurroundings {
  readonly run: CommandRunner;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** `ssh -G` reads files and may run the commands of `Match exec`. */
const resolveTimeoutMs = 10_000;
const defaultConnectTimeoutMs = 5000;
/** Longer chains are a loop. */
const maxJumps = 8;

/**
 * Resolves a host as `ssh` does, by `ssh -G`: Host, Match and Include of ssh_config, defaults and jump hosts. Jump hosts
 * have the settings that the same configuration gives them, and nothing of the target's.
 * @throws DrillError `host-unreachable` without the program `ssh`, for what it refuses, and for what firedrill cannot do
 */
export async function resolveRoute(
  transport: SshTransport,
  around: SshSurroundings,
  jumps = 0,
): Promise<SshRoute> {
  const { host: asked } = transport;
  if (jumps > maxJumps) throw cannot(asked, 'its jump hosts lead round in a circle');
  const said = await askSsh(transport, around);
  const settings = settingsOf(transport, said, around.env);
  const jump = said.get('proxyjump')?.[0] ?? 'none';
  if (jump === 'none') return { settings };
  // `ssh -J a,b` reaches b by a: the last is the next hop, and those before it are its own jump hosts.
  const hops = jump.split(',');
  const last = hops.pop() ?? '';
  const next: SshTransport = {
    kind: 'ssh',
    ...parseHop(last),
    ...(transport.config === undefined ? {} : { config: transport.config }),
    ...(hops.length === 0 ? {} : { jump: hops.join(',') }),
  };
  return { settings, via: await resolveRoute(next, around, jumps + 1) };
}

/** How a host is reached, for people: what they could type themselves. */
export function sshWords({ host, user, port, identityFile, config, jump, sudo }: SshTransport): string {
  return [
    'ssh',
    ...(config === undefined ? [] : ['-F', config]),
    ...(identityFile === undefined ? [] : ['-i', identityFile]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(jump === undefined ? [] : ['-J', jump]),
    user === undefined ? host : `${user}@${host}`,
    ...(sudo === true ? ['sudo', '-n'] : []),
  ].join(' ');
}

/** The command that resolves a host. */
function resolveCommand(transport: SshTransport): string[] {
  const { host, user, port, identityFile, config, jump } = transport;
  return [
    'ssh',
    '-G',
    // Else it says that there will be no terminal.
    '-T',
    ...(config === undefined ? [] : ['-F', config]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    // A key that is named is the key to use, whatever others an agent holds: servers count tries.
    ...(identityFile === undefined ? [] : ['-i', identityFile, '-o', 'IdentitiesOnly=yes']),
    ...(jump === undefined ? [] : ['-J', jump]),
    '--',
    host,
  ];
}

async function askSsh(
  transport: SshTransport,
  { run }: SshSurroundings,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const argv = resolveCommand(transport);
  const outcome = await run({ argv, timeoutMs: resolveTimeoutMs, signal: new AbortController().signal });
  const command = argv.join(' ');
  switch (outcome.kind) {
    case 'exited':
      if (outcome.exitCode === 0) return parseSettings(outcome.stdout);
      throw cannot(transport.host, `\`${command}\`: ${outcome.stderr.trim()}`);
    case 'not-started':
      throw new DrillError(
        'host-unreachable',
        `no way to ${transport.host} over SSH: the program ssh, which reads ssh_config, cannot be run: ${outcome.message}`,
        { mend: 'Install the OpenSSH client (Debian, Ubuntu: openssh-client).' },
      );
    case 'timed-out':
      throw cannot(transport.host, `\`${command}\` did not end within ${resolveTimeoutMs} ms`);
    case 'aborted':
    case 'overflow':
      throw cannot(transport.host, `\`${command}\` was cut short`);
  }
}

/** Lines `name value`; some names come several times. */
function parseSettings(text: string): ReadonlyMap<string, readonly string[]> {
  const said = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(' ');
    if (at < 1) continue;
    const name = line.slice(0, at).toLowerCase();
    said.set(name, [...(said.get(name) ?? []), line.slice(at + 1).trim()]);
  }
  return said;
}

function settingsOf(
  transport: SshTransport,
  said: ReadonlyMap<string, readonly string[]>,
  env: SshSurroundings['env'],
): SshSettings {
  const { host: asked } = transport;
  const one = (name: string): string | undefined => {
    const value = said.get(name)?.[0];
    return value === undefined || value === 'none' ? undefined : value;
  };
  const command = one('proxycommand');
  if (command !== undefined) {
    throw cannot(asked, `its ssh_config has ProxyCommand ${command}, which firedrill does not run`, {
      mend: 'Reach it by ProxyJump, or give the target an ssh_config of its own (`config`).',
    });
  }
  if (one('revokedhostkeys') !== undefined) {
    throw cannot(asked, 'its ssh_config has RevokedHostKeys, which firedrill does not read', {
      mend: 'Put the keys into known_hosts as lines that begin with @revoked.',
    });
  }
  const host = one('hostname') ?? asked;
  const port = Number(one('port') ?? 22);
  const user = one('user') ?? userInfo().username;
  const alias = one('hostkeyalias');
  const file = (path: string): string => expand(path, { asked, host, port, user, alias });
  const identityFiles = (said.get('identityfile') ?? []).filter((path) => path !== 'none').map(file);
  const { identityFile } = transport;
  if (identityFile !== undefined && !identityFiles.includes(identityFile)) {
    throw cannot(asked, `there is no identity file ${identityFile}`);
  }
  const agent = agentOf(said.get('identityagent')?.[0], env, file);
  const bindAddress = one('bindaddress');
  const seconds = Number(one('connecttimeout') ?? 0);
  return {
    asked,
    words: sshWords(transport),
    host,
    port,
    user,
    ...(alias === undefined ? {} : { hostKeyAlias: alias }),
    identityFiles,
    identitiesOnly: one('identitiesonly') === 'yes',
    ...(agent === undefined ? {} : { agent }),
    knownHostsFiles: [
      ...(transport.knownHosts === undefined ? paths(one('userknownhostsfile')) : [transport.knownHosts]),
      ...paths(one('globalknownhostsfile')),
    ].map(file),
    unknownKeys: ['accept-new', 'no', 'off', 'false'].includes(one('stricthostkeychecking') ?? 'ask')
      ? 'new'
      : 'refused',
    hostKeyAlgorithms: (one('hostkeyalgorithms') ?? '').split(',').filter((name) => name !== ''),
    family: families[one('addressfamily') ?? 'any'] ?? 0,
    ...(bindAddress === undefined ? {} : { bindAddress }),
    connectTimeoutMs: seconds > 0 ? seconds * 1000 : defaultConnectTimeoutMs,
  };
}

const families: Readonly<Record<string, 4 | 6>> = { inet: 4, inet6: 6 };

/** `ssh -G` puts a list of absolute paths on one line, without quotes around those with a space in them. */
function paths(list: string | undefined): readonly string[] {
  return list === undefined ? [] : list.split(/\s+(?=[/~])/);
}

/** IdentityAgent: a socket, a variable's name after `$`, or SSH_AUTH_SOCK, which is the default. */
function agentOf(
  said: string | undefined,
  env: SshSurroundings['env'],
  file: (path: string) => string,
): string | undefined {
  if (said === 'none') return undefined;
  if (said === undefined || said === 'SSH_AUTH_SOCK') return env['SSH_AUTH_SOCK'] || undefined;
  return said.startsWith('$') ? env[said.slice(1).replace(/^\{(.*)\}$/, '$1')] || undefined : file(said);
}

/** `~` and the tokens that `ssh -G` leaves as they are (ssh_config(5), TOKENS). */
function expand(
  path: string,
  of: { asked: string; host: string; port: number; user: string; alias: string | undefined },
): string {
  const tokens: Readonly<Record<string, string>> = {
    '%': '%',
    d: homedir(),
    h: of.host,
    i: String(process.getuid?.() ?? ''),
    k: of.alias ?? of.asked,
    n: of.asked,
    p: String(of.port),
    r: of.user,
    u: userInfo().username,
  };
  return path.replace(/^~(?=\/|$)/, homedir()).replaceAll(/%(.)/g, (all, key: string) => tokens[key] ?? all);
}

/** `[user@]host[:port]`, with brackets around an IPv6 address that has a port. */
function parseHop(hop: string): Pick<SshTransport, 'host' | 'user' | 'port'> {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+|.*:.*:.*?))(?::(\d+))?\/?$/.exec(hop);
  if (match === null) throw cannot(hop, 'this is no jump host: expected [user@]host[:port]');
  const [, user, bracketed, plain, port] = match;
  return {
    host: bracketed ?? plain ?? '',
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port: Number(port) }),
  };
}

function cannot(host: string, why: string, options: { mend?: string } = {}): DrillError {
  return new DrillError('host-unreachable', `no way to ${host} over SSH: ${why}`, options);
}
