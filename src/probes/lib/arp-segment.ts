import { messageOf } from '../../core/errors.ts';
import type { Host } from '../../core/host.ts';
import type { ProbeContext } from '../../core/probe.ts';
import { shorten } from '../../core/shorten.ts';
import { ArpTable, readAnswers, type ArpAnswers } from './arp-table.ts';
import { preflightTimeoutMs, requireIputils } from './iputils.ts';

/** A round of requests: who answered, or why it says nothing. */
export type ArpRound =
  { readonly ok: true; readonly answers: ArpAnswers } | { readonly ok: false; readonly why: string };

/** A segment in use by one probe instance. */
export interface SegmentUse {
  readonly table: ArpTable;
  /** Asks for the shared address and the nodes' own at once. Whoever asks at the same moment shares the answers. Never rejects. */
  ask(signal: AbortSignal): Promise<ArpRound>;
  close(): void;
}

/** Where to ask for what. */
export interface Segment {
  readonly host: Host;
  readonly interface: string;
  /** The address that one of the nodes should answer for. */
  readonly address: string;
}

/** Answers take a millisecond, of a machine under load some more. */
const answersWithinMs = 250;
/** Looks of one slot begin within a few milliseconds of each other. */
const sameMomentMs = 100;
/** The signal ends a look; the host's own limit is only there for when nobody aborts. */
const hostGraceMs = 1000;

// arping stops at as many answers as it was told to send requests, and knows no time below a second: of two masters it
// would see one. So it is asked to go on, by broadcast (it would turn to the first who answers), and is ended from outside.
const script = `
wait=$1 interface=$2; shift 2
for address; do LC_ALL=C timeout "$wait" arping -b -I "$interface" "$address" & done
wait`;

const segments = new WeakMap<Host, Map<string, SharedSegment>>();

/**
 * Asks on a segment together with the other instances that ask there for the same address.
 * @throws DrillError `invalid-input` where the host has no arping, or another program of that name
 */
export async function useSegment(segment: Segment, ctx: ProbeContext): Promise<SegmentUse> {
  const { host } = segment;
  const ofHost = segments.get(host) ?? new Map<string, SharedSegment>();
  segments.set(host, ofHost);
  const key = `${segment.interface} ${segment.address}`;
  if (!ofHost.has(key)) await requireIputils(host, 'arping', AbortSignal.timeout(preflightTimeoutMs));
  const shared = ofHost.get(key) ?? new SharedSegment(segment);
  ofHost.set(key, shared);
  shared.users++;
  return {
    table: shared.table,
    ask: (signal) => shared.ask(ctx, signal),
    close: () => {
      shared.users--;
      if (shared.users === 0) ofHost.delete(key);
    },
  };
}

class SharedSegment {
  readonly table: ArpTable;
  users = 0;
  readonly #segment: Segment;
  #latest: { readonly startMs: number; readonly round: Promise<ArpRound> } | undefined;

  constructor(segment: Segment) {
    this.#segment = segment;
    this.table = new ArpTable(segment.address, segment.host.name);
  }

  async ask(ctx: ProbeContext, signal: AbortSignal): Promise<ArpRound> {
    const startMs = ctx.clock.nowMs();
    if (this.#latest === undefined || startMs - this.#latest.startMs > sameMomentMs) {
      this.#latest = { startMs, round: this.#ask(ctx, signal) };
    }
    return this.#latest.round;
  }

  async #ask(ctx: ProbeContext, signal: AbortSignal): Promise<ArpRound> {
    const { host, interface: name } = this.#segment;
    const addresses = this.table.addresses();
    const wallMs = ctx.clock.wallMs();
    // At least half of the time-out is for getting there.
    const wait = (Math.min(answersWithinMs, ctx.timeoutMs / 2) / 1000).toFixed(3);
    try {
      const argv = ['sh', '-c', script, 'arp', wait, name, ...addresses];
      const { stdout, stderr } = await host.exec(argv, {
        timeoutMs: ctx.timeoutMs + hostGraceMs,
        signal,
        look: true,
      });
      const answers = readAnswers(stdout, addresses);
      if (answers === undefined) {
        return {
          ok: false,
          why: shorten(`arping on ${host.name} sent nothing: ${stderr.trim() || stdout.trim()}`),
        };
      }
      this.table.take(answers, wallMs);
      return { ok: true, answers };
    } catch (error) {
      const why: unknown = signal.aborted ? signal.reason : error;
      return { ok: false, why: shorten(`arping on ${host.name}: ${messageOf(why)}`) };
    }
  }
}
