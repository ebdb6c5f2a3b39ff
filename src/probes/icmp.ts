import { z } from 'zod';
import { DrillError, messageOf } from '../core/errors.ts';
import { limitWords } from '../core/format-duration.ts';
import type { ExecResult } from '../core/host.ts';
import type { ProbeKind } from '../core/probe.ts';
import type { FailCause, Observation } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import { abortedBy } from '../net/net-errors.ts';
import { preflightTimeoutMs, requireIputils } from './lib/iputils.ts';
import { hostOrAddress, requireHostOrAddress } from '../net/text-params.ts';

const params = z.strictObject({
  address: hostOrAddress.describe('Address or name to send echo requests to.'),
  interface: z
    .string()
    // What begins with a dash would be an option.
    .regex(/^[^\s-]\S*$/, { error: 'expected the name of an interface, or an address of the host' })
    .optional()
    .describe('Interface, or address of the host that looks, to send from; what the routes say by default.'),
  dataBytes: z
    .int()
    .min(0)
    .max(65_507)
    .default(56)
    .describe('Data in the request: what a path does to large packets shows from there on.'),
});
type Params = z.output<typeof params>;

/** The signal ends a look; the host's own limit is only there for when nobody aborts. */
const hostGraceMs = 1000;
/** Of the time-out, for getting the command to its host and its output back. */
const wayMs = 100;

/**
 * Sends one echo request for each look, by a ping of its own: Node has no ICMP, and what a ping that goes on sends at
 * its own moments is no look of this schedule. The request is sent after the look began and its answer came before it
 * ended; how long it really took is `firstByteMs`, as ping measured it.
 */
export const icmp: ProbeKind<Params> = {
  kind: 'icmp',
  summary: 'An ICMP echo request; good when its reply comes. Sent by iputils’ ping on `from`.',
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
    const waitMs = Math.max(ctx.timeoutMs / 2, ctx.timeoutMs - wayMs);
    const from = p.interface === undefined ? [] : ['-I', p.interface];
    const options = ['-n', '-c', '1', '-s', String(p.dataBytes), '-W', (waitMs / 1000).toFixed(3), ...from];
    const argv = ['env', 'LC_ALL=C', 'ping', ...options, '--', address];
    return {
      observe: async (signal) => {
        try {
          const timeoutMs = ctx.timeoutMs + hostGraceMs;
          return judge(await host.exec(argv, { timeoutMs, signal, look: true }), waitMs);
        } catch (error) {
          // Within the time-out the way there was good: nobody answered the request.
          if (signal.aborted) return abortedBy(signal);
          return { status: 'unknown', message: shorten(messageOf(error)) };
        }
      },
      close: async () => {},
    };
  },
};

/**
 * Exit codes of ping: 0 a reply, 1 none, 2 it could not even ask (ping(8)). Its statistics show that it was ping which ended
 * so: shells and sudo write to the same streams, and end with the same codes.
 */
function judge({ exitCode, stdout, stderr }: ExecResult, waitMs: number): Observation {
  const [, sent, received] = /^(\d+) packets transmitted, (\d+) received/m.exec(stdout) ?? [];
  if (exitCode === 0 && Number(received) > 0) {
    const tookMs = /^\d+ bytes from .* time[=<]([\d.]+) ms/m.exec(stdout)?.[1];
    // Requests of less than 16 bytes of data have no room for a time.
    return { status: 'ok', ...(tookMs === undefined ? {} : { phases: { firstByteMs: Number(tookMs) } }) };
  }
  const complaint = complaintOf(stderr);
  // What ping complains of is about this host: a firewall that keeps the request, a name that is none.
  if (exitCode === 1 && sent !== undefined && complaint === '') {
    // A router, or this host for want of an answer to ARP, says that there is no way.
    const error = /^From \S+ icmp_seq=\d+ (.+)$/m.exec(stdout)?.[1];
    if (error !== undefined) return { status: 'fail', cause: 'unreachable', message: shorten(error) };
    return { status: 'fail', cause: 'timeout', message: `no reply within ${limitWords(Math.round(waitMs))}` };
  }
  const cause = causes.find(([words]) => words.test(complaint))?.[1];
  if (cause !== undefined) return { status: 'fail', cause, message: shorten(complaint) };
  const said = complaint || stderr.trim() || stdout.trim() || `ping exited with ${exitCode}`;
  return { status: 'unknown', message: shorten(`ping sent nothing: ${said}`) };
}

/** The lines that ping itself wrote on standard error, without its warnings. */
function complaintOf(stderr: string): string {
  const own = stderr.split('\n').filter((line) => /^(?:\S*\/)?ping[46]?: (?!warning)/i.test(line));
  return own.join('\n').trim();
}

/** What ping says of the target when it cannot ask; everything else is trouble of the host that looks. */
const causes: readonly (readonly [RegExp, FailCause])[] = [
  [/network is unreachable|no route to host|host is down/i, 'unreachable'],
  [/name or service not known|failure in name resolution|no address associated/i, 'dns'],
];
