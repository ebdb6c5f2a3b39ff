import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { commandWord } from '../core/names.ts';
import { later } from '../core/time.ts';
import { lastText, run, runOk } from './lib/commands.ts';
import { inspectContainer, requireContainer, requireDocker } from './lib/docker-cli.ts';
import { listProcesses, placeText, signalProcesses, within } from './lib/processes.ts';
import { allActive, requireUnits, startInactive, unitName, unitTimeoutMs } from './lib/systemd-units.ts';

const params = z
  .strictObject({
    container: commandWord
      .optional()
      .describe(
        'Container in which the process runs. Without it, firedrill signals all processes of that name on the host, including those in its containers.',
      ),
    process: z
      .string()
      .min(1)
      .max(15)
      .regex(/^(?!-)/, { error: 'expected a process name that does not begin with a dash' })
      .describe('Exact process name, as `ps -o comm` prints it.'),
    signal: z
      .enum(['KILL', 'TERM', 'SEGV', 'ABRT'])
      .default('KILL')
      .describe('Signal to send. `KILL` simulates a crash.'),
    unit: unitName
      .optional()
      .describe('systemd unit of a process on a host. The heal starts the unit if it stays down.'),
  })
  .superRefine(({ container, unit }, problems) => {
    if (container === undefined || unit === undefined) return;
    problems.addIssue({
      code: 'custom',
      path: ['unit'],
      message: 'cannot be combined with `container`: the heal starts the container itself',
    });
  });
type Params = z.output<typeof params>;

/**
 * Processes that were running before the fault. The start time distinguishes a process from a later one with
 * the same PID.
 */
type Before = { readonly life: string; readonly processes: readonly string[] };

/**
 * Time that the stack has to restart the process itself. After it, the heal restarts the container or the
 * unit.
 */
const ownRecoveryMs = 60_000;

/** Container states in which no restart policy starts the container. */
const downStates = ['created', 'exited', 'dead'];

/**
 * Kills a process by name. In a container, a shell in the container sends the signal: the container exits
 * because its own process died, so its restart policy applies. (Docker treats `docker kill` as a manual stop,
 * to which no restart policy applies.) PID 1 of a container is killed from the host: the kernel drops a KILL
 * from inside the container (pid_namespaces(7)), although `kill` exits 0.
 *
 * A host may be a container itself (transport docker) and stop with the process. Its engine reports that, and
 * the heal starts the container if its restart policy does not.
 */
export const processKill: FaultKind<Params, Before, null> = {
  kind: 'process.kill',
  summary: 'Kill a process by name, in a container or on the host.',
  healAfter: 'redundancy',
  params,
  uses: (p) => (p?.container === undefined ? { tools: [], root: true } : { tools: ['docker'], engine: true }),
  describe: (p) => ({
    inject: `kill -${p.signal} ${p.process}${placeText(p)} (all of that name${p.signal === 'KILL' ? ' at once' : ''}${p.container === undefined || p.signal !== 'KILL' ? '' : '; PID 1 of the container: from the host'})`,
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
          hint: 'To kill the machine, use `power.cut`. To kill a container, set `on` to its Docker host and add `container: NAME`.',
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
    // Exit 137: the container stopped while the exec was running in it. This is the effect of the fault.
    if (result.exitCode !== 0 && result.exitCode !== 137) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: cannot kill -${p.signal} ${p.process}${placeText(p)}: exit ${result.exitCode}: ${lastText(result) || 'no process has this name'}`,
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
    const deadline = later(ctx.clock.nowMs(), ownRecoveryMs);
    while (!(await this.healed(p, before, ctx))) {
      const status = await statusOf(p, ctx);
      if (status === missing && p.container !== undefined) await requireContainer(ctx, p.container);
      if (status !== undefined && downStates.includes(status)) {
        await startContainer(p, ctx);
        return;
      }
      // A unit that systemd is about to restart counts as active.
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
    // The process may belong to something else, such as a container on the host, so the unit is checked too.
    return p.unit === undefined || allActive(ctx, [p.unit]);
  },
};

/**
 * The state of the container in which the process runs, or of the container that is the host. Undefined if
 * there is none.
 */
async function statusOf(p: Params, ctx: FaultContext): Promise<string | undefined> {
  if (p.container === undefined) return (await ctx.host.container?.inspect(ctx.signal))?.status;
  return (await inspectContainer(ctx, p.container))?.status ?? missing;
}

/** Used as the state of a container that does not exist. */
const missing = 'missing';

function isUp(status: string | undefined): boolean {
  return status === undefined || status === 'running';
}

async function startContainer(p: Params, ctx: FaultContext): Promise<void> {
  if (p.container === undefined) await ctx.host.power?.on(ctx.signal);
  else await runOk(ctx, ['docker', 'start', p.container]);
}

/** Whether a process (`PID START`) is PID 1 of its machine or container. */
function isFirst(process: string): boolean {
  return process.startsWith('1 ');
}

/**
 * Kills PID 1 of a container from the host. The engine may run on another machine, so the script first checks
 * the name of the process with the PID that the engine reports.
 */
async function killFirst(container: string, name: string, ctx: FaultContext): Promise<void> {
  const format = '{{.State.Pid}}';
  const inspect = ['docker', 'inspect', '--type', 'container', '--format', format, container];
  const pid = (await runOk(ctx, inspect)).trim();
  const script = 'test "$(cat "/proc/$1/comm")" = "$2" && kill -KILL "$1"';
  const killed = /^[1-9]\d*$/.test(pid) ? await run(ctx, ['sh', '-c', script, 'sh', pid, name]) : undefined;
  if (killed?.exitCode === 0) return;
  const why = killed === undefined ? `the engine reports PID "${pid}"` : lastText(killed);
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot SIGKILL ${name} (PID 1 of container ${container}) from the host${why === '' ? '' : `: ${why}`}`,
    {
      hint: 'Set `on` to the machine that runs the Docker engine, with root (`sudo: true`). Or run the container with `init: true`.',
    },
  );
}

function nothingToKill(p: Params, ctx: FaultContext): DrillError {
  return new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot kill ${p.process}${placeText(p)}: no process has this name`,
    {
      hint: `List the process names with \`${within(p, ['sh', '-c', 'cat /proc/[0-9]*/comm']).join(' ')}\` and correct \`process\`. firedrill never kills the processes that carry its own commands (the SSH server and its shells).`,
    },
  );
}

/** Throws `fault-failed` if the unit is not active: the process cannot belong to it. */
async function requireActive(name: string, ctx: FaultContext): Promise<void> {
  const [unit] = await requireUnits(ctx, [name]);
  if (unit?.active === true) return;
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot kill the process of ${name}: the unit is not active`,
    {
      hint: `Start it first (systemctl start ${name}), or set \`unit\` to the unit of the process.`,
    },
  );
}

/** Identifies one run of the container, from start to exit. An exit is an effect, even if the next run has the same PIDs. */
async function lifeOf(p: Params, ctx: FaultContext): Promise<string> {
  const state =
    p.container === undefined
      ? await ctx.host.container?.inspect(ctx.signal)
      : await requireContainer(ctx, p.container);
  return state === undefined ? 'host' : `${state.startedAt} ${state.finishedAt}`;
}
