import { expect } from 'vitest';
import type { Bench } from '../../firedrill.ts';
import { checkedDrill } from '../../packets/lib/drill-truth.ts';
import { onceMoreIfStarved } from '../../starvation.ts';
import { besideCapture } from '../../packets/lib/prober-capture.ts';
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

/**
 * Runs a drill beside two packet captures: it has to pass. The ownership in its report has to be what the packets at the
 * vantage show, from each side, and its outages what those at the prober's own place do. The same packets some time late
 * may agree with nothing: the comparison can fail.
 */
export async function expectPacketsAgree(stack: VipStack, scenario: string): Promise<void> {
  const { bench, vantage, vip, stations, silentAfterMs } = stack;
  const { exitCode, all, atProber, packets } = await onceMoreIfStarved(bench.out, async () => {
    const capture = await startCapture(vantage);
    const drill = await besideCapture(vip, async () => bench.start('run', scenario, '--out', bench.out));
    const seen = readPackets(await capture.stop(), vip, stations);
    const { exitCode, all } = drill.result;
    return { exitCode, all, atProber: drill.packets, packets: seen };
  });
  const { ownership } = bench.summary();
  // Sentences on where the summary and the packets disagree, by side.
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
  // A drill without an outage has none at any time.
  if (truth.windows.length > 0) expect(late.faults).not.toEqual([]);
}

/** The stations of a stack's nodes that are VMs: the address and MAC that Docker gave them. */
export function stationOf(ip: string, mac: string): Stations[string] {
  return { ip, mac: mac.trim().toLowerCase() };
}
