import { z } from 'zod';
import { exitWords } from '../core/command-words.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { ExecResult, Host } from '../core/host.ts';
import { parseJson } from '../core/parse-json.ts';
import type { ProbeContext, ProbeKind, ProbeSession } from '../core/probe.ts';
import type { Observation } from '../core/sample.ts';
import { commandWord } from '../core/names.ts';
import { shorten } from '../core/shorten.ts';
import { dockerEngine, type EngineAnswer } from './lib/docker-engine.ts';
import { saysNoSuchContainer } from './lib/docker-words.ts';
import { engineSession } from './lib/engine-session.ts';
import { abortedBy } from '../net/net-errors.ts';

const params = z.strictObject({
  name: commandWord.describe('Name of the container.'),
});
type Params = z.output<typeof params>;

/** The signal ends a look; the host's own limit is only there for when nobody aborts. */
const hostGraceMs = 1000;
/** Exit codes by which a shell or Docker says that the command could not even be started. */
const notStarted: ReadonlySet<number> = new Set([126, 127]);

/** Asks the Docker engine of a host for a container's state, over a connection that is kept. */
export const container: ProbeKind<Params> = {
  kind: 'container',
  summary:
    'State of a container as its Docker engine reports it. With a health check: healthy, unhealthy, or starting. Otherwise: running, paused, restarting, exited, created, dead, removing, or absent. A sample is good in the states healthy and running. In all others it fails with the cause `bad-state`: a condition without `is` does not hold, and a condition with `is` reads the state.',
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

/** Asks by a command for each sample. */
function commandSession(p: Params, host: Host, ctx: ProbeContext): ProbeSession {
  const argv = ['docker', 'container', 'inspect', '--format', '{{json .State}}', p.name];
  return {
    observe: async (signal) => {
      try {
        return judge(
          p,
          await host.exec(argv, { timeoutMs: ctx.timeoutMs + hostGraceMs, signal, look: true }),
        );
      } catch (error) {
        // An engine that lets us wait gives no answer; a broken way to the host says nothing of the engine.
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
  if (status === 404 && saysNoSuchContainer(message)) return judgeState(p, 'absent');
  return { status: 'fail', cause: 'error', message: shorten(`status ${status}: ${message.trim()}`) };
}

function judge(p: Params, { exitCode, stdout, stderr }: ExecResult): Observation {
  if (exitCode === 0) {
    const value = stateOf(parseJson(stdout));
    if (value !== undefined) return judgeState(p, value);
    return { status: 'unknown', message: shorten(`docker reported no state: ${stdout}`) };
  }
  if (saysNoSuchContainer(stderr)) return judgeState(p, 'absent');
  const message = shorten(exitWords(exitCode, stderr.trim() || stdout));
  return notStarted.has(exitCode)
    ? { status: 'unknown', message: `docker could not be started: ${message}` }
    : { status: 'fail', cause: 'error', message };
}

/** What `docker inspect` tells, as far as it matters. */
const dockerState = z.object({
  Status: z.string().min(1),
  Health: z.object({ Status: z.string() }).nullish(),
});

function stateOf(told: unknown): string | undefined {
  const state = dockerState.safeParse(told);
  if (!state.success) return undefined;
  const { Status: status, Health: health } = state.data;
  // A container that stopped keeps the last word of its health check. `none`: the check was switched off.
  const isChecked = health !== undefined && health !== null && !['', 'none'].includes(health.Status);
  return status === 'running' && isChecked ? health.Status : status;
}
