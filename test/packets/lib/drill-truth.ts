import { join } from 'node:path';
import type { RunLog } from '../../../src/analysis/run-log.ts';
import { recoverySeries } from '../../../src/analysis/rto.ts';
import { readLogFile } from '../../../src/cli/run-folder.ts';
import type { Bench } from '../../firedrill.ts';
import { connectionsTo } from './connections.ts';
import { attemptsIn } from './attempts.ts';
import { outagesIn } from './outages.ts';
import { questionOf } from './probe-question.ts';
import type { ProberPackets } from './prober-capture.ts';
import { type DrillTruth, windowTruth } from './window-truth.ts';

/** With this time shift, the packets must disagree with every window at a burst rate, ms. */
const shiftMs = 400;

/** A drill's outages compared with a parallel capture, and with the same packets shifted in time. */
export interface CheckedDrill {
  readonly truth: DrillTruth;
  /** Must have disagreements, which proves that the comparison can fail. */
  readonly shifted: DrillTruth;
}

/** Compares a bench's latest run with the packets of a parallel capture; see `windowTruth`. */
export function checkedDrill(bench: Bench, packets: ProberPackets): CheckedDrill {
  const log = readLogFile(join(bench.runFolder(), 'events.ndjson'));
  return { truth: truthOf(log, packets, 0), shifted: truthOf(log, packets, shiftMs) };
}

function truthOf(log: RunLog, { client, segments, untilMs }: ProberPackets, lateMs: number): DrillTruth {
  const { server, question, timeoutMs } = questionOf(recoverySeries(log).probe);
  const attempts = attemptsIn(connectionsTo(server, client, segments), question, { timeoutMs, untilMs });
  const outages = outagesIn(attempts).map((outage) => ({
    ...outage,
    fromMs: outage.fromMs + lateMs,
    downByMs: outage.downByMs + lateMs,
    toMs: outage.toMs + lateMs,
    firstBadMs: outage.firstBadMs + lateMs,
    lastBadMs: outage.lastBadMs + lateMs,
  }));
  return windowTruth(log, outages);
}
