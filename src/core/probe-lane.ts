/**
 * A thread of the prober: `network` runs the probes that only use sockets, `host` runs those with commands.
 */
export type ProbeLane = 'network' | 'host';

/**
 * Kinds of probes that only use sockets. The probe catalog has the same flag for each kind; the log does not.
 */
const networkKinds: ReadonlySet<string> = new Set([
  'dns',
  'haproxy-stats',
  'http',
  'sql',
  'tcp',
  'tcp-session',
]);

/** The thread that runs probes of a kind. */
export function laneOf(kind: string): ProbeLane {
  return networkKinds.has(kind) ? 'network' : 'host';
}
