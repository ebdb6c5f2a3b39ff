/** A thread of the prober: `network` has the probes that talk to sockets only, `host` those that run commands. */
export type ProbeLane = 'network' | 'host';

/** Kinds of probes that talk to sockets only. The catalog of probes says the same of each kind; the log does not. */
const networkKinds: ReadonlySet<string> = new Set([
  'dns',
  'haproxy-stats',
  'http',
  'sql',
  'tcp',
  'tcp-session',
]);

/** The thread in which probes of a kind run. */
export function laneOf(kind: string): ProbeLane {
  return networkKinds.has(kind) ? 'network' : 'host';
}
