import { expect } from 'vitest';
import type { Bench } from '../../firedrill.ts';
import { checkedDrill } from '../../packets/lib/drill-truth.ts';
import { onceMoreIfStarved } from '../../starvation.ts';
import { parallelCapture } from '../../packets/lib/prober-capture.ts';
import {
  advertFaults,
  answerFaults,
  claimFaults,
  readPackets,
  shifted,
  startCapture,
  type Stations,
} from './packet-truth.ts';

/** A stack with a virtual address, and the addresses that identify its nodes in packets. */
export interface VipStack {
  readonly bench: Bench;
  /** Container with a view of the network. */
  readonly vantage: string;
  readonly vip: string;
  readonly stations: Stations;
  /** A master without an advert for this time counts as silent, ms. */
  readonly silentAfterMs: number;
}

/**
 * Runs a drill in parallel with two packet captures, and expects a pass. The ownership in its report must match the packets
 * at the vantage, for each side. Its outages must match the packets at the prober. The same packets with a time shift must
 * disagree, which proves that the comparison can fail.
 */
export async function expectPacketsAgree(stack: VipStack, scenario: string): Promise<void> {
  const { bench, vantage, vip, stations, silentAfterMs } = stack;
  const { exitCode, all, atProber, packets } = await onceMoreIfStarved(bench.out, async () => {
    const capture = await startCapture(vantage);
    const drill = await parallelCapture(vip, async () => bench.start('run', scenario, '--out', bench.out));
    const seen = readPackets(await capture.stop(), vip, stations);
    const { exitCode, all } = drill.result;
    return { exitCode, all, atProber: drill.packets, packets: seen };
  });
  const { ownership } = bench.summary();
  // Disagreements of the summary and the packets, one sentence each, by side.
  const disagreements = (of: typeof packets): Record<string, string[]> => ({
    advertised: advertFaults(ownership, of, silentAfterMs),
    answered: answerFaults(ownership, of),
    claimed: claimFaults(ownership, of),
  });
  expect(exitCode, all).toBe(0);
  expect(disagreements(packets)).toEqual({ advertised: [], answered: [], claimed: [] });
  for (const found of Object.values(disagreements(shifted(packets, 8000)))) expect(found).not.toEqual([]);
  const { truth, shifted: late } = checkedDrill(bench, atProber);
  expect(truth.faults).toEqual([]);
  // Without an outage, shifted packets cannot disagree.
  if (truth.windows.length > 0) expect(late.faults).not.toEqual([]);
}

/** The station of a VM node: the address and MAC from Docker. */
export function stationOf(ip: string, mac: string): Stations[string] {
  return { ip, mac: mac.trim().toLowerCase() };
}
