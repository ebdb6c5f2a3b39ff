import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { commandWord } from '../core/names.ts';
import { shellCommand } from '../core/shell-quote.ts';
import { exitedText, run, runOk } from './lib/commands.ts';
import { composeCommand, inFolder, labelPaths } from './lib/compose-project.ts';
import { inspectContainer } from './lib/docker-cli.ts';
import { isRunning, requireRunning } from './lib/stopped-container.ts';

const params = z.strictObject({
  container: commandWord.describe('Container to remove.'),
  projectDirectory: z.string().min(1).describe('Folder of the container’s Compose project on the host.'),
  service: commandWord
    .optional()
    .describe('Compose service of the container. Default: the service in the container’s labels.'),
  file: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Compose file: an absolute path, or a path relative to `projectDirectory`. Default: the files that the container was created from.',
    ),
});
type Params = z.output<typeof params>;

/** The container, and the full `docker compose up` command that recreates it. */
type Before = { readonly id: string; readonly name: string; readonly up: readonly string[] };

/** Fields of `docker inspect` that contain a container's Compose project and service. */
const originSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }),
});

const composeTimeoutMs = 180_000;

/**
 * Removes a container with `docker rm --force`. The heal recreates it through Compose, with the project name
 * and files from its labels. Named volumes are kept; all other data of the container is lost. Containers in
 * its network namespace (`network_mode: service:...`) stay in the old namespace, even after the heal.
 */
export const containerRemove: FaultKind<Params, Before, null> = {
  kind: 'container.remove',
  summary: 'Remove a container. The heal recreates it with `docker compose up`.',
  healAfter: 'recovery',
  params,
  uses: () => ({ tools: ['docker'], engine: true }),
  describe: (p) => ({
    inject: `docker rm --force ${p.container}`,
    heal: `docker compose --project-directory ${p.projectDirectory}${p.file === undefined ? '' : ` --file ${p.file}`} up --detach --no-recreate ${p.service ?? `(service of ${p.container})`}`,
    blastRadius: `container ${p.container}, its data outside volumes, and the containers in its network namespace`,
  }),

  async before(p, ctx) {
    await requireRunning(ctx, p.container);
    const { compose, service, ...container } = await originOf(p, ctx);
    // Checks before the removal that the heal will find the service.
    const asked = [...compose, 'config', '--quiet', service];
    const result = await run(ctx, asked);
    if (result.exitCode !== 0) {
      throw new DrillError('fault-failed', `${ctx.host.name}: ${exitedText(asked, result)}`, {
        hint: `Correct \`projectDirectory\` or \`file\`, so that Compose can recreate ${p.container}.`,
      });
    }
    // With `--no-recreate`, Compose creates only missing containers.
    return { ...container, up: [...compose, 'up', '--detach', '--no-recreate', service] };
  },

  async inject(_p, { id }, ctx) {
    await runOk(ctx, ['docker', 'rm', '--force', id]);
    return null;
  },

  // Checks the ID, because another container may already have the same name.
  effect: async (_p, { id }, ctx) => (await inspectContainer(ctx, id)) === undefined,

  undo: (_p, { up }) => shellCommand(up),

  async heal(_p, { name, up }, ctx) {
    if (!(await isRunning(ctx, name))) await runOk(ctx, up, { timeoutMs: composeTimeoutMs });
  },

  healed: (_p, { name }, ctx) => isRunning(ctx, name),
};

/**
 * The container's Compose project and service, from its labels. Throws `fault-failed` if `docker compose up`
 * did not create it.
 */
async function originOf(
  p: Params,
  ctx: FaultContext,
): Promise<{ id: string; name: string; compose: string[]; service: string }> {
  const said = await runOk(ctx, ['docker', 'inspect', '--type', 'container', p.container]);
  const [origin] = z.tuple([originSchema]).parse(JSON.parse(said));
  const label = (name: string): string => origin.Config.Labels?.[`com.docker.compose.${name}`] ?? '';
  const [project, service] = [label('project'), label('service')];
  if (project === '' || service === '' || label('oneoff') === 'True') {
    throw new DrillError(
      'fault-failed',
      `${ctx.host.name}: cannot remove container ${p.container}: \`docker compose up\` did not create it, so the heal could not recreate it`,
      { hint: 'Use kind `container.kill`, or kind `command` with your own `undo`.' },
    );
  }
  if (p.service !== undefined && p.service !== service) {
    throw new DrillError(
      'fault-failed',
      `${ctx.host.name}: container ${p.container} belongs to service ${service}, not ${p.service}`,
      { hint: 'Correct `service`, or remove it.' },
    );
  }
  const files =
    p.file === undefined ? labelPaths(label('project.config_files')) : [inFolder(p.projectDirectory, p.file)];
  return {
    id: origin.Id,
    name: origin.Name.replace(/^\//, ''),
    service,
    compose: composeCommand({
      projectDirectory: p.projectDirectory,
      project,
      files,
      environmentFiles: labelPaths(label('project.environment_file')),
    }),
  };
}
