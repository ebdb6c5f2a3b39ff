import { z } from 'zod';
import { exitText } from '../core/command-words.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { ExecResult, Host } from '../core/host.ts';
import { parseJson } from '../core/parse-json.ts';
import type { ProbeContext, ProbeKind, ProbeSession } from '../core/probe.ts';
import type { Observation } from '../core/sample.ts';
import { commandWord } from '../core/names.ts';
import { shorten } from '../core/shorten.ts';
import { dockerEngine, type EngineAnswer } from './lib/docker-engine.ts';
import { isNoSuchContainer } from './lib/docker-messages.ts';
import { engineSession } from './lib/engine-session.ts';
import { abortedBy } from '../net/net-errors.ts';

const params = z.strictObject({
  name: commandWord.describe('Name of the container.'),
});
type Params = z.output<typeof params>;

/**
 * Added to the timeout for the host's own limit, which applies only if the signal does not end the attempt
 * first.
 */
const hostGraceMs = 1000;
/** Exit codes of a shell or of Docker if the command could not be started. */
const notStarted: ReadonlySet<number> = new Set([126, 127]);

/** Reads a container's state from the host's Docker engine, over a kept connection. */
export const container: ProbeKind<Params> = {
  kind: 'container',
  summary:
    'State of a container as its Docker engine reports it. While it runs with a health check: healthy, unhealthy, or starting. Otherwise: running, paused, restarting, exited, created, dead, removing, or absent. A sample is good in the states healthy and running. In all other states it fails with the cause `bad-state`. Then a condition without `is` does not hold, and a condition with `is` reads the state.',
  params,
  uses: () => ({ tools: ['docker'], engine: true }),
  lane: 'host',
  needsHost: true,
  cost: () => ({ newConnections: 0, commands: 0, processes: 0 }),
  describe: (p) => `state of the container ${p.name}`,
  open: async (p, ctx) => {
    const { host } = ctx;
    if (host === undefined) throw new DrillError('invalid-input', 'a probe of kind "container" needs `on:`');
    const { pipe } = host;
    const byCommand = commandSession(p, host, ctx);
    if (pipe === undefined) return byCommand;
    const question = {
      path: `/containers/${encodeURIComponent(p.name)}/json`,
      judge: async (answer: EngineAnswer) => judgeAnswer(p, answer),
      ended: abortedBy,
    };
    return engineSession(question, dockerEngine(pipe, ctx.timeoutMs), byCommand);
  },
};

/** Runs one command per sample. */
function commandSession(p: Params, host: Host, ctx: ProbeContext): ProbeSession {
  const argv = ['docker', 'container', 'inspect', '--format', '{{json .State}}', p.name];
  return {
    observe: async (signal) => {
      try {
        return judge(
          p,
          await host.exec(argv, { timeoutMs: ctx.timeoutMs + hostGraceMs, signal, attempt: true }),
        );
      } catch (error) {
        // A timeout means that the engine did not answer. After a failed connection to the host, the
        // engine's state is unknown.
        if (signal.aborted) return abortedBy(signal);
        return { status: 'unknown', message: shorten(messageOf(error)) };
      }
    },
    close: async () => {},
  };
}

/** States in which a sample is good. */
const goodStates: ReadonlySet<string> = new Set(['healthy', 'running']);

function judgeState({ name }: Params, value: string): Observation {
  if (goodStates.has(value)) return { status: 'ok', value };
  return { status: 'fail', cause: 'bad-state', message: `container ${name} is ${value}`, value };
}

function judgeAnswer(p: Params, { status, body }: EngineAnswer): Observation {
  const said = parseJson(body);
  if (status === 200) {
    const value = stateOf(z.object({ State: z.unknown() }).safeParse(said).data?.State);
    if (value !== undefined) return judgeState(p, value);
    return { status: 'unknown', message: shorten(`docker reported no state: ${body}`) };
  }
  const message = z.object({ message: z.string() }).safeParse(said).data?.message ?? body;
  if (status === 404 && isNoSuchContainer(message)) return judgeState(p, 'absent');
  return { status: 'fail', cause: 'error', message: shorten(`status ${status}: ${message.trim()}`) };
}

function judge(p: Params, { exitCode, stdout, stderr }: ExecResult): Observation {
  if (exitCode === 0) {
    const value = stateOf(parseJson(stdout));
    if (value !== undefined) return judgeState(p, value);
    return { status: 'unknown', message: shorten(`docker reported no state: ${stdout}`) };
  }
  if (isNoSuchContainer(stderr)) return judgeState(p, 'absent');
  const message = shorten(exitText(exitCode, stderr.trim() || stdout));
  return notStarted.has(exitCode)
    ? { status: 'unknown', message: `docker could not be started: ${message}` }
    : { status: 'fail', cause: 'error', message };
}

/** The fields of `docker inspect` that determine the state. */
const dockerState = z.object({
  Status: z.string().min(1),
  Health: z.object({ Status: z.string() }).nullish(),
});

function stateOf(reported: unknown): string | undefined {
  const state = dockerState.safeParse(reported);
  if (!state.success) return undefined;
  const { Status: status, Health: health } = state.data;
  // A stopped container keeps the last result of its health check. `none`: the check is disabled.
  const isChecked = health !== undefined && health !== null && !['', 'none'].includes(health.Status);
  return status === 'running' && isChecked ? health.Status : status;
}
