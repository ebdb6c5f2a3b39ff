import { messageOf } from '../../core/errors.ts';
import type { Host } from '../../core/host.ts';
import type { ProbeContext } from '../../core/probe.ts';
import { shorten } from '../../core/shorten.ts';
import type { RunMs } from '../../core/time.ts';
import { ArpTable, readAnswers, type ArpAnswers } from './arp-table.ts';
import { preflightTimeoutMs, requireIputils } from './iputils.ts';

/** The result of a round of requests: the answers, or why they are unknown. */
export type ArpRound =
  { readonly ok: true; readonly answers: ArpAnswers } | { readonly ok: false; readonly why: string };

/** A segment that one probe instance uses. */
export interface SegmentUse {
  readonly table: ArpTable;
  /**
   * Requests the shared address and the nodes' own addresses at once. Calls at the same moment share one
   * round. Never rejects.
   */
  ask(signal: AbortSignal): Promise<ArpRound>;
  close(): void;
}

/** Where to send requests, and for which address. */
export interface Segment {
  readonly host: Host;
  readonly interface: string;
  /** The address that one of the nodes should answer for. */
  readonly address: string;
}

/** Time that requests run, ms. An answer takes about 1 ms, and longer from a machine under load. */
const answersWithinMs = 250;
/** Attempts of one slot of the schedule start within a few milliseconds of each other. */
const sameMomentMs = 100;
/**
 * Added to the timeout for the host's own limit, which applies only if the signal does not end the attempt
 * first.
 */
const hostGraceMs = 1000;

// With a request count, arping stops after as many answers, so it would report only one of two masters. Its
// time limit has whole seconds only. So arping runs without a limit, and `timeout` ends it. `-b` keeps it on
// broadcast: otherwise it would continue by unicast to the first node that answers.
const script = `
wait=$1 interface=$2; shift 2
for address; do LC_ALL=C timeout "$wait" arping -b -I "$interface" "$address" & done
wait`;

const segments = new WeakMap<Host, Map<string, SharedSegment>>();

/**
 * Joins the other instances that request the same address on the same segment.
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
  #latest: { readonly startMs: RunMs; readonly round: Promise<ArpRound> } | undefined;

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
    // At least half of the timeout is for the connection to the host.
    const wait = (Math.min(answersWithinMs, ctx.timeoutMs / 2) / 1000).toFixed(3);
    try {
      const argv = ['sh', '-c', script, 'arp', wait, name, ...addresses];
      const { stdout, stderr } = await host.exec(argv, {
        timeoutMs: ctx.timeoutMs + hostGraceMs,
        signal,
        attempt: true,
      });
      const answers = readAnswers(stdout, addresses);
      if (answers === undefined) {
        return {
          ok: false,
          why: shorten(`arping on ${host.name} sent no request: ${stderr.trim() || stdout.trim()}`),
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
