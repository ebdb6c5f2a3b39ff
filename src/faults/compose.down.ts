import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { shellCommand } from '../core/shell-quote.ts';
import { run, runOk } from './lib/commands.ts';

const params = z.strictObject({
  projectDirectory: z.string().min(1).describe('Folder of the compose project on the host.'),
});
type Params = z.output<typeof params>;
type Before = { readonly services: readonly string[] };

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
    inject: compose(p, ['down']).join(' '),
    heal: compose(p, ['up', '-d']).join(' '),
    blastRadius: `every container of the compose project in ${p.projectDirectory}`,
  }),

  async before(p, ctx) {
    const services = await running(p, ctx);
    if (services.length === 0) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: no service of ${p.projectDirectory} is running`,
        {
          mend: 'A fault needs something to break: bring the project up first.',
        },
      );
    }
    return { services };
  },

  async inject(p, _before, ctx) {
    await runOk(ctx, compose(p, ['down']), { timeoutMs: composeTimeoutMs });
    return null;
  },

  async effect(p, _before, ctx) {
    return (await running(p, ctx)).length === 0;
  },

  undo: (p) => shellCommand(compose(p, ['up', '-d'])),

  async heal(p, before, ctx) {
    if (await this.healed(p, before, ctx)) return;
    await runOk(ctx, compose(p, ['up', '-d']), { timeoutMs: composeTimeoutMs });
  },

  async healed(p, _before, ctx) {
    // What the profiles ask for now, not what ran before: a role change meanwhile may have moved services.
    const now = await running(p, ctx);
    return (await wanted(p, ctx)).every((service) => now.includes(service));
  },
};

function compose(p: Params, argv: readonly string[]): string[] {
  return ['docker', 'compose', '--project-directory', p.projectDirectory, ...argv];
}

async function running(p: Params, ctx: FaultContext): Promise<string[]> {
  const result = await run(ctx, compose(p, ['ps', '--services', '--status', 'running']));
  if (result.exitCode !== 0) {
    throw new DrillError(
      'host-unreachable',
      `${ctx.host.name}: docker compose ps failed: ${result.stderr.trim()}`,
    );
  }
  return words(result.stdout);
}

/** The services that the project's present profiles ask for. */
async function wanted(p: Params, ctx: FaultContext): Promise<string[]> {
  const services = words(await runOk(ctx, compose(p, ['config', '--services'])));
  if (services.length > 0 && services.every((service) => serviceName.test(service))) return services;
  throw new DrillError(
    'host-unreachable',
    `${ctx.host.name}: docker compose config --services did not list services: ${services.join(' ') || 'no output'}`,
  );
}

/** What Compose takes for the name of a service. */
const serviceName = /^[a-zA-Z0-9._-]+$/;

function words(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
