import { z } from 'zod';
import { exitText } from '../core/command-words.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import { commandWord } from '../core/names.ts';
import type { ProbeContext, ProbeKind, ProbeSession } from '../core/probe.ts';
import type { LogMark, Observation } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import { ContainerLog, parseSections } from './lib/container-lines.ts';
import { isNoSuchContainer } from './lib/docker-messages.ts';
import { preflightTimeoutMs } from './lib/iputils.ts';
import { logMarks, markFinder, type MarkLine } from './lib/log-marks.ts';
import { inTurn } from './lib/in-turn.ts';

const params = z.strictObject({
  containers: z
    .array(commandWord)
    .min(1)
    .describe('Names of the containers whose logs are read. They must exist when the run begins.'),
  marks: logMarks.describe('Lines to find. Each match creates a mark with the engine’s timestamp.'),
});
type Params = z.output<typeof params>;

/** Most output read per sample. The next sample reads the rest. */
const maxOutputBytes = 1_048_576;
const hostGraceMs = 1000;

// One section per container: its lines with the engine's timestamps, and the exit code of `docker logs`. A
// line with a timestamp never matches a section's first or last line.
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

/**
 * Reads the lines that containers wrote since the last sample, with any readable log driver, and creates
 * marks from matching lines.
 */
export const containerLog: ProbeKind<Params> = {
  kind: 'container-log',
  summary:
    'New lines of containers’ logs, read with `docker logs`. Lines that match become marks on the timeline, with the engine’s timestamp.',
  params,
  uses: () => ({ tools: ['docker'], engine: true }),
  lane: 'host',
  needsHost: true,
  // One shell, and `docker logs` for each container.
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
  /** Marks that no sample has reported yet. An attempt that failed for one container reports none. */
  #marks: LogMark[] = [];
  /** One attempt at a time: two attempts from the same position would report each line twice. */
  readonly observe = inTurn((signal: AbortSignal) => this.#attempt(signal));

  constructor(p: Params, host: Host, ctx: ProbeContext) {
    this.#host = host;
    this.#timeoutMs = ctx.timeoutMs;
    this.#logs = new Map(p.containers.map((name) => [name, new ContainerLog()]));
    this.#marksIn = markFinder(p.marks);
  }

  async close(): Promise<void> {}

  async #attempt(signal: AbortSignal): Promise<Observation> {
    if (signal.aborted) return { status: 'unknown', message: messageOf(signal.reason) };
    try {
      const places = [...this.#logs].flatMap(([name, log]) => [name, log.since()]);
      const argv = ['sh', '-c', script, 'container-log', ...places];
      const timeoutMs = this.#timeoutMs + hostGraceMs;
      const { stdout, truncated } = await this.#host.exec(argv, {
        timeoutMs,
        signal,
        maxOutputBytes,
        attempt: true,
      });
      const problem = this.#take(stdout, truncated === true);
      if (problem !== undefined) return { status: 'unknown', message: shorten(problem) };
      return { status: 'ok', marks: this.#marks.splice(0) };
    } catch (error) {
      // If the log cannot be read, its new lines are unknown.
      return { status: 'unknown', message: shorten(messageOf(signal.aborted ? signal.reason : error)) };
    }
  }

  /** Processes the output. Returns a message if the log of a container could not be read. */
  #take(output: string, isCut: boolean): string | undefined {
    const sections = parseSections(output);
    let problem: string | undefined;
    for (const [name, log] of this.#logs) {
      const section = sections.get(name);
      if (section === undefined) {
        // The output was truncated. The next sample reads the missing part.
        if (!isCut) problem ??= `docker logs did not run: ${output.trim()}`;
        continue;
      }
      if (section.exitCode === undefined && !isCut) problem ??= `docker logs of ${name} did not end`;
      else if (section.exitCode !== undefined && section.exitCode !== 0)
        problem ??= `docker logs of ${name}: ${exitText(section.exitCode, section.words)}`;
      for (const { text, wallMs } of log.take(section, isCut))
        this.#marks.push(...this.#marksIn(text, { wallMs }));
    }
    return problem;
  }
}

/**
 * Refuses containers that do not exist or have no readable log. A container whose state is unknown now is
 * accepted. @throws DrillError `invalid-input`
 */
async function requireLogs(containers: readonly string[], host: Host, signal: AbortSignal): Promise<void> {
  const argv = ['sh', '-c', script, 'container-log', ...containers.flatMap((name) => [name, ''])];
  const options = { timeoutMs: preflightTimeoutMs, signal, maxOutputBytes, attempt: true } as const;
  const said = await host.exec(argv, options).catch(() => undefined);
  for (const [name, { exitCode, words }] of parseSections(said?.stdout ?? '')) {
    if (exitCode === 0 || exitCode === undefined) continue;
    if (isNoSuchContainer(words))
      throw new DrillError('invalid-input', `${host.name} has no container ${name}`, {
        hint: `Correct the name. List the containers with \`docker ps --all\` on ${host.name}.`,
      });
    if (/does not support reading/i.test(words))
      throw new DrillError(
        'invalid-input',
        `cannot read the log of container ${name} on ${host.name}: ${words}`,
        {
          hint: 'Set a log driver that `docker logs` can read (json-file, local, or journald), and recreate the container.',
        },
      );
  }
}
