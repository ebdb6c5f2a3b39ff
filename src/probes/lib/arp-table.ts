import type { LogMark } from '../../core/sample.ts';
import type { WallMs } from '../../core/time.ts';

/** The MACs, in lower case, that answered for each address. The set is empty if there was no answer. */
export type ArpAnswers = ReadonlyMap<string, ReadonlySet<string>>;

/** What a round of requests shows about a node and the shared address. */
export type ArpView =
  { readonly state: 'answers' | 'silent' } | { readonly state: 'unknown'; readonly why: string };

// iputils: `Unicast reply from 198.18.2.100 [02:42:C6:12:02:0B]  0.562ms`.
const reply = /^(?:Unicast|Broadcast) reply from (\S+) \[([0-9A-Fa-f:]+)\]/;
/** A run that sent no request (interface down, no such device) prints no such line, or a 0 in it. */
const sent = /^Sent [1-9]\d* probes/;

/**
 * Parses the output of one run of iputils' arping for each address, with their lines in any order. Undefined
 * if a run sent no request, because a missing answer then proves nothing.
 */
export function readAnswers(output: string, addresses: readonly string[]): ArpAnswers | undefined {
  const lines = output.split('\n');
  if (lines.filter((line) => sent.test(line)).length < addresses.length) return undefined;
  const answers = new Map(addresses.map((address) => [address, new Set<string>()]));
  for (const line of lines) {
    const [, address = '', mac = ''] = reply.exec(line) ?? [];
    answers.get(address)?.add(mac.toLowerCase());
  }
  return answers;
}

// RFC 9568, 7.3 (VRRP, and CARP), RFC 2281, 5.3 and HSRP version 2.
const virtualMac = /^00:00:(?:5e:00:0[12]|0c:07:ac|0c:9f:f[0-9a-f]):/i;

/** Whether a MAC belongs to a virtual router. Each of its routers answers with it while it is master. */
export function isVirtualMac(mac: string): boolean {
  return virtualMac.test(mac);
}

/** Maps MACs to nodes, and interprets the answers for a shared address. */
export class ArpTable {
  readonly #shared: string;
  readonly #seenFrom: string;
  readonly #given = new Map<string, ReadonlySet<string>>();
  /** By a node's own address. Empty until it has answered. */
  readonly #learned = new Map<string, ReadonlySet<string>>();
  #strangers: ReadonlySet<string> = new Set();
  readonly #marks: LogMark[] = [];

  /**
   * For an address that one of the nodes should answer for. `seenFrom`: the name of the host that sends the
   * requests.
   */
  constructor(shared: string, seenFrom: string) {
    this.#shared = shared;
    this.#seenFrom = seenFrom;
  }

  /** Adds a node by its own address. Without a given MAC, the table learns it from that address. */
  addNode(address: string, mac: string | undefined): void {
    if (!this.#learned.has(address)) this.#learned.set(address, new Set());
    if (mac !== undefined) this.#given.set(address, new Set([mac.toLowerCase()]));
  }

  /** All addresses to request. */
  addresses(): string[] {
    return [this.#shared, ...this.#learned.keys()];
  }

  /** Processes a round of answers. `wallMs`: the time of the requests. */
  take(answers: ArpAnswers, wallMs: WallMs): void {
    for (const node of this.#learned.keys()) {
      const macs = new Set([...(answers.get(node) ?? [])].filter((mac) => !isVirtualMac(mac)));
      // A node may come back with another MAC. While it is silent, it keeps the last one.
      if (macs.size > 0) this.#learned.set(node, macs);
    }
    const nodes = [...this.#learned.keys()].map((node) => this.#macsOf(node));
    // While a node's MAC is unknown, any other MAC may belong to it.
    if (nodes.some((macs) => macs.size === 0)) return;
    const strangers = new Set(
      this.#answering(answers).filter((mac) => !isVirtualMac(mac) && nodes.every((macs) => !macs.has(mac))),
    );
    for (const mac of strangers) {
      if (this.#strangers.has(mac)) continue;
      const text = `${this.#shared} is answered by ${mac}, which does not belong to ${[...this.#learned.keys()].join(', ')}`;
      // The mark belongs to no node, whichever instance of the probe reports it, so its host is the
      // requesting one.
      this.#marks.push({ name: 'stranger', wallMs, text, host: this.#seenFrom, value: mac });
    }
    this.#strangers = strangers;
  }

  /** What a round, after `take`, shows about a node. */
  view(node: string, answers: ArpAnswers): ArpView {
    const answering = this.#answering(answers);
    if (answering.length === 0) {
      if ([...answers.values()].some((macs) => macs.size > 0)) return { state: 'silent' };
      return {
        state: 'unknown',
        why: `no ARP reply for ${this.addresses().join(', ')}: the path to this segment may be cut`,
      };
    }
    const own = this.#macsOf(node);
    const sure = answering.filter((mac) => !isVirtualMac(mac) && this.#ownersOf(mac).length <= 1);
    if (sure.some((mac) => own.has(mac))) return { state: 'answers' };
    const ambiguous = answering.find((mac) => isVirtualMac(mac) || own.has(mac));
    if (ambiguous !== undefined) return { state: 'unknown', why: this.#ambiguousText(ambiguous) };
    const others = [...this.#learned.keys()]
      .filter((other) => other !== node)
      .map((other) => this.#macsOf(other));
    if (own.size > 0 || answering.every((mac) => others.some((macs) => macs.has(mac))))
      return { state: 'silent' };
    const why = `${this.#shared} is answered by ${answering.join(', ')}, but the MAC of ${node} is unknown: it has never answered`;
    return { state: 'unknown', why };
  }

  /** The marks since the last call. */
  takeMarks(): LogMark[] {
    return this.#marks.splice(0);
  }

  #answering(answers: ArpAnswers): string[] {
    return [...(answers.get(this.#shared) ?? [])];
  }

  #ownersOf(mac: string): string[] {
    return [...this.#learned.keys()].filter((node) => this.#macsOf(node).has(mac));
  }

  #ambiguousText(mac: string): string {
    const answer = `${this.#shared} is answered by ${mac}`;
    return isVirtualMac(mac)
      ? `${answer}, a virtual router MAC: ARP cannot show which node uses it; use a probe of kind vrrp or vip-claim`
      : `${answer}, which also answers for ${this.#ownersOf(mac).join(', ')}: ARP cannot show which of these nodes it is`;
  }

  #macsOf(node: string): ReadonlySet<string> {
    return this.#given.get(node) ?? this.#learned.get(node) ?? new Set();
  }
}
