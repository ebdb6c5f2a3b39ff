import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { commandWord } from '../core/names.ts';
import { lastWords, run, runOk } from './lib/commands.ts';
import { inspectContainer, requireContainer, requireDocker } from './lib/docker-cli.ts';
import { listProcesses, placeWords, signalProcesses, within } from './lib/processes.ts';
import { allActive, requireUnits, startInactive, unitName, unitTimeoutMs } from './lib/systemd-units.ts';

const params = z
  .strictObject({
    container: commandWord
      .optional()
      .describe(
        'Container in which the process runs; without it, the process runs on the host itself (those of that name in its containers are hit as well).',
      ),
    process: z
      .string()
      .min(1)
      .max(15)
      .regex(/^(?!-)/, { error: 'expected the name of a process, not beginning with a dash' })
      .describe('Exact process name, as `ps -o comm` prints it.'),
    signal: z
      .enum(['KILL', 'TERM', 'SEGV', 'ABRT'])
      .default('KILL')
      .describe('Signal to send; KILL is a crash.'),
    unit: unitName
      .optional()
      .describe('systemd unit that the process of a host belongs to: the heal starts it if it stays down.'),
  })
  .superRefine(({ container, unit }, problems) => {
    if (container === undefined || unit === undefined) return;
    problems.addIssue({
      code: 'custom',
      path: ['unit'],
      message: 'cannot stand beside `container`, which the heal starts itself',
    });
  });
type Params = z.output<typeof params>;

/** Processes alive before the fault; a start stamp tells a process from its successor with the same pid. */
type Before = { readonly life: string; readonly processes: readonly string[] };

/** How long the stack's own restart policy gets before the heal restarts the container itself. */
const ownRecoveryMs = 60_000;

/** States of a container that its restart policy does not start. */
const downStates = ['created', 'exited', 'dead'];

/**
 * Kills a process by name, in a container by a shell within it: the
 * container dies of its own process's death, so its restart policy answers.
 * (`docker kill` would count as a manual stop, which no restart policy answers.)
 * What is process 1 of its container is killed from the host: from within, the kernel lets no KILL reach it
 * (pid_namespaces(7)), and `kill` succeeds without an effect.
 *
 * A host may be a container itself (transport docker), and go down with the process. Its engine then tells that it did, and
 * the heal has the engine start it where its restart policy does not.
 */
export const processKill: FaultKind<Params, Before, null> = {
  kind: 'process.kill',
  summary: 'Kill a process by name, in a container or on the host.',
  healAfter: 'redundancy',
  params,
  uses: (p) => (p?.container === undefined ? { tools: [], root: true } : { tools: ['docker'], engine: true }),
  describe: (p) => ({
    inject: `kill -${p.signal} ${p.process}${placeWords(p)} (all of that name${p.signal === 'KILL' ? ' at once' : ''}${p.container === undefined || p.signal !== 'KILL' ? '' : '; PID 1 of the container: from the host'})`,
    heal:
      `verify that ${p.process} runs again` +
      (p.container !== undefined
        ? `; docker start ${p.container} if it stays down`
        : p.unit !== undefined
          ? `; systemctl start ${p.unit} if it stays down`
          : ' (its service manager starts it)'),
    blastRadius:
      p.container === undefined ? `process ${p.process}` : `container ${p.container}, process ${p.process}`,
  }),
  onContainer: (p) =>
    p.container === undefined
      ? `if the container exits with ${p.process}, its restart policy applies; if it stays down, the heal starts it (docker start)`
      : undefined,

  async before(p, ctx) {
    if (p.container !== undefined) await requireDocker(ctx);
    const life = await lifeOf(p, ctx);
    const processes = await listProcesses(ctx, p);
    if (processes.length === 0) throw nothingToKill(p, ctx);
    if (p.container === undefined && p.signal === 'KILL' && processes.some(isFirst)) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: cannot SIGKILL ${p.process}: it is PID 1 of its namespace`,
        {
          mend: 'To kill the machine, use `power.cut`. To kill a container, set `on` to its Docker host and add `container: NAME`.',
        },
      );
    }
    if (p.unit !== undefined) await requireActive(p.unit, ctx);
    return { life, processes };
  },

  async inject(p, before, ctx) {
    if (p.container !== undefined && p.signal === 'KILL' && before.processes.some(isFirst)) {
      await killFirst(p.container, p.process, ctx);
      return null;
    }
    const result = await signalProcesses(ctx, p, p.signal);
    // 137: the container went down while the exec was still in it. That is the fault at work.
    if (result.exitCode !== 0 && result.exitCode !== 137) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: cannot kill -${p.signal} ${p.process}${placeWords(p)}: exit ${result.exitCode}: ${lastWords(result) || 'no process of that name'}`,
      );
    }
    return null;
  },

  async effect(p, before, ctx) {
    if ((await lifeOf(p, ctx)) !== before.life) return true;
    const alive = await listProcesses(ctx, p);
    return !before.processes.some((process) => alive.includes(process));
  },

  async heal(p, before, ctx) {
    const deadline = ctx.clock.nowMs() + ownRecoveryMs;
    while (!(await this.healed(p, before, ctx))) {
      const status = await statusOf(p, ctx);
      if (status === missing && p.container !== undefined) await requireContainer(ctx, p.container);
      if (status !== undefined && downStates.includes(status)) {
        await startContainer(p, ctx);
        return;
      }
      // One that its restart policy is about to start counts as active.
      if (p.unit !== undefined && isUp(status)) await startInactive(ctx, [p.unit]);
      if (ctx.clock.nowMs() >= deadline) {
        if (p.container !== undefined) await runOk(ctx, ['docker', 'restart', p.container]);
        if (p.unit !== undefined) {
          await runOk(ctx, ['systemctl', 'restart', p.unit], { timeoutMs: unitTimeoutMs });
        }
        return;
      }
      await ctx.clock.sleep(1000, ctx.signal);
    }
  },

  async healed(p, _before, ctx) {
    if (!isUp(await statusOf(p, ctx)) || (await listProcesses(ctx, p)).length === 0) return false;
    // A process of that name may be somebody else's, as in a container of the host.
    return p.unit === undefined || allActive(ctx, [p.unit]);
  },
};

