import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { commandWord } from '../core/names.ts';
import { shellCommand } from '../core/shell-quote.ts';
import { exitedWords, run, runOk } from './lib/commands.ts';
import { composeCommand, inFolder, labelPaths } from './lib/compose-project.ts';
import { inspectContainer } from './lib/docker-cli.ts';
import { isRunning, requireRunning } from './lib/stopped-container.ts';

const params = z.strictObject({
  container: commandWord.describe('Container to remove.'),
  projectDirectory: z.string().min(1).describe('Folder of its compose project on the host.'),
  service: commandWord.optional().describe('Its service; as Compose has labelled it by default.'),
  file: z
    .string()
    .min(1)
    .optional()
    .describe('Compose file, absolute or in that folder; by default those that the container was made from.'),
});
type Params = z.output<typeof params>;

/** The container, and the whole command that makes another one like it. */
type Before = { readonly id: string; readonly name: string; readonly up: readonly string[] };

/** What `docker inspect` tells of where a container comes from. */
const originSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }),
});

const composeTimeoutMs = 180_000;

/**
 * Removes a container with `docker rm --force`; the heal has Compose make it
 * anew, with the project's name and files that its labels tell of. Named volumes
 * stay, what else was written in it is gone. Containers in its network namespace
 * (`network_mode: service:...`) stay in that of the old one, after the heal, too.
 */
export const containerRemove: FaultKind<Params, Before, null> = {
  kind: 'container.remove',
  summary: 'Remove a container; the heal has Compose make it anew.',
  healAfter: 'recovery',
  params,
  uses: () => ({ tools: ['docker'], engine: true }),
  describe: (p) => ({
    inject: `docker rm --force ${p.container}`,
    heal: `docker compose --project-directory ${p.projectDirectory}${p.file === undefined ? '' : ` --file ${p.file}`} up --detach --no-recreate ${p.service ?? `(service of ${p.container})`}`,
    blastRadius: `container ${p.container} with what it has written outside its volumes, and those in its network namespace`,
  }),

  async before(p, ctx) {
    await requireRunning(ctx, p.container);
    const { compose, service, ...container } = await originOf(p, ctx);
    // Asked before anything is removed: would the heal find the service?
    const asked = [...compose, 'config', '--quiet', service];
    const result = await run(ctx, asked);
    if (result.exitCode !== 0) {
      throw new DrillError('fault-failed', `${ctx.host.name}: ${exitedWords(asked, result)}`, {
        mend: `Compose has to know how to make ${p.container} anew: correct \`projectDirectory\` or \`file\`.`,
      });
    }
    // What is there is left as it is: only what is missing is made.
    return { ...container, up: [...compose, 'up', '--detach', '--no-recreate', service] };
  },

  async inject(_p, { id }, ctx) {
    await runOk(ctx, ['docker', 'rm', '--force', id]);
    return null;
  },

  // By its id: another one of the same name may be there already.
  effect: async (_p, { id }, ctx) => (await inspectContainer(ctx, id)) === undefined,

  undo: (_p, { up }) => shellCommand(up),

  async heal(_p, { name, up }, ctx) {
    if (!(await isRunning(ctx, name))) await runOk(ctx, up, { timeoutMs: composeTimeoutMs });
  },

  healed: (_p, { name }, ctx) => isRunning(ctx, name),
};

/** Where the container comes from, as Compose has labelled it. Throws `fault-failed` for one that Compose did not make. */
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
      `${ctx.host.name}: container ${p.container} was not made by \`docker compose up\`, which could not bring it back`,
      { mend: 'Use container.kill, or kind command with an `undo` of its own.' },
    );
  }
  if (p.service !== undefined && p.service !== service) {
    throw new DrillError(
      'fault-failed',
      `${ctx.host.name}: container ${p.container} is of service ${service}, not ${p.service}`,
      { mend: 'Correct `service`, or leave it out.' },
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
