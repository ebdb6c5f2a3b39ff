import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { canaryId } from '../core/canary.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { PlannedProbe } from '../core/plan.ts';
import { probeKind } from '../probes/catalog.ts';
import { compileCache } from './compile-cache.ts';

/** A server of ours on this machine, at work: what cannot be seen of it cannot be seen of anything. */
export interface Canary {
  /** How it is looked at: as an HTTP probe like any other, in the same thread. */
  readonly probe: PlannedProbe;
  /** Ends the server. Never rejects. */
  stop(): Promise<void>;
}

/** Starts a canary for probes such as these; rejects with DrillError `harness` where it cannot be. */
export type StartCanary = (probes: readonly PlannedProbe[]) => Promise<Canary>;

const program = fileURLToPath(new URL('./canary-server.ts', import.meta.url));
const startWithinMs = 5000;
const stopWithinMs = 1000;
/** More looks than this tell nothing more, and cost. */
const minIntervalMs = 50;
/** A third of it is what a good look may take: an ordinary machine hesitates for less. */
const minTimeoutMs = 150;
/** Where no probe has a socket's time-out. */
const timeoutWithoutMs = 900;

/**
 * Starts the canary: a server that answers at once, in a process and session of its own at ordinary priority. The prober's
 * own is raised (priority.ts), so that it may run well while all that it looks at starves.
 */
export const startCanary: StartCanary = async (probes) => {
  const child = spawn(process.execPath, [program], {
    // A session of its own has a CPU share of its own (sched(7), autogroups), and no Ctrl-C.
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: compileCache(),
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve()).once('error', () => resolve());
  });
  child.stdin.on('error', () => {});
  const stop = async (): Promise<void> => {
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
    await ended;
    clearTimeout(timer);
  };
  try {
    const said = once(child.stdout, 'data', { signal: AbortSignal.timeout(startWithinMs) });
    const [port] = (await Promise.race([said, ended.then(() => ['it ended at once'])])) as [unknown];
    return { probe: canaryProbe(Number(String(port)), probes), stop };
  } catch (error) {
    await stop();
    throw new DrillError('harness', `the canary could not be started: ${messageOf(error)}`, { cause: error });
  }
};

/**
 * How a canary on that port of this machine is looked at: as often as the fastest of the probes, but often enough that a
 * look begins within half of any look's time-out. A machine that holds up one for the whole of it is then seen to.
 */
export function canaryProbe(port: number, probes: readonly PlannedProbe[]): PlannedProbe {
  const network = probes.filter((probe) => probeKind(probe.kind)?.lane === 'network');
  const shortest = Math.min(...network.map((probe) => probe.timeoutMs));
  const timeoutMs = Math.max(minTimeoutMs, Number.isFinite(shortest) ? shortest : timeoutWithoutMs);
  const every = (intervals: readonly number[]): number =>
    Math.max(minIntervalMs, Math.min(...intervals, timeoutMs / 2));
  const intervalMs = every(network.map((probe) => probe.intervalMs));
  const burstIntervalMs = every(network.map((probe) => probe.burstIntervalMs ?? probe.intervalMs));
  return {
    id: canaryId,
    name: canaryId,
    kind: 'http',
    params: {
      url: `http://127.0.0.1:${port}/`,
      method: 'GET',
      headers: {},
      connection: 'new',
      insecureSkipVerify: false,
      expect: { status: [200] },
      maxBodyBytes: 1,
    },
    intervalMs,
    ...(burstIntervalMs < intervalMs ? { burstIntervalMs } : {}),
    timeoutMs,
  };
}
