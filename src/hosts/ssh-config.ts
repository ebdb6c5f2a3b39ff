import { DrillError } from '../core/errors.ts';
import { limitText } from '../core/format-duration.ts';
import type { SshTransport } from '../core/plan.ts';
import type { DurationMs } from '../core/time.ts';
import { currentUser } from './current-user.ts';
import type { CommandRunner } from './run-command.ts';
import { expandHome, expandTokens, tokensOf } from './ssh-tokens.ts';

/** The settings that `ssh` would use for a host. Files have absolute paths. */
export interface SshSettings {
  /** The host's name in the target. */
  readonly asked: string;
  /** The `ssh` command for the host, for messages. */
  readonly words: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly hostKeyAlias?: string;
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Socket of the agent; absent if no agent is used. */
  readonly agent?: string;
  readonly knownHostsFiles: readonly string[];
  /** KnownHostsCommand, with unexpanded tokens. It prints lines of known hosts. */
  readonly knownHostsCommand?: string;
  /** Values of the tokens of this connection. */
  readonly tokens: Readonly<Record<string, string>>;
  /** SetEnv: variables for commands, if the server accepts them. */
  readonly setEnv: Readonly<Record<string, string>>;
  /** `new`: the key of a host without known keys is accepted unchecked. */
  readonly unknownKeys: 'refused' | 'new';
  /** Host key types to request, the preferred one first. */
  readonly hostKeyAlgorithms: readonly string[];
  /** KexAlgorithms, Ciphers, MACs: the allowed ones; empty allows all. */
  readonly kexAlgorithms: readonly string[];
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
  /** Unsupported settings in ssh_config, as `Keyword value`. A login may fail because of them. */
  readonly unsupported: readonly string[];
  /** IP version; 0 for either. */
  readonly family: 0 | 4 | 6;
  readonly bindAddress?: string;
  /** Limit of the TCP connect and of the SSH handshake, each. */
  readonly connectTimeoutMs: DurationMs;
}

/** The settings of a host, and the route to its jump host. */
export interface SshRoute {
  readonly settings: SshSettings;
  readonly via?: SshRoute;
}

/** The command runner and the environment that the configuration depends on. */
export interface SshEnvironment {
  readonly run: CommandRunner;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** `ssh -G` reads files and may run the commands of `Match exec`. */
const resolveTimeoutMs = 10_000;
const defaultConnectTimeoutMs = 5000;
/** A longer chain of jump hosts counts as a loop. */
const maxJumps = 8;

/**
 * Resolves a host with `ssh -G`: Host, Match, and Include of ssh_config, defaults, and jump hosts. Jump hosts get the
 * settings of the same configuration, and none of the target's.
 * @throws DrillError `host-unreachable` if `ssh` is missing or fails, or if a setting is not supported
 */
export async function resolveRoute(
  transport: SshTransport,
  around: SshEnvironment,
  jumps = 0,
): Promise<SshRoute> {
  const { host: asked } = transport;
  if (jumps > maxJumps) {
    throw cannot(asked, 'its jump hosts form a loop', {
      hint: 'Add `ProxyJump none` for the jump host in ssh_config: a Host or Match block with ProxyJump also matches the jump host.',
    });
  }
  const said = await askSsh(transport, around);
  const jump = said.get('proxyjump')?.[0] ?? 'none';
  const settings = settingsOf(transport, said, around.env, jump);
  if (jump === 'none') return { settings };
  // `ssh -J a,b` reaches b through a. So the last name is this host's jump host, and the names before it are the jump host's.
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

/** The `ssh` command for a host, for messages. */
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
    // Without -T, `ssh` warns that there is no terminal.
    '-T',
    ...(config === undefined ? [] : ['-F', config]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    // Only the named key is tried, even if an agent holds others: servers limit the number of tries.
    ...(identityFile === undefined ? [] : ['-i', identityFile, '-o', 'IdentitiesOnly=yes']),
    ...(jump === undefined ? [] : ['-J', jump]),
    '--',
    host,
  ];
}

async function askSsh(
  transport: SshTransport,
  { run }: SshEnvironment,
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
        `cannot connect to ${transport.host} over SSH: \`ssh -G\`, which reads ssh_config, cannot be started: ${outcome.message}`,
        { hint: 'Install the OpenSSH client (Debian, Ubuntu: openssh-client).' },
      );
    case 'timed-out':
      throw cannot(transport.host, `\`${command}\` did not end within ${limitText(resolveTimeoutMs)}`);
    case 'aborted':
    case 'overflow':
      throw cannot(transport.host, `\`${command}\` was cut short`);
  }
}

