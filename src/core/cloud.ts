/** What Nova says of a server. */
export interface ServerState {
  /** ACTIVE, SHUTOFF, ERROR, REBOOT, HARD_REBOOT, ... as the compute API spells it. */
  readonly status: string;
  /** OS-EXT-STS:task_state; null when nothing is under way. */
  readonly taskState: string | null;
}

/** An action that the cloud has accepted; it is done only when the server's state says so. */
export interface AcceptedAction {
  /** The request's id, under which its instance action is found; undefined where the cloud gave none. */
  readonly requestId: string | undefined;
}

/**
 * A server as its cloud's control plane sees it. Every method throws DrillError
 * `host-unreachable` when the cloud gives no usable answer (outcome unknown:
 * observe before acting again) and `fault-failed` when it refuses.
 */
export interface CloudServer {
  /** How the server is reached, for `plan`: cloud, region, server. */
  readonly where: string;
  state(signal: AbortSignal): Promise<ServerState>;
  /** At most one POST; a server that is already there or on its way is success. */
  stop(signal: AbortSignal): Promise<AcceptedAction>;
  start(signal: AbortSignal): Promise<AcceptedAction>;
  reboot(type: 'SOFT' | 'HARD', signal: AbortSignal): Promise<AcceptedAction>;
  /** When the cloud began and ended an action, ms since the Unix epoch on the cloud's clock; undefined while it does not know of it. */
  action(
    requestId: string,
    signal: AbortSignal,
  ): Promise<{ readonly startMs: number; readonly finishMs: number | null } | undefined>;
}
