import { z } from 'zod';
import { exitText } from '../core/command-words.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { ExecResult, Host } from '../core/host.ts';
import { ipAddressesJson, type ListedAddress } from '../core/ip-addresses-json.ts';
import { installHint } from '../core/install-hint.ts';
import { type IpAddress, isSameIpAddress, parseIpAddress } from '../core/ip-address.ts';
import { parseJson } from '../core/parse-json.ts';
import type { ProbeContext, ProbeKind, ProbeSession } from '../core/probe.ts';
import type { Observation } from '../core/sample.ts';
import { commandWord } from '../core/names.ts';
import { shorten } from '../core/shorten.ts';
import { dockerEngine } from './lib/docker-engine.ts';
import { isNoSuchContainer } from './lib/docker-messages.ts';
import { engineSession, type EngineQuestion } from './lib/engine-session.ts';
import { ipAddress, requireIpAddress } from '../net/text-params.ts';

const params = z.strictObject({
  address: ipAddress.describe(
    'IP address, such as a VIP, without a prefix length. Any notation of the address works.',
  ),
  interface: z.string().min(1).optional().describe('Interface to check. Default: all interfaces.'),
  container: commandWord
    .optional()
    .describe('Container whose network namespace is checked, instead of the host’s.'),
});
type Params = z.output<typeof params>;

/**
 * Added to the timeout for the host's own limit, which applies only if the signal does not end the attempt
 * first.
 */
const hostGraceMs = 1000;
const checkTimeoutMs = 5000;
/** Exit code for a missing program. The check of required tools reports it. */
const notFoundExit = 127;

/** Exit codes of the script below, in addition to those of `ip`. */
const noAnswerExit = 113;
const noNamespaceExit = 114;
const notEnteredExit = 115;

/** NSFS_MAGIC of linux/magic.h, as `stat -f` prints it. busybox has no name for this file system. */
const namespaceMagic = '6e736673';

// Lists the addresses in the container's network namespace. While the container has no process, this is the
// namespace of the container whose network it shares, or the namespace that Docker keeps for it. For a
// stopped container, Docker leaves an empty file. A container that does not exist, or is stopped without a
// shared
// network, has no addresses.
const script = `
see() { docker container inspect --format "$1" "$2" || exit ${noAnswerExit}; }
state=$(see '{{.State.Pid}} {{.HostConfig.NetworkMode}} {{.NetworkSettings.SandboxKey}}' "$1") || exit $?
set -- $state
pid=$1 mode=$2 key=\${3-}
if [ "$pid" -gt 0 ]; then nsenter --target "$pid" --net ip -j address show && exit 0; fi
case $mode in container:*) key=$(see '{{.NetworkSettings.SandboxKey}}' "\${mode#container:}") || exit $? ;; esac
if [ -z "$key" ]; then kind=none; else kind=$(LC_ALL=C stat -f -c %t "$key" 2>&1); fi
case $kind in
  ${namespaceMagic}) exec nsenter --net="$key" ip -j address show ;;
  none | *'No such file'*) ;;
  *[!0-9a-f]* | '') echo "$kind" >&2; exit ${notEnteredExit} ;;
esac
if [ "$pid" -gt 0 ]; then exit ${notEnteredExit}; else exit ${noNamespaceExit}; fi`;

/** Checks whether an interface of a host, or of a container on it, has an address. */
export const vipClaim: ProbeKind<Params> = {
  kind: 'vip-claim',
  summary:
    'Whether an interface of a host, or of a container on it, has an address: yes or no. It does not test whether the network can reach the address.',
  params,
  uses: (p) =>
    p?.container === undefined
      ? { tools: ['ip'] }
      : { tools: ['ip', 'docker', 'nsenter'], root: true, engine: true },
  lane: 'host',
  needsHost: true,
  // For a running container: `nsenter`, which becomes `ip`. Docker answers over a kept connection.
  cost: () => ({ newConnections: 0, commands: 1, processes: 1 }),
  describe: (p) =>
    `whether it has ${p.address}${p.container === undefined ? '' : ` in the container ${p.container}`}`,
  check: async (_p, { host, signal }) => {
    const argv = ['ip', '-j', 'address', 'show'];
    const done = await host
      .exec(argv, { timeoutMs: checkTimeoutMs, signal, attempt: true })
      .catch(() => undefined);
    if (done === undefined || done.exitCode === notFoundExit || listedIn(done.stdout) !== undefined) return;
    const said = shorten(done.stderr.trim() || done.stdout.trim());
    throw new DrillError(
      'invalid-input',
      `cannot list the addresses of ${host.name}: \`${argv.join(' ')}\` printed no JSON list: ${said}`,
      {
        hint: `${installHint(host, 'iproute2')} \`ip\` of busybox has no option -j.`,
      },
    );
  },
  open: async (p, ctx) => {
    const { host } = ctx;
    if (host === undefined) throw new DrillError('invalid-input', 'a probe of kind "vip-claim" needs `on:`');
    requireIpAddress('address', p.address);
    const { container } = p;
    if (container === undefined) return commandSession(p, ['ip', '-j', 'address', 'show'], host, ctx);
    const byScript = commandSession(p, ['sh', '-c', script, 'vip-claim', container], host, ctx);
    const { pipe } = host;
    if (pipe === undefined) return byScript;
    return engineSession(questionOf(p, container, host, ctx), dockerEngine(pipe, ctx.timeoutMs), byScript);
  },
};

