import { limitText } from '../core/format-duration.ts';
import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import { duration } from '../core/duration.ts';
import type { FaultContext } from '../core/fault.ts';
import { parseJson } from '../core/parse-json.ts';
import { messageText } from '../core/message-text.ts';
import { lastText, run, runOk } from './lib/commands.ts';
import { scriptedFault } from './lib/scripted-fault.ts';
import { defaultInterface, interfaceName, requireLink } from './lib/links.ts';
import { shellCommand } from '../core/shell-quote.ts';

const params = z.strictObject({
  delay: duration
    .refine((ms) => ms > 0, { error: 'expected a delay of more than 0 ms' })
    .describe('Delay added to each packet that the host sends.'),
  variation: duration
    .optional()
    .describe('Random variation. The delay of each packet differs from `delay` by at most this much.'),
  interface: interfaceName
    .optional()
    .describe(
      'Interface whose outgoing packets are delayed. Default: the interface of the default route, or eth0 if there is no default route.',
    ),
});
type Params = z.output<typeof params>;

type Delay = { readonly interface: string; readonly handle: string; readonly netem: readonly string[] };

const qdiscsSchema = z.array(
  z.object({ kind: z.string(), handle: z.string(), root: z.boolean().optional() }),
);

/**
 * Delays every packet that leaves through an interface (tc netem), so each round trip takes that much longer.
 * Needs sch_netem in the kernel; `before` tries it in a temporary network namespace. An interface with a
 * configured qdisc is refused.
 */
export const networkDelay = scriptedFault<Params, Delay>({
  kind: 'network.delay',
  summary: 'Delay the packets that a host sends. Needs the kernel module sch_netem.',
  params,
  tools: ['tc', 'ip', 'unshare'],
  netem: true,
  describe: (p) => ({
    inject: `tc qdisc add dev ${p.interface ?? '(default route)'} root netem delay ${limitText(p.delay)}${p.variation === undefined ? '' : ` ± ${limitText(p.variation)}`}`,
    heal: 'remove the netem qdisc',
    blastRadius: `all packets that the host sends through ${p.interface ?? 'the interface of its default route'}`,
  }),

  async prepare(p, tag, ctx) {
    await requireNetem(ctx);
    const name = p.interface ?? (await defaultInterface(ctx));
    await requireLink(ctx, name);
    const configured = (await qdiscs(ctx, name)).find(({ root, handle }) => root === true && handle !== '0:');
    if (configured !== undefined) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: cannot delay the packets of ${name}: it already has a qdisc: ${configured.kind} ${configured.handle}`,
        {
          hint: 'Set `interface` to another interface. firedrill does not replace a qdisc that it could not restore.',
        },
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

/**
 * Throws `host-unreachable` if the output is not a JSON list. `tc` prints an empty list if there is no qdisc.
 */
async function qdiscs(ctx: FaultContext, name: string): Promise<z.output<typeof qdiscsSchema>> {
  const argv = ['tc', '-j', 'qdisc', 'show', 'dev', name];
  const said = await runOk(ctx, argv);
  const parsed = qdiscsSchema.safeParse(parseJson(said));
  if (parsed.success) return parsed.data;
  throw new DrillError(
    'host-unreachable',
    `${ctx.host.name}: cannot parse the output of \`${argv.join(' ')}\`: ${messageText(said.trim(), 120)}`,
    { hint: `Check the output of \`${argv.join(' ')}\` on ${ctx.host.name}: the fault needs iproute2.` },
  );
}

async function requireNetem(ctx: FaultContext): Promise<void> {
  const trial = ['tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms'];
  const tried = await run(ctx, ['unshare', '--net', ...trial]);
  if (tried.exitCode === 0) return;
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot delay packets: tc netem does not work: ${lastText(tried)}`,
    {
      hint: 'Load the kernel module: `modprobe sch_netem`. Some systems ship it in a package of extra kernel modules. The fault also needs root and iproute2. Without the module, use network.loss or network.partition.',
    },
  );
}

/**
 * A qdisc handle below 8000 (hexadecimal), in the form that tc prints. tc itself assigns handles from 8000
 * up.
 */
function handleOf(tag: string): string {
  const major = (Number.parseInt(tag.slice(0, 4), 16) % 0x7fff) + 1;
  return `${major.toString(16)}:`;
}
