import type { CloudServer, ServerState } from '../../core/cloud.ts';

/** A server for tests. It records the actions, and reports the given states in order; the last one stays. */
export interface ScriptedServer extends CloudServer {
  readonly calls: readonly string[];
}

/** States such as `ACTIVE` or `ACTIVE powering-off` (status and task state). An error is thrown. */
export function scriptedServer(
  states: readonly (string | Error)[],
  actionOf: CloudServer['action'] = () => Promise.resolve(undefined),
): ScriptedServer {
  const calls: string[] = [];
  const left = [...states];
  const accept = (call: string) => () => {
    calls.push(call);
    return Promise.resolve({ requestId: `req-${calls.length}` });
  };
  const attempt = async (): Promise<ServerState> => {
    const state = (left.length > 1 ? left.shift() : left[0]) ?? 'ACTIVE';
    if (typeof state !== 'string') throw state;
    const [status = '', taskState = null] = state.split(' ');
    return { status, taskState };
  };
  return {
    where: 'server web-1 of cloud lab',
    calls,
    state: attempt,
    stop: accept('stop'),
    start: accept('start'),
    reboot: (type) => accept(`reboot ${type}`)(),
    action: actionOf,
  };
}
