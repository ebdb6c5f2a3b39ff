/** How commands reach the hosts of a new target. */
export const transports = ['ssh', 'docker', 'local'] as const;

/** A fault that `init` can write, and what it asks of it. */
export interface FaultTemplate {
  readonly kind: string;
  /** What has to be said besides the kind; each is an option of its own. */
  readonly asks: readonly FaultDetail[];
  /** What may be said. */
  readonly mayAsk?: readonly FaultDetail[];
  /** Which transports it works with; all of them by default. */
  readonly transports?: readonly (typeof transports)[number][];
  /** How many hosts it needs; one by default. */
  readonly hosts?: number;
  /** Its rules take the hosts' addresses as numbers: names will not do. */
  readonly numbers?: true;
}

/** What a fault is done to. */
export type FaultDetail = 'unit' | 'container' | 'process';

/** The faults that a first scenario can have; all others are a line in the scenario away. */
export const faultTemplates: readonly FaultTemplate[] = [
  { kind: 'service.stop', asks: ['unit'] },
  { kind: 'service.restart', asks: ['unit'] },
  { kind: 'process.kill', asks: ['process'], mayAsk: ['container', 'unit'] },
  { kind: 'container.stop', asks: ['container'] },
  { kind: 'container.kill', asks: ['container'] },
  { kind: 'container.restart', asks: ['container'] },
  { kind: 'container.pause', asks: ['container'] },
  { kind: 'power.cut', asks: [], transports: ['docker'] },
  { kind: 'network.partition', asks: [], transports: ['ssh', 'docker'], hosts: 2, numbers: true },
];

/** What somebody said of their stack. */
export interface Stack {
  /** Name of the target. */
  readonly name: string;
  readonly transport: (typeof transports)[number];
  readonly hosts: readonly { readonly name: string; readonly address: string }[];
  /** What clients ask: the outage is what they see of it. */
  readonly url: string;
  /** An address that one host holds at a time. */
  readonly vip: string | undefined;
  readonly fault: { readonly kind: string } & Partial<Readonly<Record<FaultDetail, string>>>;
}
