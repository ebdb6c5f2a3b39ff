import type { WallMs } from './time.ts';

/** A server's state as Nova reports it. */
export interface ServerState {
  /** ACTIVE, SHUTOFF, ERROR, REBOOT, HARD_REBOOT, ... as the compute API spells it. */
  readonly status: string;
  /** OS-EXT-STS:task_state; null if no task is in progress. */
  readonly taskState: string | null;
}

/** An action that the cloud has accepted; only the server's state shows when it is done. */
export interface AcceptedAction {
  /** The request's id, which finds its instance action; undefined if the cloud returned none. */
  readonly requestId: string | undefined;
}

/**
 * A server as its cloud's control plane reports it. Every method throws DrillError `host-unreachable` if the
 * cloud gives no usable answer (outcome unknown: observe before acting again), and `fault-failed` if it
 * refuses.
 */
export interface CloudServer {
  /** How the server is reached, for `plan`: cloud, region, server. */
  readonly where: string;
  state(signal: AbortSignal): Promise<ServerState>;
  /** At most one POST; a server that is already stopped or stopping counts as success. */
  stop(signal: AbortSignal): Promise<AcceptedAction>;
  start(signal: AbortSignal): Promise<AcceptedAction>;
  reboot(type: 'SOFT' | 'HARD', signal: AbortSignal): Promise<AcceptedAction>;
  /**
   * When an action began and ended, ms since the Unix epoch on the cloud's clock; undefined while the cloud
   * does not know it.
   */
  action(
    requestId: string,
    signal: AbortSignal,
  ): Promise<{ readonly startMs: WallMs; readonly finishMs: WallMs | null } | undefined>;
}
