import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { messageText } from '../core/message-text.ts';
import { shellCommand } from '../core/shell-quote.ts';
import { exitedText, run, runOk } from './lib/commands.ts';
import { composeCommand, inFolder, labelPaths, withoutSlash } from './lib/compose-project.ts';
import { requireDocker } from './lib/docker-cli.ts';

const params = z.strictObject({
  projectDirectory: z.string().min(1).describe('Folder of the Compose project on the host.'),
  files: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      'Compose files: absolute paths, or paths relative to `projectDirectory`. Default: the files that the project’s containers were created from.',
    ),
});
type Params = z.output<typeof params>;

type Before = {
  /** Services that were running before the fault. */
  readonly services: readonly string[];
  /**
   * Services of the active profiles that were not running before the fault: finished one-shot services and
   * failed services.
   */
  readonly idle?: readonly string[];
  /**
   * The `docker compose` command for the project, without its subcommand. Absent in undo records of older
   * versions.
   */
  readonly compose?: readonly string[];
};

/**
 * Time limit of `down` and `up`. A graceful stop takes up to Docker's grace period (10 s) for each link of
 * the dependency chain.
 */
const composeTimeoutMs = 180_000;

/** Runs `docker compose down`: it removes the project's containers and networks, and keeps its volumes. */
export const composeDown: FaultKind<Params, Before, null> = {
  kind: 'compose.down',
  summary: 'Run `docker compose down` on a project. Volumes are kept.',
  healAfter: 'recovery',
  params,
  uses: () => ({ tools: ['docker'], engine: true }),
  describe: (p) => ({
    inject: [...declared(p), 'down'].join(' '),
    heal: `${[...declared(p), 'up', '-d'].join(' ')}${p.files === undefined ? ' (with the Compose files of its containers)' : ''}`,
    blastRadius: `every container of the Compose project in ${p.projectDirectory}`,
  }),

  async before(p, ctx) {
    await requireDocker(ctx);
    const compose = await asMade(p, ctx);
    const services = await running(compose, ctx);
    if (services.length === 0) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: cannot take ${p.projectDirectory} down: no service of the project is running`,
        {
          hint: `Start the project first: ${shellCommand([...compose, 'up', '-d'])}`,
        },
      );
    }
    const asked = await requested(compose, ctx);
    const lost = services.find((service) => !asked.includes(service));
    if (lost !== undefined) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: cannot take ${p.projectDirectory} down: service ${lost} is running, but \`${shellCommand([...compose, 'up', '-d'])}\` would not start it again`,
        {
          hint: 'Add its Compose file to `files`, or add its profile to COMPOSE_PROFILES in the project’s `.env`.',
        },
      );
    }
    return { services, idle: asked.filter((service) => !services.includes(service)), compose };
  },

  async inject(p, before, ctx) {
    await runOk(ctx, [...commandOf(p, before), 'down'], { timeoutMs: composeTimeoutMs });
    return null;
  },

  async effect(p, before, ctx) {
    const compose = commandOf(p, before);
    if ((await running(compose, ctx)).length > 0) return false;
    // An empty list of running services counts only if Compose can list the project's services.
    return (await requested(compose, ctx)).length > 0;
  },

  undo: (p, before) => shellCommand([...commandOf(p, before), 'up', '-d']),

  async heal(p, before, ctx) {
    if (await this.healed(p, before, ctx)) return;
    await runOk(ctx, [...commandOf(p, before), 'up', '-d'], { timeoutMs: composeTimeoutMs });
  },

  async healed(p, before, ctx) {
    const compose = commandOf(p, before);
    // Uses the profiles as they are now, not as before the fault: a role change meanwhile may have moved
    // services.
    const now = await running(compose, ctx);
    const left = (await requested(compose, ctx)).filter((service) => !now.includes(service));
    // A service that was not running before may stay down if it was idle before, or if it exited with 0 (a
    // one-shot service).
    if (left.some((service) => before.services.includes(service))) return false;
    const unexplained = left.filter((service) => before.idle?.includes(service) !== true);
    if (unexplained.length === 0) return true;
    const done = await succeeded(compose, ctx);
    return unexplained.every((service) => done.includes(service));
  },
};

function declared({ projectDirectory, files }: Params): string[] {
  return composeCommand({
    projectDirectory,
    files: (files ?? []).map((file) => inFolder(projectDirectory, file)),
  });
}

function commandOf(p: Params, { compose }: Before): readonly string[] {
  return compose ?? declared(p);
}

/**
 * The `docker compose` command for the project's containers, from their labels. `up` with other files would
 * create another project.
 */
async function asMade(p: Params, ctx: FaultContext): Promise<string[]> {
  if (p.files !== undefined) return declared(p);
  const labels = ['project', 'project.config_files', 'project.environment_file'];
  const folder = withoutSlash(p.projectDirectory);
  const said = await runOk(ctx, [
    'docker',
    'ps',
    '--filter',
    `label=com.docker.compose.project.working_dir=${folder}`,
    '--format',
    labels.map((label) => `{{.Label "com.docker.compose.${label}"}}`).join('\t'),
  ]);
  const [made, ...others] = new Set(
    said.split('\n').filter((line) => /^[^\s\t]+\t[^\t]*\t[^\t]*$/.test(line)),
  );
  if (others.length > 0) {
    throw new DrillError(
      'fault-failed',
      `${ctx.host.name}: cannot find the Compose files of ${p.projectDirectory}: its containers come from different files or projects`,
      { hint: 'List the Compose files in `files`.' },
    );
  }
  if (made === undefined) return declared(p);
  const [project, files = '', environmentFiles = ''] = made.split('\t');
  return composeCommand({
    projectDirectory: p.projectDirectory,
    project,
    files: labelPaths(files),
    environmentFiles: labelPaths(environmentFiles),
  });
}

async function running(compose: readonly string[], ctx: FaultContext): Promise<string[]> {
  return names(await ask([...compose, 'ps', '--services', '--status', 'running'], ctx));
}

/** The services of the project's active profiles. Throws `host-unreachable` if Compose lists none. */
async function requested(compose: readonly string[], ctx: FaultContext): Promise<string[]> {
  const said = await runOk(ctx, [...compose, 'config', '--services']);
  const services = names(said);
  if (services.length > 0) return services;
  throw new DrillError(
    'host-unreachable',
    `${ctx.host.name}: \`${compose.join(' ')} config --services\` listed no services: ${messageText(said.trim(), 120) || 'no output'}`,
    { hint: `Check the output of that command on ${ctx.host.name}.` },
  );
}

/** Services whose containers exited with 0. */
async function succeeded(compose: readonly string[], ctx: FaultContext): Promise<string[]> {
  const format = '{{.Service}} {{.State}} {{.ExitCode}}';
  const said = await ask([...compose, 'ps', '--all', '--format', format], ctx);
  return lines(said).flatMap((line) => /^(\S+) exited 0$/.exec(line)?.[1] ?? []);
}

async function ask(argv: readonly string[], ctx: FaultContext): Promise<string> {
  const result = await run(ctx, argv);
  if (result.exitCode === 0) return result.stdout;
  throw new DrillError('host-unreachable', `${ctx.host.name}: ${exitedText(argv, result)}`);
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** The lines that are service names. Other lines, such as warnings, are dropped. */
function names(text: string): string[] {
  return lines(text).filter((line) => /^[\w.-]+$/.test(line));
}
