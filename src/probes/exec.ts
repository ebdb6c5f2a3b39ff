import { z } from 'zod';
import { exitWords } from '../core/command-words.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { ExecResult } from '../core/host.ts';
import type { ProbeKind } from '../core/probe.ts';
import type { Observation } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import { abortedBy } from '../net/net-errors.ts';
import { regex, requireRegex } from '../net/text-params.ts';
import { mapValue, valueMap } from './lib/value-map.ts';

const params = z.strictObject({
  argv: z.array(z.string()).min(1).describe('Command and arguments, as they are: no shell splits them.'),
  expectExit: z.int().min(0).max(255).default(0).describe('Exit code that counts as good.'),
  unknownExit: z
    .int()
    .min(1)
    .max(255)
    .optional()
    .describe(
      'Exit code by which the command says that it could not tell, such as 3 of a Nagios plugin: the sample is then unknown and not failed. None by default. 126 and 127 (the shell could not start the command) always mean unknown.',
    ),
  value: regex
    .optional()
    .describe(
      'Regular expression with one group: what it captures of the output is the value. Without it the whole output is.',
    ),
  map: valueMap,
});
type Params = z.output<typeof params>;

/** Exit codes by which a shell or Docker says that the command could not even be started. */
const notStarted: ReadonlySet<number> = new Set([126, 127]);

/** Longest value kept: a value is a state, not a document. */
const valueLimit = 200;

/** The signal ends a look; the host's own limit is only there for when nobody aborts. */
const hostGraceMs = 1000;

/** Runs a command on a host. */
export const exec: ProbeKind<Params> = {
  kind: 'exec',
  summary: 'A command on a host; judges its exit code, its output is the value.',
  params,
  uses: (p) => ({ tools: p === undefined ? [] : p.argv.slice(0, 1) }),
  lane: 'host',
  needsHost: true,
  // The command's own children are not known.
  cost: () => ({ newConnections: 0, commands: 1, processes: 1 }),
  conflict: ({ expectExit, unknownExit }) =>
    unknownExit === expectExit
      ? {
          field: 'unknownExit',
          message: `unknownExit: ${unknownExit} is the exit code that counts as good; let the command end with another one where it cannot tell`,
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
            look: true,
          });
          return judge(p, pattern, result);
        } catch (error) {
          // A command that ran into the probe's time-out is a target without an answer; a broken way there is none.
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
    const message = shorten(exitWords(exitCode, stderr.trim() || stdout));
    if (exitCode === p.unknownExit)
      return { status: 'unknown', message: shorten(`the command could not tell: ${message}`) };
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
