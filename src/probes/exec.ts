import { z } from 'zod';
import { exitText } from '../core/command-words.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { ExecResult } from '../core/host.ts';
import type { ProbeKind } from '../core/probe.ts';
import type { Observation } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import { abortedBy } from '../net/net-errors.ts';
import { regex, requireRegex } from '../net/text-params.ts';
import { mapValue, valueMap } from './lib/value-map.ts';

const params = z.strictObject({
  argv: z.array(z.string()).min(1).describe('Command and arguments. No shell interprets them.'),
  expectExit: z.int().min(0).max(255).default(0).describe('Exit code that counts as good.'),
  unknownExit: z
    .int()
    .min(1)
    .max(255)
    .optional()
    .describe(
      'Exit code that means unknown, such as 3 of a Nagios plugin. The sample is then unknown, not failed. Default: none. 126 and 127 (the shell could not start the command) always mean unknown.',
    ),
  value: regex
    .optional()
    .describe(
      'Regular expression with one group, which captures the value from the output. Without it, the whole output is the value.',
    ),
  map: valueMap,
});
type Params = z.output<typeof params>;

/** Exit codes of a shell or of Docker if the command could not be started. */
const notStarted: ReadonlySet<number> = new Set([126, 127]);

/** Longest value, in characters: a value is a state, not a document. */
const valueLimit = 200;

/**
 * Added to the timeout for the host's own limit, which applies only if the signal does not end the attempt
 * first.
 */
const hostGraceMs = 1000;

/** Runs a command on a host. */
export const exec: ProbeKind<Params> = {
  kind: 'exec',
  summary:
    'A command on a host. Its exit code decides whether the sample is good, and its output is the value.',
  params,
  uses: (p) => ({ tools: p === undefined ? [] : p.argv.slice(0, 1) }),
  lane: 'host',
  needsHost: true,
  // Child processes of the command are unknown.
  cost: () => ({ newConnections: 0, commands: 1, processes: 1 }),
  conflict: ({ expectExit, unknownExit }) =>
    unknownExit === expectExit
      ? {
          field: 'unknownExit',
          message: `unknownExit: ${unknownExit} is also the exit code that counts as good (\`expectExit\`); use another exit code for unknown`,
        }
      : undefined,
  describe: (p) => p.argv.join(' '),
  open: async (p, ctx) => {
    const { host } = ctx;
    if (host === undefined) throw new DrillError('invalid-input', 'a probe of kind "exec" needs `on:`');
    const pattern = p.value === undefined ? undefined : requireRegex(p.value);
    return {
      observe: async (signal) => {
        try {
          const result = await host.exec(p.argv, {
            timeoutMs: ctx.timeoutMs + hostGraceMs,
            signal,
            attempt: true,
          });
          return judge(p, pattern, result);
        } catch (error) {
          // A timeout counts as a failed sample. After a failed connection to the host, the result is
          // unknown.
          if (signal.aborted) return abortedBy(signal);
          return { status: 'unknown', message: shorten(messageOf(error)) };
        }
      },
      close: async () => {},
    };
  },
};

function judge(p: Params, pattern: RegExp | undefined, result: ExecResult): Observation {
  const { exitCode, stdout, stderr } = result;
  if (exitCode !== p.expectExit) {
    const message = shorten(exitText(exitCode, stderr.trim() || stdout));
    if (exitCode === p.unknownExit)
      return { status: 'unknown', message: shorten(`the command reported unknown: ${message}`) };
    return notStarted.has(exitCode)
      ? { status: 'unknown', message: `the command could not be started: ${message}` }
      : { status: 'fail', cause: 'error', message };
  }
  const text = pattern === undefined ? stdout.trim() : capture(pattern, stdout.trim());
  if (text === undefined) {
    const message = shorten(`the output does not match ${p.value}: ${stdout.trim()}`);
    return { status: 'fail', cause: 'bad-body', message };
  }
  return { status: 'ok', value: mapValue(p.map, text.slice(0, valueLimit)) };
}

function capture(pattern: RegExp, text: string): string | undefined {
  const match = pattern.exec(text);
  return match?.[1] ?? match?.[0];
}
