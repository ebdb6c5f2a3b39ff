/**
 * Where a new stack runs, which decides how commands reach its hosts. `containers` means plain containers or Compose services on
 * this machine: each is a host, and commands run on this machine. `docker` means containers that are managed like machines, with
 * systemd in them: commands run in the container.
 */
export const transports = ['ssh', 'containers', 'docker', 'local'] as const;
type StackTransport = (typeof transports)[number];

/** A fault that `init` can write, and the details that it needs. */
export interface FaultTemplate {
  readonly kind: string;
  /** Details that the fault requires; each is an option of its own. */
  readonly asks: readonly FaultDetail[];
  /** Details that the fault accepts. */
  readonly mayAsk?: readonly FaultDetail[];
  /** Transports that the fault works with; all by default. */
  readonly transports?: readonly StackTransport[];
  /** Least number of hosts; 1 by default. */
  readonly hosts?: number;
  /** The fault's rules need the hosts' IP addresses; host names do not work. */
  readonly numbers?: true;
}

/** What the fault acts on. */
export type FaultDetail = 'unit' | 'container' | 'process';

/** Transports whose hosts may run systemd. */
const withSystemd = ['ssh', 'docker', 'local'] as const;
/** Transports whose hosts may run a Docker engine. */
const withEngine = ['ssh', 'containers', 'local'] as const;

/** The faults that `init` offers for a first scenario. A scenario can have any other kind. */
export const faultTemplates: readonly FaultTemplate[] = [
  { kind: 'service.stop', asks: ['unit'], transports: withSystemd },
  { kind: 'service.restart', asks: ['unit'], transports: withSystemd },
  { kind: 'process.kill', asks: ['process'], mayAsk: ['container', 'unit'] },
  { kind: 'container.stop', asks: ['container'], transports: withEngine },
  { kind: 'container.kill', asks: ['container'], transports: withEngine },
  { kind: 'container.restart', asks: ['container'], transports: withEngine },
  { kind: 'container.pause', asks: ['container'], transports: withEngine },
  { kind: 'power.cut', asks: [], transports: ['docker'] },
  { kind: 'network.partition', asks: [], transports: ['ssh', 'docker'], hosts: 2, numbers: true },
];

/**
 * The details of a fault on hosts of this transport. For `containers`, the host's name is that of the container. In a container
 * that is a host itself, no engine runs.
 */
export function detailsOf(
  { asks, mayAsk = [] }: FaultTemplate,
  transport: string,
): { readonly required: readonly FaultDetail[]; readonly optional: readonly FaultDetail[] } {
  const fits = (detail: FaultDetail): boolean =>
    !(detail === 'container' && (transport === 'containers' || transport === 'docker')) &&
    !(detail === 'unit' && transport === 'containers');
  return { required: asks.filter(fits), optional: mayAsk.filter(fits) };
}

/** The fault of a first scenario if none is named. A lone container has no partner, so only its restart policy can recover it. */
export function defaultFault(transport: string, hosts: number): string {
  if (transport !== 'containers') return 'service.stop';
  return hosts > 1 ? 'container.kill' : 'process.kill';
}

/** What `init` knows about a stack. */
export interface Stack {
  /** Name of the target. */
  readonly name: string;
  readonly transport: StackTransport;
  /** The hosts. Those of `containers` have no address. */
  readonly hosts: readonly { readonly name: string; readonly address?: string }[];
  /** URL or DSN that clients use: http, https, postgresql, or tcp. The outage is what clients see of it. */
  readonly url: string;
  /** Environment variable that holds the password of a postgresql URL. */
  readonly passwordEnv?: string;
  /** A virtual address that one host holds at a time. */
  readonly vip: string | undefined;
  readonly fault: { readonly kind: string } & Partial<Readonly<Record<FaultDetail, string>>>;
}
