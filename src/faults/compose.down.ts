import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { shellCommand } from '../core/shell-quote.ts';
import { exitedWords, run, runOk } from './lib/commands.ts';
import { composeCommand, inFolder, labelPaths, withoutSlash } from './lib/compose-project.ts';
import { requireDocker } from './lib/docker-cli.ts';

const params = z.strictObject({
  projectDirectory: z.string().min(1).describe('Folder of the compose project on the host.'),
  files: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      'Compose files, absolute or in that folder; by default those that its containers were made from.',
    ),
});
type Params = z.output<typeof params>;

type Before = {
  /** Services that ran. */
  readonly services: readonly string[];
  /** Services that the project asks for and that did not run: one-shot services that were done, and broken ones. */
  readonly idle?: readonly string[];
  /** The command that the project was made with, up to its verb. Absent in undo records of older versions. */
  readonly compose?: readonly string[];
};

/** Graceful stops take up to Docker's grace period for each link of the dependency chain. */
const composeTimeoutMs = 180_000;

/** Takes a whole compose project down, networks and containers included; volumes stay. */
export const composeDown: FaultKind<Params, Before, null> = {
  kind: 'compose.down',
  summary: 'Take a compose project down; volumes stay.',
  healAfter: 'recovery',
  params,
  uses: () => ({ tools: ['docker'], engine: true }),
  describe: (p) => ({
    inject: [...declared(p), 'down'].join(' '),
    heal: `${[...declared(p), 'up', '-d'].join(' ')}${p.files === undefined ? ' (with the files that it was made from)' : ''}`,
    blastRadius: `every container of the compose project in ${p.projectDirectory}`,
  }),

  async before(p, ctx) {
    await requireDocker(ctx);
    const compose = await asMade(p, ctx);
    const services = await running(compose, ctx);
    if (services.length === 0) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: no service of ${p.projectDirectory} is running`,
        {
          mend: 'A fault needs something to break: bring the project up first.',
        },
      );
    }
    const asked = await wanted(compose, ctx);
    const lost = services.find((service) => !asked.includes(service));
    if (lost !== undefined) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: service ${lost} of ${p.projectDirectory} runs, and \`${shellCommand([...compose, 'up', '-d'])}\` would not start it again`,
        {
          mend: 'Name its file in `files`, or its profile in COMPOSE_PROFILES of the project’s `.env`.',
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
    // Nothing is a list of services, too: only where the project can be asked is it the answer.
    return (await wanted(compose, ctx)).length > 0;
  },

  undo: (p, before) => shellCommand([...commandOf(p, before), 'up', '-d']),

  async heal(p, before, ctx) {
    if (await this.healed(p, before, ctx)) return;
    await runOk(ctx, [...commandOf(p, before), 'up', '-d'], { timeoutMs: composeTimeoutMs });
  },

  async healed(p, before, ctx) {
    const compose = commandOf(p, before);
    // What the profiles ask for now, not what ran before: a role change meanwhile may have moved services.
    const now = await running(compose, ctx);
    const left = (await wanted(compose, ctx)).filter((service) => !now.includes(service));
    // One that did not run before is either as it was, or a one-shot service that is done.
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

/** The command that the project's containers were made with, by their labels: `up` with other files would make another project. */
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
      `${ctx.host.name}: the containers of ${p.projectDirectory} were made from different compose files, or are of several projects`,
      { mend: 'Name the compose files in `files`.' },
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

/** The services that the project's present profiles ask for. */
async function wanted(compose: readonly string[], ctx: FaultContext): Promise<string[]> {
  const services = names(await runOk(ctx, [...compose, 'config', '--services']));
  if (services.length > 0) return services;
  throw new DrillError(
    'host-unreachable',
    `${ctx.host.name}: \`${compose.join(' ')} config --services\` did not list services: ${services.join(' ') || 'no output'}`,
  );
}

/** Services whose containers have ended without an error. */
async function succeeded(compose: readonly string[], ctx: FaultContext): Promise<string[]> {
  const format = '{{.Service}} {{.State}} {{.ExitCode}}';
  const said = await ask([...compose, 'ps', '--all', '--format', format], ctx);
  return lines(said).flatMap((line) => /^(\S+) exited 0$/.exec(line)?.[1] ?? []);
}

async function ask(argv: readonly string[], ctx: FaultContext): Promise<string> {
  const result = await run(ctx, argv);
  if (result.exitCode === 0) return result.stdout;
  throw new DrillError('host-unreachable', `${ctx.host.name}: ${exitedWords(argv, result)}`);
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Names of services, a line each; other lines are none. */
function names(text: string): string[] {
  return lines(text).filter((line) => /^[\w.-]+$/.test(line));
}
