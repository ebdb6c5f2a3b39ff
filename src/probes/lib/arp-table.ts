import type { LogMark } from '../../core/sample.ts';

/** Who answered for which address, MACs in lower case; an address that nobody answered for has an empty set. */
export type ArpAnswers = ReadonlyMap<string, ReadonlySet<string>>;

/** What a round of requests says of a node and the shared address. */
export type ArpView =
  { readonly state: 'answers' | 'silent' } | { readonly state: 'unknown'; readonly why: string };

// iputils: `Unicast reply from 198.18.2.100 [02:42:C6:12:02:0B]  0.562ms`.
const reply = /^(?:Unicast|Broadcast) reply from (\S+) \[([0-9A-Fa-f:]+)\]/;
/** A run that sent nothing (interface down, no such device) does not say so, or with a 0. */
const sent = /^Sent [1-9]\d* probes/;

/**
 * Reads what one run of iputils' arping for each address wrote, their lines in any order. undefined when not all of
 * them sent a request: then silence means nothing.
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

/** Whether a MAC is that of a virtual router: any of its routers answers with it while it is master. */
export function isVirtualMac(mac: string): boolean {
  return virtualMac.test(mac);
}

/** Which MACs belong to which node, and what answers for a shared address mean then. */
export class ArpTable {
  readonly #shared: string;
  readonly #seenFrom: string;
  readonly #given = new Map<string, ReadonlySet<string>>();
  /** By a node's own address; empty while it never answered. */
  readonly #learned = new Map<string, ReadonlySet<string>>();
  #strangers: ReadonlySet<string> = new Set();
  readonly #marks: LogMark[] = [];

  /** For an address that one of the nodes should answer for, asked from a host of this name. */
  constructor(shared: string, seenFrom: string) {
    this.#shared = shared;
    this.#seenFrom = seenFrom;
  }

  /** A node, by its own address; its MAC is learned there where it is not given. */
  addNode(address: string, mac: string | undefined): void {
    if (!this.#learned.has(address)) this.#learned.set(address, new Set());
    if (mac !== undefined) this.#given.set(address, new Set([mac.toLowerCase()]));
  }

  /** All addresses to ask for. */
  addresses(): string[] {
    return [this.#shared, ...this.#learned.keys()];
  }

  /** Takes in a round of answers, asked for at that time. */
  take(answers: ArpAnswers, wallMs: number): void {
    for (const node of this.#learned.keys()) {
      const macs = new Set([...(answers.get(node) ?? [])].filter((mac) => !isVirtualMac(mac)));
      // A node may come back with another MAC; while it is silent it keeps the last one.
      if (macs.size > 0) this.#learned.set(node, macs);
    }
    const nodes = [...this.#learned.keys()].map((node) => this.#macsOf(node));
    // As long as a node's MAC is not known, an unknown one may be its.
    if (nodes.some((macs) => macs.size === 0)) return;
    const strangers = new Set(
      this.#answering(answers).filter((mac) => !isVirtualMac(mac) && nodes.every((macs) => !macs.has(mac))),
    );
    for (const mac of strangers) {
      if (this.#strangers.has(mac)) continue;
      const text = `${this.#shared} is answered by ${mac}, which is none of ${[...this.#learned.keys()].join(', ')}`;
      // It is none of the nodes, whichever instance of the probe hands it on.
      this.#marks.push({ name: 'stranger', wallMs, text, host: this.#seenFrom, value: mac });
    }
    this.#strangers = strangers;
  }

  /** What a round that was taken in says of a node. */
  view(node: string, answers: ArpAnswers): ArpView {
    const answering = this.#answering(answers);
    if (answering.length === 0) {
      if ([...answers.values()].some((macs) => macs.size > 0)) return { state: 'silent' };
      return {
        state: 'unknown',
        why: `nobody answers for ${this.addresses().join(', ')}: the way there may be cut`,
      };
    }
    const own = this.#macsOf(node);
    const sure = answering.filter((mac) => !isVirtualMac(mac) && this.#ownersOf(mac).length <= 1);
    if (sure.some((mac) => own.has(mac))) return { state: 'answers' };
    const ambiguous = answering.find((mac) => isVirtualMac(mac) || own.has(mac));
    if (ambiguous !== undefined) return { state: 'unknown', why: this.#ambiguousWords(ambiguous) };
    const others = [...this.#learned.keys()]
      .filter((other) => other !== node)
      .map((other) => this.#macsOf(other));
    if (own.size > 0 || answering.every((mac) => others.some((macs) => macs.has(mac))))
      return { state: 'silent' };
    const why = `${this.#shared} is answered by ${answering.join(', ')}; the MAC of ${node}, which never answered, is not known`;
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

  #ambiguousWords(mac: string): string {
    const answer = `${this.#shared} is answered by ${mac}`;
    return isVirtualMac(mac)
      ? `${answer}, the virtual MAC of a router: ARP cannot show which node has it; use a probe of kind vrrp or vip-claim`
      : `${answer}, which answers for ${this.#ownersOf(mac).join(', ')}: ARP cannot show which of them it is`;
  }

  #macsOf(node: string): ReadonlySet<string> {
    return this.#given.get(node) ?? this.#learned.get(node) ?? new Set();
  }
}
