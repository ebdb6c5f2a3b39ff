import type { CloudServer } from '../../core/cloud.ts';
import { DrillError, isUnreachable } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';

/**
 * The record of an accepted action: its request ID, and when the cloud started and finished it (ISO 8601, on
 * the cloud's clock).
 */
export type ActionReceipt = {
  readonly requestId: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
};

/** The host's cloud server. The planner has already checked that the target names one. */
export function serverOf(ctx: FaultContext): CloudServer {
  if (ctx.server !== undefined) return ctx.server;
  throw new DrillError(
    'invalid-input',
    `${ctx.host.name}: cannot find the cloud server of this host: the target has no \`server\` for it`,
    {
      hint: 'Add `server` (with `cloud` and `id`) to the host in the target file.',
    },
  );
}

/** Throws `fault-failed` unless the server is ACTIVE and idle. */
export async function requireUp(ctx: FaultContext): Promise<void> {
  const server = serverOf(ctx);
  const { status, taskState } = await server.state(ctx.signal);
  if (status === 'ACTIVE' && taskState === null) return;
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot inject the fault: ${server.where} is ${status}${taskState === null ? '' : ` (${taskState})`}, not ACTIVE and idle`,
    { hint: 'Start the server, or wait until the cloud has finished its task. Then run the drill again.' },
  );
}

/** The receipt of an action, with the times that the cloud has recorded so far. */
export async function receiptOf(requestId: string | undefined, ctx: FaultContext): Promise<ActionReceipt> {
  const action = requestId === undefined ? undefined : await recorded(requestId, ctx);
  return {
    requestId: requestId ?? null,
    startedAt: action === undefined ? null : new Date(action.startMs).toISOString(),
    finishedAt: action?.finishMs == null ? null : new Date(action.finishMs).toISOString(),
  };
}

/**
 * The cloud's record of an action, or undefined. The cloud has already accepted the action, so a failed
 * lookup does not fail the fault.
 */
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
 * Starts a server through its cloud only: Nova powers off a machine that was started in another way. Safe to
 * call repeatedly. Does nothing while the cloud works on a task.
 */
export async function bringUp(ctx: FaultContext): Promise<void> {
  const server = serverOf(ctx);
  const { status, taskState } = await server.state(ctx.signal);
  if (taskState !== null) return;
  if (status === 'SHUTOFF') await server.start(ctx.signal);
  // os-start works only for stopped servers. A hard reboot brings a server out of ERROR.
  else if (status === 'ERROR') await server.reboot('HARD', ctx.signal);
}

/** True if the cloud reports the server as ACTIVE and idle, and the host accepts commands. */
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
