import { limitWords } from '../core/format-duration.ts';
import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import { duration } from '../core/duration.ts';
import type { FaultContext } from '../core/fault.ts';
import { parseJson } from '../core/parse-json.ts';
import { printable } from '../core/printable.ts';
import { lastWords, run, runOk } from './lib/commands.ts';
import { scriptedFault } from './lib/scripted-fault.ts';
import { defaultInterface, interfaceName, requireLink } from './lib/links.ts';
import { shellCommand } from '../core/shell-quote.ts';

const params = z.strictObject({
  delay: duration
    .refine((ms) => ms > 0, { error: 'expected more than nothing' })
    .describe('Added to each packet that the host sends.'),
  variation: duration.optional().describe('The delay of a packet varies by up to this, up and down.'),
  interface: interfaceName
    .optional()
    .describe('Interface whose packets are delayed; the one of the default route (else eth0) by default.'),
});
type Params = z.output<typeof params>;

type Delay = { readonly interface: string; readonly handle: string; readonly netem: readonly string[] };

const qdiscsSchema = z.array(
  z.object({ kind: z.string(), handle: z.string(), root: z.boolean().optional() }),
);

/**
 * Delays every packet that leaves through an interface (tc netem): a round trip
 * takes that much longer. Needs sch_netem in the kernel, which is looked for in a
 * network namespace that is gone with the look; an interface whose queueing
 * somebody has configured is left alone.
 */
export const networkDelay = scriptedFault<Params, Delay>({
  kind: 'network.delay',
  summary: 'Delay the packets that a host sends (needs netem in its kernel).',
  params,
  tools: ['tc', 'ip', 'unshare'],
  netem: true,
  describe: (p) => ({
    inject: `tc qdisc add dev ${p.interface ?? '(default route)'} root netem delay ${limitWords(p.delay)}${p.variation === undefined ? '' : ` ± ${limitWords(p.variation)}`}`,
    heal: 'remove that qdisc',
    blastRadius: `all that the host sends through ${p.interface ?? 'the interface of its default route'}`,
  }),

  async prepare(p, tag, ctx) {
    await requireNetem(ctx);
    const name = p.interface ?? (await defaultInterface(ctx));
    await requireLink(ctx, name);
    const configured = (await qdiscs(ctx, name)).find(({ root, handle }) => root === true && handle !== '0:');
    if (configured !== undefined) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: ${name} has a qdisc of somebody else: ${configured.kind} ${configured.handle}`,
        { mend: 'Name another `interface`: a fault replaces nothing that it could not put back.' },
      );
    }
    const variation = p.variation === undefined ? [] : [`${p.variation}ms`];
    return { interface: name, handle: handleOf(tag), netem: ['delay', `${p.delay}ms`, ...variation] };
  },

  cut: (p, { interface: name }) => ({
    kind: 'delay',
    interface: name,
    delayMs: p.delay + (p.variation ?? 0),
  }),

  async apply({ interface: name, handle, netem }, _tag, ctx) {
    await runOk(ctx, ['tc', 'qdisc', 'add', 'dev', name, 'root', 'handle', handle, 'netem', ...netem]);
  },

  // The kernel refuses to delete a root qdisc with another handle.
  undo: ({ interface: name, handle }) =>
    [
      shellCommand(['tc', 'qdisc', 'del', 'dev', name, 'root', 'handle', handle]),
      `left=$(${shellCommand(['tc', 'qdisc', 'show', 'dev', name])}) || exit`,
      `case $left in *" netem ${handle} root"*) exit 1 ;; esac`,
    ].join('\n'),

  inForce: isThere,
  gone: async (state, tag, ctx) => !(await isThere(state, tag, ctx)),
});

async function isThere(
  { interface: name, handle }: Delay,
  _tag: string,
  ctx: FaultContext,
): Promise<boolean> {
  return (await qdiscs(ctx, name)).some((qdisc) => qdisc.kind === 'netem' && qdisc.handle === handle);
}

/** Throws `host-unreachable` for an answer that is no list: without any, `tc` prints an empty one. */
async function qdiscs(ctx: FaultContext, name: string): Promise<z.output<typeof qdiscsSchema>> {
  const argv = ['tc', '-j', 'qdisc', 'show', 'dev', name];
  const said = await runOk(ctx, argv);
  const parsed = qdiscsSchema.safeParse(parseJson(said));
  if (parsed.success) return parsed.data;
  throw new DrillError(
    'host-unreachable',
    `${ctx.host.name}: cannot parse the output of \`${argv.join(' ')}\`: ${printable(said.trim(), 120)}`,
  );
}

async function requireNetem(ctx: FaultContext): Promise<void> {
  const trial = ['tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms'];
  const tried = await run(ctx, ['unshare', '--net', ...trial]);
  if (tried.exitCode === 0) return;
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: packets cannot be delayed there, tc netem does not work: ${lastWords(tried)}`,
    {
      mend: 'The fault needs root, iproute2 and the kernel module sch_netem (modprobe sch_netem; some systems have it in a package of extra modules). Where there is none, network.loss and network.partition work without.',
    },
  );
}

/** A handle that tc does not give by itself (those begin at 8000), as it prints it. */
function handleOf(tag: string): string {
  const major = (Number.parseInt(tag.slice(0, 4), 16) % 0x7fff) + 1;
  return `${major.toString(16)}:`;
}