/** Parses lines `name value`; some names occur more than once. */
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
  env: SshEnvironment['env'],
  jump: string,
): SshSettings {
  const { host: asked } = transport;
  const one = (name: string): string | undefined => {
    const value = said.get(name)?.[0];
    return value === undefined || value === 'none' ? undefined : value;
  };
  const command = one('proxycommand');
  if (command !== undefined) {
    throw cannot(asked, `its ssh_config has ProxyCommand ${command}, which firedrill does not run`, {
      hint: 'Use ProxyJump in ssh_config, or set `config` in the target to another ssh_config.',
    });
  }
  for (const { keyword, isSet, hint } of refused) {
    const value = one(keyword.toLowerCase());
    if (value === undefined || !isSet(value)) continue;
    throw cannot(asked, `its ssh_config has ${keyword} ${value}, which firedrill does not support`, { hint });
  }
  const host = one('hostname') ?? asked;
  const port = Number(one('port') ?? 22);
  const user = one('user') ?? currentUser().username;
  const alias = one('hostkeyalias');
  const jumpHost = jump === 'none' ? '' : parseHop(jump.split(',').at(-1) ?? '').host;
  const tokens = tokensOf({ asked, host, port, user, alias, jump: jumpHost });
  const file = (path: string): string => expand(path, tokens, env, asked);
  const identityFiles = (said.get('identityfile') ?? []).filter((path) => path !== 'none').map(file);
  const { identityFile } = transport;
  if (identityFile !== undefined && !identityFiles.includes(identityFile)) {
    throw cannot(asked, `there is no identity file ${identityFile}`, {
      hint: 'Correct `identityFile` in the target.',
    });
  }
  const agent = agentOf(said.get('identityagent')?.[0], env, file);
  const bindAddress = one('bindaddress');
  const knownHostsCommand = one('knownhostscommand');
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
    ...(knownHostsCommand === undefined ? {} : { knownHostsCommand }),
    tokens,
    setEnv: Object.fromEntries(
      (said.get('setenv') ?? []).map((line) => [line.replace(/=.*/s, ''), line.replace(/^[^=]*=/, '')]),
    ),
    hostKeyAlgorithms: names(one('hostkeyalgorithms')),
    kexAlgorithms: names(one('kexalgorithms')),
    ciphers: names(one('ciphers')),
    macs: names(one('macs')),
    unsupported: unsupportedIn(said),
    family: families[one('addressfamily') ?? 'any'] ?? 0,
    ...(bindAddress === undefined ? {} : { bindAddress }),
    connectTimeoutMs: seconds > 0 ? seconds * 1000 : defaultConnectTimeoutMs,
  };
}

/** A list in ssh_config: names between commas. */
function names(list: string | undefined): readonly string[] {
  return (list ?? '').split(',').filter((name) => name !== '');
}

const isYes = (value: string): boolean => ['yes', 'true'].includes(value);

