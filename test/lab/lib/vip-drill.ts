import type { Bench } from '../../firedrill.ts';
import {
  advertFaults,
  answerFaults,
  claimFaults,
  readPackets,
  shifted,
  startCapture,
  type Stations,
} from './packet-truth.ts';

/** A stack with a virtual address, and how to tell its nodes on the wire. */
export interface VipStack {
  readonly bench: Bench;
  /** Container from which the network is seen. */
  readonly vantage: string;
  readonly vip: string;
  readonly stations: Stations;
  /** A master that sent nothing for so long is called silent, ms. */
  readonly silentAfterMs: number;
}

/** What came of a drill beside a capture: sentences on where the summary and the packets disagree, by side. */
export interface Comparison {
  readonly exitCode: number | undefined;
  readonly all: string;
  readonly disagreements: Readonly<Record<string, readonly string[]>>;
  /** The same for packets that are some seconds late: no side may agree with those. */
  readonly withOtherPackets: Readonly<Record<string, readonly string[]>>;
}

/** Runs a drill beside a packet capture, and holds the ownership in its summary against the packets, side by side. */
export async function drillBesideCapture(stack: VipStack, scenario: string): Promise<Comparison> {
  const { bench, vantage, vip, stations, silentAfterMs } = stack;
  const capture = await startCapture(vantage);
  const { exitCode, all } = await bench.start('run', scenario, '--out', bench.out);
  const packets = readPackets(await capture.stop(), vip, stations);
  const { ownership } = bench.summary();
  const disagreements = (of: typeof packets): Record<string, string[]> => ({
    advertised: advertFaults(ownership, of, silentAfterMs),
    answered: answerFaults(ownership, of),
    claimed: claimFaults(ownership, of),
  });
  return {
    exitCode,
    all: all ?? '',
    disagreements: disagreements(packets),
    withOtherPackets: disagreements(shifted(packets, 8000)),
  };
}

/** The stations of a stack's nodes that are VMs: the address and MAC that Docker gave them. */
export function stationOf(ip: string, mac: string): Stations[string] {
  return { ip, mac: mac.trim().toLowerCase() };
}