/** The state of the container that the process is in, or that the host is; undefined where it is in none. */
async function statusOf(p: Params, ctx: FaultContext): Promise<string | undefined> {
  if (p.container === undefined) return (await ctx.host.container?.inspect(ctx.signal))?.status;
  return (await inspectContainer(ctx, p.container))?.status ?? missing;
}

/** In place of the state of a container that somebody removed. */
const missing = 'missing';

function isUp(status: string | undefined): boolean {
  return status === undefined || status === 'running';
}

async function startContainer(p: Params, ctx: FaultContext): Promise<void> {
  if (p.container === undefined) await ctx.host.power?.on(ctx.signal);
  else await runOk(ctx, ['docker', 'start', p.container]);
}

/** Whether a process is the first of its machine or container. */
function isFirst(process: string): boolean {
  return process.startsWith('1 ');
}

/** Kills process 1 of a container from its host, if what the engine says is its pid there is it: an engine may be elsewhere. */
async function killFirst(container: string, name: string, ctx: FaultContext): Promise<void> {
  const format = '{{.State.Pid}}';
  const inspect = ['docker', 'inspect', '--type', 'container', '--format', format, container];
  const pid = (await runOk(ctx, inspect)).trim();
  const script = 'test "$(cat "/proc/$1/comm")" = "$2" && kill -KILL "$1"';
  const killed = /^[1-9]\d*$/.test(pid) ? await run(ctx, ['sh', '-c', script, 'sh', pid, name]) : undefined;
  if (killed?.exitCode === 0) return;
  const why = killed === undefined ? `its pid is "${pid}"` : lastWords(killed);
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: ${name} is process 1 of container ${container}, and could not be killed from the host${why === '' ? '' : `: ${why}`}`,
    {
      mend: 'It takes root on the machine that the Docker engine runs on; or run the container with `init: true`.',
    },
  );
}

function nothingToKill(p: Params, ctx: FaultContext): DrillError {
  return new DrillError(
    'fault-failed',
    `${ctx.host.name}: no process named ${p.process} to kill${placeWords(p)}`,
    {
      mend: `See what runs there with \`${within(p, ['sh', '-c', 'cat /proc/[0-9]*/comm']).join(' ')}\` and correct \`process\`. What carries firedrill's own commands (the SSH server, the shells that it starts) is not killed.`,
    },
  );
}

/** A unit that is down is not what the process belongs to. */
async function requireActive(name: string, ctx: FaultContext): Promise<void> {
  const [unit] = await requireUnits(ctx, [name]);
  if (unit?.active === true) return;
  throw new DrillError('fault-failed', `${ctx.host.name}: ${name} is not active`, {
    mend: 'Start it first, or name the unit that the process belongs to.',
  });
}

/** Identifies one run of the container, from start to exit. An exit is an effect, even if the next run has the same PIDs. */
async function lifeOf(p: Params, ctx: FaultContext): Promise<string> {
  const state =
    p.container === undefined
      ? await ctx.host.container?.inspect(ctx.signal)
      : await requireContainer(ctx, p.container);
  return state === undefined ? 'host' : `${state.startedAt} ${state.finishedAt}`;
}
