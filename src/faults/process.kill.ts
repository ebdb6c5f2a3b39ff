import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { commandWord } from '../core/names.ts';
import { lastWords, run, runOk } from './lib/commands.ts';
import { inspectContainer, requireContainer } from './lib/docker-cli.ts';
import { requireUnits, startInactive, unitName, unitTimeoutMs } from './lib/systemd-units.ts';

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
      .describe('Exact process name, as `pkill -x` takes it.'),
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

/**
 * Kills a process by name, in a container with `docker exec ... pkill`: the
 * container dies of its own process's death, so its restart policy answers.
 * (`docker kill` would count as a manual stop, which no restart policy answers.)
 * What is process 1 of its container is killed from the host: from within, the kernel lets no KILL reach it
 * (pid_namespaces(7)), and `docker exec ... pkill` succeeds without an effect.
 */
export const processKill: FaultKind<Params, Before, null> = {
  kind: 'process.kill',
  summary: 'Kill a process by name, in a container or on the host.',
  healAfter: 'redundancy',
  params,
  uses: (p) =>
    p?.container === undefined ? { tools: ['pkill', 'ps'], root: true } : { tools: ['docker'], engine: true },
  describe: (p) => ({
    inject:
      within(p, ['pkill', `-${p.signal}`, '-x', p.process]).join(' ') +
      (p.signal === 'KILL'
        ? ` (several of that name: all at once${p.container === undefined ? '' : '; process 1 of the container: by kill on the host'})`
        : ''),
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

  async before(p, ctx) {
    const life = await lifeOf(p, ctx);
    const processes = await list(p, ctx);
    if (processes.length === 0) throw await nothingToKill(p, ctx);
    if (p.container === undefined && p.signal === 'KILL' && processes.some(isFirst)) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: ${p.process} is process 1 there, which no KILL from within reaches`,
        {
          mend: 'Of a machine that is `power.cut`; of a container, name the host of its engine and give `container`.',
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
    const together = p.signal === 'KILL' && before.processes.length > 1;
    const argv = within(p, together ? frozenFirst(p.process) : ['pkill', `-${p.signal}`, '-x', p.process]);
    const result = await run(ctx, argv);
    // 137: the container went down while the exec was still in it. That is the fault at work.
    if (result.exitCode !== 0 && result.exitCode !== 137) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: \`${argv.join(' ')}\` exited ${result.exitCode}: ${result.stderr.trim() || 'no process matched'}`,
      );
    }
    return null;
  },

  async effect(p, before, ctx) {
    if ((await lifeOf(p, ctx)) !== before.life) return true;
    const alive = await list(p, ctx);
    return !before.processes.some((process) => alive.includes(process));
  },

  async heal(p, before, ctx) {
    const deadline = ctx.clock.nowMs() + ownRecoveryMs;
    while (!(await this.healed(p, before, ctx))) {
      if (p.container !== undefined) {
        const state = await requireContainer(ctx, p.container);
        if (['created', 'exited', 'dead'].includes(state.status)) {
          await runOk(ctx, ['docker', 'start', p.container]);
          return;
        }
      }
      // One that its restart policy is about to start counts as active.
      if (p.unit !== undefined) await startInactive(ctx, [p.unit]);
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
    if (p.container !== undefined) {
      const state = await inspectContainer(ctx, p.container);
      if (state?.status !== 'running') return false;
    }
    return (await list(p, ctx)).length > 0;
  },
};

/**
 * A crash of several processes of one name is one moment: they are frozen before they are killed. One after the other,
 * a child that hears of its parent's death first would end in order (a keepalived that says goodbye).
 */
function frozenFirst(name: string): string[] {
  return ['sh', '-c', 'pkill -STOP -x "$1"; pkill -KILL -x "$1"', 'sh', name];
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

/** Why there is no process of that name: it does not run, or what would find it is not there. */
async function nothingToKill(p: Params, ctx: FaultContext): Promise<DrillError> {
  const look = await run(ctx, within(p, ['ps', '-e']));
  // docker exec, and sh: not there, or not to be run.
  if (look.exitCode === 126 || look.exitCode === 127)
    return new DrillError(
      'fault-failed',
      `${ctx.host.name}: ps, which finds ${p.process}, cannot be run${where(p)}: ${lastWords(look)}`,
      { mend: `Install procps there (ps and pkill)${p.container === undefined ? '' : ', in its image'}.` },
    );
  return new DrillError(
    'fault-failed',
    `${ctx.host.name}: no process named ${p.process} to kill${where(p)}`,
    { mend: `See what runs there with \`${within(p, ['ps', '-e']).join(' ')}\` and correct \`process\`.` },
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

function within(p: Params, argv: readonly string[]): string[] {
  return p.container === undefined ? [...argv] : ['docker', 'exec', p.container, ...argv];
}

function where(p: Params): string {
  return p.container === undefined ? '' : ` in container ${p.container}`;
}

/** Which life of the container this is: a restart is an effect even when pids repeat. */
async function lifeOf(p: Params, ctx: FaultContext): Promise<string> {
  if (p.container === undefined) return 'host';
  const state = await requireContainer(ctx, p.container);
  return state.status === 'running' ? state.startedAt : `${state.status} ${state.startedAt}`;
}

/** A state, a process id, and a time: nothing else is a process. */
const processLine = /^[A-Z]\S*\s+\d+\s+\S/;

/** Living processes of that name as `pid start-time`; empty when the container is down. */
async function list(p: Params, ctx: FaultContext): Promise<string[]> {
  const result = await run(ctx, within(p, ['ps', '-C', p.process, '-o', 'stat=,pid=,lstart=']));
  return result.stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => processLine.test(line) && !line.startsWith('Z'))
    .map((line) => line.split(/\s+/).slice(1).join(' '));
}
