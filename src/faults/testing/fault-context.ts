import type { CloudServer } from '../../core/cloud.ts';
import type { FaultContext } from '../../core/fault.ts';
import type { Host } from '../../core/host.ts';

/** A context with a simulated clock that only `sleep` advances. */
export function faultContext(host: Host, server?: CloudServer): FaultContext {
  let nowMs = 0;
  return {
    host,
    server,
    signal: new AbortController().signal,
    clock: {
      nowMs: () => nowMs,
      wallMs: () => nowMs,
      sleep: (ms) => {
        nowMs += ms;
        return Promise.resolve();
      },
    },
  };
}
