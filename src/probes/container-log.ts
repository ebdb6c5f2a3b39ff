import { z } from 'zod';
import { exitWords } from '../core/command-words.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import { commandWord } from '../core/names.ts';
import type { ProbeContext, ProbeKind, ProbeSession } from '../core/probe.ts';
import type { LogMark, Observation } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import { ContainerLog, parseSections } from './lib/container-lines.ts';
import { saysNoSuchContainer } from './lib/docker-words.ts';
import { preflightTimeoutMs } from './lib/iputils.ts';
import { logMarks, markFinder, type MarkLine } from './lib/log-marks.ts';
import { inTurn } from './lib/in-turn.ts';

const params = z.strictObject({
  containers: z
    .array(commandWord)
    .min(1)
    .describe('Containers whose lines are read, by name. They must exist when the run begins.'),
  marks: logMarks.describe('Lines to look for. Each match makes a mark with the engine’s timestamp.'),
});
type Params = z.output<typeof params>;

/** Read at most this much a look; what is left over comes with the next one. */
const maxOutputBytes = 1_048_576;
const hostGraceMs = 1000;

// One section for each container: its lines with the engine's stamps, and how `docker logs` ended. No line that has a stamp
// looks like the ends of a section.
const script = `
export LC_ALL=C
while [ $# -gt 0 ]; do
  echo "log of $1"
  if [ -n "$2" ]; then docker logs --timestamps --since "$2" -- "$1" 2>&1
  else docker logs --timestamps --tail 1 -- "$1" 2>&1
  fi
  echo "log ended $?"
  shift 2
done`;

/** Reads what containers have written since the last look, whatever their log driver, and picks out the lines that mean something. */
export const containerLog: ProbeKind<Params> = {
  kind: 'container-log',
  summary:
    'New lines of containers’ logs, by `docker logs`. Lines that match become marks on the time line, with the engine’s timestamp.',
  params,
  uses: () => ({ tools: ['docker'], engine: true }),
  lane: 'host',
  needsHost: true,
  // A shell, and `docker logs` for each container.
  cost: (p) => ({ newConnections: 0, commands: 1, processes: 1 + p.containers.length }),
  describe: (p) =>
    `docker logs of ${p.containers.join(', ')} for ${p.marks.map(({ name }) => name).join(', ')}`,
  check: (p, { host, signal }) => requireLogs(p.containers, host, signal),
  open: async (p, ctx) => {
    const { host } = ctx;
    if (host === undefined)
      throw new DrillError('invalid-input', 'a probe of kind "container-log" needs `on:`');
    await requireLogs(p.containers, host, AbortSignal.timeout(preflightTimeoutMs));
    return new LogSession(p, host, ctx);
  },
};

class LogSession implements ProbeSession {
  readonly #host: Host;
  readonly #timeoutMs: number;
  readonly #logs: ReadonlyMap<string, ContainerLog>;
  readonly #marksIn: MarkLine;
  /** Found, and not handed on yet: a look that failed for one container hands on none. */
  #marks: LogMark[] = [];
  /** One at a time: two looks from the same place would tell each line twice. */
  readonly observe = inTurn((signal: AbortSignal) => this.#look(signal));

  constructor(p: Params, host: Host, ctx: ProbeContext) {
    this.#host = host;
    this.#timeoutMs = ctx.timeoutMs;
    this.#logs = new Map(p.containers.map((name) => [name, new ContainerLog()]));
    this.#marksIn = markFinder(p.marks);
  }

  async close(): Promise<void> {}

  async #look(signal: AbortSignal): Promise<Observation> {
    if (signal.aborted) return { status: 'unknown', message: messageOf(signal.reason) };
    try {
      const places = [...this.#logs].flatMap(([name, log]) => [name, log.since()]);
      const argv = ['sh', '-c', script, 'container-log', ...places];
      const timeoutMs = this.#timeoutMs + hostGraceMs;
      const { stdout, truncated } = await this.#host.exec(argv, {
        timeoutMs,
        signal,
        maxOutputBytes,
        look: true,
      });
      const problem = this.#take(stdout, truncated === true);
      if (problem !== undefined) return { status: 'unknown', message: shorten(problem) };
      return { status: 'ok', marks: this.#marks.splice(0) };
    } catch (error) {
      // A log that cannot be read says nothing about what would be in it.
      return { status: 'unknown', message: shorten(messageOf(signal.aborted ? signal.reason : error)) };
    }
  }

  /** Takes in what was read; gives what could not be. */
  #take(output: string, isCut: boolean): string | undefined {
    const sections = parseSections(output);
    let problem: string | undefined;
    for (const [name, log] of this.#logs) {
      const section = sections.get(name);
      if (section === undefined) {
        // What was cut off comes with the next look.
        if (!isCut) problem ??= `docker logs did not run: ${output.trim()}`;
        continue;
      }
      if (section.exitCode === undefined && !isCut) problem ??= `docker logs of ${name} did not end`;
      else if (section.exitCode !== undefined && section.exitCode !== 0)
        problem ??= `docker logs of ${name}: ${exitWords(section.exitCode, section.words)}`;
      for (const { text, wallMs } of log.take(section, isCut))
        this.#marks.push(...this.#marksIn(text, { wallMs }));
    }
    return problem;
  }
}

/** Refuses containers that are not there, or keep no log. What nobody can say now is not wrong. @throws DrillError `invalid-input` */
async function requireLogs(containers: readonly string[], host: Host, signal: AbortSignal): Promise<void> {
  const argv = ['sh', '-c', script, 'container-log', ...containers.flatMap((name) => [name, ''])];
  const options = { timeoutMs: preflightTimeoutMs, signal, maxOutputBytes, look: true } as const;
  const said = await host.exec(argv, options).catch(() => undefined);
  for (const [name, { exitCode, words }] of parseSections(said?.stdout ?? '')) {
    if (exitCode === 0 || exitCode === undefined) continue;
    if (saysNoSuchContainer(words))
      throw new DrillError('invalid-input', `${host.name} has no container ${name}`, {
        mend: 'Correct the name: `docker ps --all` on the host lists them.',
      });
    if (/does not support reading/i.test(words))
      throw new DrillError(
        'invalid-input',
        `cannot read the log of container ${name} on ${host.name}: ${words}`,
        {
          mend: 'Give the container a log driver that `docker logs` can read: json-file, local, or journald.',
        },
      );
  }
}