/** Runs one command per sample. */
function commandSession(
  p: Params,
  argv: readonly string[],
  host: Host,
  { timeoutMs }: ProbeContext,
): ProbeSession {
  return {
    observe: async (signal) => {
      try {
        return judge(p, await host.exec(argv, { timeoutMs: timeoutMs + hostGraceMs, signal, attempt: true }));
      } catch (error) {
        // If the host does not answer, its addresses are unknown, whether it is slow or down.
        return unknownBecause(signal.aborted ? signal.reason : error);
      }
    },
    close: async () => {},
  };
}

/**
 * For a running container, one command lists the addresses in the namespace of its process. The script
 * handles all other containers, and a container whose process has ended since.
 */
function questionOf(p: Params, container: string, host: Host, ctx: ProbeContext): EngineQuestion {
  return {
    path: `/containers/${encodeURIComponent(container)}/json`,
    judge: async ({ status, body }, signal) => {
      const pid = status === 200 ? pidIn(body) : undefined;
      if (pid === undefined) return undefined;
      const argv = ['nsenter', '--target', String(pid), '--net', 'ip', '-j', 'address', 'show'];
      const seen = await commandSession(p, argv, host, ctx).observe(signal);
      return seen.status === 'ok' || signal.aborted ? seen : undefined;
    },
    ended: (signal) => unknownBecause(signal.reason),
  };
}

function unknownBecause(why: unknown): Observation {
  return { status: 'unknown', message: shorten(messageOf(why)) };
}

function judge(p: Params, { exitCode, stdout, stderr }: ExecResult): Observation {
  if (p.container !== undefined) {
    if (exitCode === noNamespaceExit) return { status: 'ok', value: 'no' };
    if (exitCode === noAnswerExit && isNoSuchContainer(stderr)) return { status: 'ok', value: 'no' };
  }
  const listed = exitCode === 0 ? listedIn(stdout) : undefined;
  if (listed === undefined) {
    const message = `cannot list the addresses: ${exitText(exitCode, stderr.trim() || stdout)}`;
    return { status: 'unknown', message: shorten(message) };
  }
  const requested = requireIpAddress('address', p.address);
  const held = listed
    .filter((one) => (p.interface === undefined || one.interface === p.interface) && !one.dadFailed)
    .map((one) => addressOn(one.interface, one.address));
  if (held.some((address) => typeof address !== 'string' && isSameIpAddress(address, requested)))
    return { status: 'ok', value: 'yes' };
  // An address that cannot be parsed may be the wanted one.
  const unread = held.find((address) => typeof address === 'string');
  if (unread === undefined) return { status: 'ok', value: 'no' };
  const message = `cannot list the addresses: "${unread}" is not an IP address`;
  return { status: 'unknown', message: shorten(message) };
}

function listedIn(text: string): readonly ListedAddress[] | undefined {
  return ipAddressesJson.safeParse(parseJson(text)).data;
}

/** The address of an interface, or its text if it cannot be parsed. */
function addressOn(name: string, text: string): IpAddress | string {
  const address = parseIpAddress(text);
  if (address === undefined) return text;
  // The interface is the zone of its IPv6 addresses. It is compared only if `address` has a zone.
  return address.family === 6 ? { ...address, zone: address.zone ?? name } : address;
}

/** Docker's answer for a container with a process. Without a process, `Pid` is 0. */
const containerState = z.object({ State: z.object({ Pid: z.int().positive() }) });

function pidIn(body: string): number | undefined {
  return containerState.safeParse(parseJson(body)).data?.State.Pid;
}
