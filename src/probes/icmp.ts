import { z } from 'zod';
import { DrillError, messageOf } from '../core/errors.ts';
import { limitText } from '../core/format-duration.ts';
import type { ExecResult } from '../core/host.ts';
import type { ProbeKind } from '../core/probe.ts';
import type { FailCause, Observation } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import type { DurationMs } from '../core/time.ts';
import { abortedBy } from '../net/net-errors.ts';
import { preflightTimeoutMs, requireIputils } from './lib/iputils.ts';
import { hostOrAddress, requireHostOrAddress } from '../net/text-params.ts';

const params = z.strictObject({
  address: hostOrAddress.describe('Address or name to send echo requests to.'),
  interface: z
    .string()
    // ping would read a leading dash as an option.
    .regex(/^[^\s-]\S*$/, { error: 'expected the name of an interface, or an address of the host' })
    .optional()
    .describe(
      'Interface or source address to send from, on the `from` host. Default: selected by the routes.',
    ),
  dataBytes: z
    .int()
    .min(0)
    .max(65_507)
    .default(56)
    .describe('Data in the request, in bytes. Use a large value to test how a path handles large packets.'),
});
type Params = z.output<typeof params>;

/**
 * Added to the timeout for the host's own limit, which applies only if the signal does not end the attempt
 * first.
 */
const hostGraceMs = 1000;
/** Part of the timeout reserved for sending the command to its host and its output back. */
const oneWayMs = 100;

/**
 * Sends one echo request per sample, each with its own `ping` process. Node has no ICMP, and a continuous
 * ping would not follow the probe's schedule. The request and its reply lie between the start and the end of
 * the sample. `firstByteMs` is the round trip that ping measured.
 */
export const icmp: ProbeKind<Params> = {
  kind: 'icmp',
  summary: 'An ICMP echo request. A sample is good when its reply arrives. Sent by iputils’ ping on `from`.',
  params,
  uses: () => ({ tools: ['ping'] }),
  lane: 'host',
  needsHost: true,
  cost: () => ({ newConnections: 0, commands: 1, processes: 1 }),
  describe: (p) => `ping ${p.address}${p.interface === undefined ? '' : ` from ${p.interface}`}`,
  check: (_p, { host, signal }) => requireIputils(host, 'ping', signal),
  open: async (p, ctx) => {
    const { host } = ctx;
    if (host === undefined) {
      throw new DrillError('invalid-input', 'a probe of kind "icmp" needs `from:` (or `on:`)');
    }
    const address = requireHostOrAddress('address', p.address);
    await requireIputils(host, 'ping', AbortSignal.timeout(preflightTimeoutMs));
    const waitMs = Math.max(ctx.timeoutMs / 2, ctx.timeoutMs - oneWayMs);
    const from = p.interface === undefined ? [] : ['-I', p.interface];
    const options = ['-n', '-c', '1', '-s', String(p.dataBytes), '-W', (waitMs / 1000).toFixed(3), ...from];
    const argv = ['env', 'LC_ALL=C', 'ping', ...options, '--', address];
    return {
      observe: async (signal) => {
        try {
          const timeoutMs = ctx.timeoutMs + hostGraceMs;
          return judge(await host.exec(argv, { timeoutMs, signal, attempt: true }), waitMs);
        } catch (error) {
          // A timeout counts as a request without a reply. After a failed connection to the host, the result
          // is unknown.
          if (signal.aborted) return abortedBy(signal);
          return { status: 'unknown', message: shorten(messageOf(error)) };
        }
      },
      close: async () => {},
    };
  },
};

/**
 * Exit codes of ping: 0 for a reply, 1 for none, and 2 if it could not send a request (ping(8)). Its
 * statistics prove that the exit code is from ping: shells and sudo write to the same streams and use the
 * same exit codes.
 */
function judge({ exitCode, stdout, stderr }: ExecResult, waitMs: DurationMs): Observation {
  const [, sent, received] = /^(\d+) packets transmitted, (\d+) received/m.exec(stdout) ?? [];
  if (exitCode === 0 && Number(received) > 0) {
    const tookMs = /^\d+ bytes from .* time[=<]([\d.]+) ms/m.exec(stdout)?.[1];
    // ping prints no time for requests with less than 16 bytes of data.
    return { status: 'ok', ...(tookMs === undefined ? {} : { phases: { firstByteMs: Number(tookMs) } }) };
  }
  const problem = problemOf(stderr);
  // An error message of ping is about its own host, such as a firewall that drops the request, or an unknown
  // name.
  if (exitCode === 1 && sent !== undefined && problem === '') {
    // A router reports that there is no route, or the host itself reports that ARP got no answer.
    const error = /^From \S+ icmp_seq=\d+ (.+)$/m.exec(stdout)?.[1];
    if (error !== undefined) return { status: 'fail', cause: 'unreachable', message: shorten(error) };
    return { status: 'fail', cause: 'timeout', message: `no reply within ${limitText(Math.round(waitMs))}` };
  }
  const cause = causes.find(([words]) => words.test(problem))?.[1];
  if (cause !== undefined) return { status: 'fail', cause, message: shorten(problem) };
  const said = problem || stderr.trim() || stdout.trim() || `ping exited with ${exitCode}`;
  return { status: 'unknown', message: shorten(`ping sent no request: ${said}`) };
}

/** The lines that ping itself wrote to standard error, without its warnings. */
function problemOf(stderr: string): string {
  const own = stderr.split('\n').filter((line) => /^(?:\S*\/)?ping[46]?: (?!warning)/i.test(line));
  return own.join('\n').trim();
}

/** Error messages of ping about the target. All other messages are about the host that runs ping. */
const causes: readonly (readonly [RegExp, FailCause])[] = [
  [/network is unreachable|no route to host|host is down/i, 'unreachable'],
  [/name or service not known|failure in name resolution|no address associated/i, 'dns'],
];