/** Refused keywords. To ignore them would change how the host is reached, or which keys are trusted. */
const refused: readonly {
  readonly keyword: string;
  readonly isSet: (value: string) => boolean;
  readonly hint: string;
}[] = [
  {
    keyword: 'RevokedHostKeys',
    isSet: () => true,
    hint: 'Put the keys into known_hosts as lines that begin with @revoked.',
  },
  {
    keyword: 'BindInterface',
    isSet: () => true,
    hint: 'Use BindAddress with an address of that interface.',
  },
  {
    keyword: 'PubkeyAuthentication',
    isSet: (value) => ['no', 'false'].includes(value),
    hint: 'Set `PubkeyAuthentication yes` for this host: firedrill logs in only with keys.',
  },
];

/** Unsupported keywords, and when they count as set. firedrill ignores them, so a login that needs them fails. */
const notDone: readonly { readonly keyword: string; readonly isSet: (value: string) => boolean }[] = [
  { keyword: 'CertificateFile', isSet: () => true },
  { keyword: 'PKCS11Provider', isSet: () => true },
  { keyword: 'GSSAPIAuthentication', isSet: isYes },
  { keyword: 'HostbasedAuthentication', isSet: isYes },
  { keyword: 'VerifyHostKeyDNS', isSet: (value) => isYes(value) || value === 'ask' },
  { keyword: 'ForwardAgent', isSet: (value) => !['no', 'false'].includes(value) },
  { keyword: 'LocalForward', isSet: () => true },
  { keyword: 'RemoteForward', isSet: () => true },
  { keyword: 'DynamicForward', isSet: () => true },
  { keyword: 'Tunnel', isSet: (value) => !['no', 'false'].includes(value) },
  { keyword: 'LocalCommand', isSet: () => true },
  { keyword: 'RemoteCommand', isSet: () => true },
];

function unsupportedIn(said: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return notDone.flatMap(({ keyword, isSet }) =>
    (said.get(keyword.toLowerCase()) ?? [])
      .filter((value) => value !== 'none' && isSet(value))
      .map((value) => `${keyword} ${value}`),
  );
}

const families: Readonly<Record<string, 4 | 6>> = { inet: 4, inet6: 6 };

/** Splits a list of paths. `ssh -G` prints them on one line, without quotes around paths with spaces. */
function paths(list: string | undefined): readonly string[] {
  return list === undefined ? [] : list.split(/\s+(?=[/~])/);
}

/** IdentityAgent: a socket, a variable's name after `$`, or SSH_AUTH_SOCK, which is the default. */
function agentOf(
  said: string | undefined,
  env: SshEnvironment['env'],
  file: (path: string) => string,
): string | undefined {
  if (said === 'none') return undefined;
  if (said === undefined || said === 'SSH_AUTH_SOCK') return env['SSH_AUTH_SOCK'] || undefined;
  return said.startsWith('$') ? env[said.slice(1).replace(/^\{(.*)\}$/, '$1')] || undefined : file(said);
}

/** Expands what `ssh -G` does not: `~`, tokens, and variables. */
function expand(
  path: string,
  tokens: Readonly<Record<string, string>>,
  env: SshEnvironment['env'],
  asked: string,
): string {
  const home = expandHome(path);
  const expanded = 'unknown' in home ? home : expandTokens(home.text, tokens, env);
  if ('text' in expanded) return expanded.text;
  throw cannot(asked, `its ssh_config names the file ${path}, and ${expanded.unknown} is undefined`, {
    hint: 'Write the full path in ssh_config. Supported tokens are those of ssh_config(5); variables come from the environment of firedrill.',
  });
}

/** `[user@]host[:port]`, with brackets around an IPv6 address that has a port. */
function parseHop(hop: string): Pick<SshTransport, 'host' | 'user' | 'port'> {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+|.*:.*:.*?))(?::(\d+))?\/?$/.exec(hop);
  if (match === null) throw cannot(hop, 'not a jump host: expected [user@]host[:port]');
  const [, user, bracketed, plain, port] = match;
  return {
    host: bracketed ?? plain ?? '',
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port: Number(port) }),
  };
}

function cannot(host: string, why: string, options: { hint?: string } = {}): DrillError {
  return new DrillError('host-unreachable', `cannot connect to ${host} over SSH: ${why}`, options);
}
