import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { ProbeKind } from '../core/probe.ts';
import type { LogMark } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import { wallMs } from '../core/time.ts';
import { FollowedFile, type FileLine } from './lib/followed-file.ts';
import { preflightTimeoutMs } from './lib/iputils.ts';
import { logMarks, markFinder, type LogTime } from './lib/log-marks.ts';
import { parseUtcOffset, timeFormats, timeIn } from './lib/log-time.ts';
import { pulseProcessesPerSecond } from './lib/pulse.ts';

const params = z.strictObject({
  path: z
    .string()
    .regex(/^\//, { error: 'expected an absolute path on the host' })
    .describe(
      'Absolute path of the file on the host. It must exist when the run begins. Rotation is followed.',
    ),
  marks: logMarks.describe('Lines to find. Each match creates a mark.'),
  time: z
    .enum(['arrival', ...timeFormats])
    .default('arrival')
    .describe(
      'Source of a mark’s time. `arrival`: the time at which firedrill reads the line, twice a second; the bounds of the mark are at least 1.5 s apart. All other values are formats of the line’s first timestamp: `iso` (2026-11-30T03:04:05.678Z, also with a space or slashes), `epoch` (seconds), `epoch-ms`, `syslog` (Nov 30 03:04:05), `clf` (30/Nov/2026:03:04:05 +0000). A timestamp in whole seconds has bounds of 1 s. A line without a timestamp, or with a timestamp that is off by more than 14 minutes (another zone), gets its arrival time.',
    ),
  utcOffset: z
    .string()
    .refine((text) => parseUtcOffset(text) !== undefined, { error: 'expected an offset, such as +02:00' })
    .optional()
    .describe('UTC offset of timestamps without a zone (default: the host’s own).'),
});
type Params = z.output<typeof params>;

/** Reads the lines that are added to a log file on a host and creates marks from matching lines. */
export const logFile: ProbeKind<Params> = {
  kind: 'log-file',
  summary:
    'New lines of a file on a host, followed with `tail -F`. Lines that match become marks on the timeline.',
  params,
  uses: () => ({ tools: ['tail'] }),
  lane: 'host',
  needsHost: true,
  cost: () => ({
    newConnections: 0,
    commands: 0,
    processes: 0,
    standingProcessesPerSecond: pulseProcessesPerSecond,
  }),
  describe: (p) => `tail -F ${p.path} for ${p.marks.map((mark) => mark.name).join(', ')}`,
  check: (p, { host, signal }) => requireFile(p.path, host, signal),
  open: async (p, { host, clock }) => {
    if (host === undefined) throw new DrillError('invalid-input', 'a probe of kind "log-file" needs `on:`');
    await requireFile(p.path, host, AbortSignal.timeout(preflightTimeoutMs));
    const offsetMinutes = await offsetOf(p, host);
    const marksIn = markFinder(p.marks);
    const marks: LogMark[] = [];
    const onLine = (line: FileLine): void => {
      marks.push(...marksIn(line.text, timeOf(line, p, offsetMinutes)));
    };
    const file = new FollowedFile(host, p.path, clock, onLine);
    return {
      observe: async () => {
        // Lets the event loop read lines that arrived while this thread was busy: its poll phase comes
        // between timers and immediates.
        await new Promise((resolve) => setImmediate(resolve));
        const state = file.takeState();
        return state.ok
          ? { status: 'ok', marks: marks.splice(0) }
          : { status: 'unknown', message: shorten(state.why) };
      },
      close: () => file.stop(),
    };
  },
};

/**
 * Time zones differ by at least 15 minutes. A timestamp that is off by more than this is in another zone, or
 * is not a timestamp.
 */
const otherZoneMs = 14 * 60_000;

/** The line's own timestamp if it has a valid one, otherwise the time at which it was read. */
function timeOf({ text, minMs, maxMs }: FileLine, p: Params, offsetMinutes: number): LogTime {
  const arrival = { wallMs: wallMs((minMs + maxMs) / 2), bounds: { minMs, maxMs } };
  if (p.time === 'arrival') return arrival;
  const stamped = timeIn(text, p.time, { offsetMinutes, nowMs: maxMs });
  if (stamped === undefined) return arrival;
  const isOff = stamped.wallMs < minMs - otherZoneMs || stamped.wallMs > maxMs + otherZoneMs;
  return isOff ? arrival : stamped;
}

/** UTC offset of timestamps without a zone, in minutes east of UTC. */
async function offsetOf(p: Params, host: Host): Promise<number> {
  if (p.utcOffset !== undefined) return parseUtcOffset(p.utcOffset) ?? 0;
  if (p.time === 'arrival') return 0;
  const signal = AbortSignal.timeout(preflightTimeoutMs);
  const options = { timeoutMs: preflightTimeoutMs, signal, attempt: true } as const;
  const said = await host.exec(['date', '+%z'], options).catch(() => undefined);
  const offset = parseUtcOffset(said?.stdout.trim().split('\n').at(-1) ?? '');
  if (offset !== undefined) return offset;
  throw new DrillError('invalid-input', `cannot read the UTC offset of ${host.name} (date +%z)`, {
    hint: 'Set `utcOffset`, such as +02:00, for timestamps without a zone.',
  });
}

/** Ignores a host that is unreachable now. @throws DrillError `invalid-input` */
async function requireFile(path: string, host: Host, signal: AbortSignal): Promise<void> {
  const argv = [
    'sh',
    '-c',
    'if [ -r "$1" ]; then echo file-there; else echo file-gone; fi',
    'log-file',
    path,
  ];
  const options = { timeoutMs: preflightTimeoutMs, signal, attempt: true } as const;
  const said = await host.exec(argv, options).catch(() => undefined);
  if (said === undefined || !/^file-gone$/m.test(said.stdout)) return;
  throw new DrillError('invalid-input', `${host.name} has no readable file ${path}`, {
    hint:
      host.container === undefined
        ? 'Correct `path`, or log in as a user who can read the file (`sudo: true` of transport ssh).'
        : `Correct \`path\`: it is a path in container ${host.container.name}. If its log goes to \`docker logs\`, use a probe of kind container-log.`,
  });
}
