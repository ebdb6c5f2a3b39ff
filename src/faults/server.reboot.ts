import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext, FaultKind } from '../core/fault.ts';
import { bringUp, isUp, receiptOf, requireUp, serverOf, type ActionReceipt } from './lib/cloud-server.ts';

const params = z.strictObject({
  type: z
    .enum(['SOFT', 'HARD'])
    .default('HARD')
    .describe(
      '`HARD` is a power cycle. `SOFT` asks the guest to reboot, and becomes `HARD` if the guest does not answer.',
    ),
});
type Params = z.output<typeof params>;
type Before = { readonly life: string };

/** Reboots a server through its cloud. The server comes back by itself. */
export const serverReboot: FaultKind<Params, Before, ActionReceipt> = {
  kind: 'server.reboot',
  summary: 'Reboot a server through its cloud, hard or soft.',
  healAfter: 'redundancy',
  needs: 'server',
  // A soft reboot waits for the guest's shutdown, 60 s by default.
  effectWithinMs: 150_000,
  params,
  describe: (p) => ({
    inject: `POST /servers/{id}/action {"reboot": {"type": "${p.type}"}}`,
    heal: 'verify that it is ACTIVE and accepts commands; {"os-start": null} if it stays SHUTOFF, a hard reboot if it is in ERROR',
    blastRadius: 'the whole server',
  }),

  async before(_p, ctx) {
    await requireUp(ctx);
    return { life: await lifeOf(ctx) };
  },

  async inject(p, _before, ctx) {
    const { requestId } = await serverOf(ctx).reboot(p.type, ctx.signal);
    return receiptOf(requestId, ctx);
  },

  async effect(_p, before, ctx) {
    const { status } = await serverOf(ctx).state(ctx.signal);
    if (status !== 'ACTIVE') return true;
    // The reboot may have finished before this check.
    return (await lifeOf(ctx)) !== before.life;
  },

  heal: (_p, _before, ctx) => bringUp(ctx),

  healed: (_p, _before, ctx) => isUp(ctx),
};

/**
 * Identifies one boot of the machine: the kernel's boot ID, and the start time of PID 1, because containers
 * share their kernel. The start time is field 22 of proc_pid_stat(5), counted after the name in parentheses.
 */
async function lifeOf(ctx: FaultContext): Promise<string> {
  const argv = ['cat', '/proc/sys/kernel/random/boot_id', '/proc/1/stat'];
  const { exitCode, stdout, stderr } = await ctx.host.exec(argv, { timeoutMs: 5000, signal: ctx.signal });
  const bootId = stdout.split('\n', 1)[0] ?? '';
  const startTicks = stdout
    .slice(stdout.lastIndexOf(')') + 1)
    .trim()
    .split(' ')[19];
  if (exitCode === 0 && bootId !== '' && startTicks !== undefined) return `${bootId} ${startTicks}`;
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot read when the machine booted: \`${argv.join(' ')}\`: ${stderr.trim() || 'unexpected output'}`,
  );
}
