import type { CloudServer } from '../../core/cloud.ts';
import { DrillError, isUnreachable } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';

/** What an accepted action leaves behind: its request, and when the cloud began and ended it (ISO, on the cloud's clock). */
export type ActionReceipt = {
  readonly requestId: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
};

/** The server behind the host; the planner has seen to it that the target names one. */
export function serverOf(ctx: FaultContext): CloudServer {
  if (ctx.server !== undefined) return ctx.server;
  throw new DrillError('invalid-input', `${ctx.host.name}: the target names no server for this host`, {
    mend: 'Give the host a `server` (cloud and id) in the target.',
  });
}

/** Throws `fault-failed` for a server that is not up and idle: a fault needs something to break. */
export async function requireUp(ctx: FaultContext): Promise<void> {
  const server = serverOf(ctx);
  const { status, taskState } = await server.state(ctx.signal);
  if (status === 'ACTIVE' && taskState === null) return;
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: ${server.where} is ${status}${taskState === null ? '' : ` (${taskState})`}, not ACTIVE and idle`,
    { mend: 'Bring it up, or wait until the cloud is done with it, and start the drill again.' },
  );
}

/** The receipt of an action, with what the cloud has recorded of it so far. */
export async function receiptOf(requestId: string | undefined, ctx: FaultContext): Promise<ActionReceipt> {
  const action = requestId === undefined ? undefined : await recorded(requestId, ctx);
  return {
    requestId: requestId ?? null,
    startedAt: action === undefined ? null : new Date(action.startMs).toISOString(),
    finishedAt: action?.finishMs == null ? null : new Date(action.finishMs).toISOString(),
  };
}

/** The action was accepted: not being told more about it is no failure of the fault. */
async function recorded(
  requestId: string,
  ctx: FaultContext,
): Promise<Awaited<ReturnType<CloudServer['action']>>> {
  try {
    return await serverOf(ctx).action(requestId, ctx.signal);
  } catch (error) {
    if (error instanceof DrillError) return undefined;
    throw error;
  }
}

/**
 * Brings a server up through its cloud only: Nova powers a machine off again that was started behind its
 * back. Called again and again; does nothing while the cloud is at work.
 */
export async function bringUp(ctx: FaultContext): Promise<void> {
  const server = serverOf(ctx);
  const { status, taskState } = await server.state(ctx.signal);
  if (taskState !== null) return;
  if (status === 'SHUTOFF') await server.start(ctx.signal);
  // os-start is for stopped servers only; out of ERROR leads a hard reboot.
  else if (status === 'ERROR') await server.reboot('HARD', ctx.signal);
}

/** The cloud says that the server is up and idle, and the host takes commands. */
export async function isUp(ctx: FaultContext): Promise<boolean> {
  const { status, taskState } = await serverOf(ctx).state(ctx.signal);
  return status === 'ACTIVE' && taskState === null && (await answers(ctx));
}

async function answers(ctx: FaultContext): Promise<boolean> {
  try {
    return (await ctx.host.exec(['true'], { timeoutMs: 5000, signal: ctx.signal })).exitCode === 0;
  } catch (error) {
    if (isUnreachable(error)) return false;
    throw error;
  }
}
