import type { CloudServer } from '../../core/cloud.ts';
import type { FaultContext } from '../../core/fault.ts';
import type { Host } from '../../core/host.ts';
import { later, runMs, wallMs } from '../../core/time.ts';

/** A context with a simulated clock that only `sleep` advances. */
export function faultContext(host: Host, server?: CloudServer): FaultContext {
  let nowMs = runMs(0);
  return {
    host,
    server,
    signal: new AbortController().signal,
    clock: {
      nowMs: () => nowMs,
      wallMs: () => wallMs(nowMs),
      sleep: (ms) => {
        nowMs = later(nowMs, ms);
        return Promise.resolve();
      },
    },
  };
}
