import { expect, test } from 'vitest';
import type { RunLog } from '../../../src/analysis/run-log.ts';
import { LogBuilder, planWith, probeOf } from '../../../src/analysis/testing/log-builder.ts';
import { connectionsTo } from './connections.ts';
import { attemptsIn } from './attempts.ts';
import { type Outage, outagesIn } from './outages.ts';
import { readPcap } from './pcap.ts';
import {
  conversation,
  madeClient,
  madePcap,
  madeServer,
  type MadeSegment,
  tlsRecord,
} from './testing/made-capture.ts';
import { windowTruth } from './window-truth.ts';

const intervalMs = 100;
const lastMs = 20_000;
const timeoutMs = 900;
/** Answer times after a hang: `before` for requests from 10.0 to 10.1 s, `after` for requests from 14.2 to 15.0 s. Requests in between get no answer. */
const answersMs = { before: 10_850, after: 15_050 };
/** Time from the server's handshake to these answers. */
const handshakeAheadMs = 50;

function answeredMs(sentMs: number): number | undefined {
  if (sentMs < 10_000 || sentMs > 15_000) return sentMs + 8;
  if (sentMs <= 10_100) return answersMs.before;
  return sentMs < 14_200 ? undefined : answersMs.after;
}

/** A drill log of a service that answers at these times. */
function drill(of: (sentMs: number) => number | undefined): RunLog {
  const recovery = { probe: 'health', withinMs: 60_000, stableForMs: 3000 };
  const probes = [probeOf('health', { burstIntervalMs: intervalMs })];
  return new LogBuilder(planWith({ probes, recovery }))
    .at(0, { type: 'rate.changed', burst: true })
    .probing(
      'health',
      0,
      lastMs,
      () => intervalMs,
      (ms) => {
        const finishMs = of(ms);
        return finishMs === undefined
          ? { status: 'fail', cause: 'timeout', finishMs: ms + timeoutMs }
          : { status: 'ok', finishMs };
      },
    )
    .fault(9900)
    .at(18_500, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(lastMs, { type: 'run.ended' })
    .read();
}

/** The packets of one attempt over TLS 1.3, where session tickets precede the answer. */
function packetsOf(port: number, atMs: number, tookMs: number | undefined): readonly MadeSegment[] {
  const hello = [0.5, '>', tlsRecord(22, 200)] as const;
  if (tookMs === undefined) return conversation(port, atMs, [hello, [timeoutMs - 1, '>', 'FIN']]);
  const handshakeMs = Math.max(1, tookMs - handshakeAheadMs);
  return conversation(port, atMs, [
    hello,
    [handshakeMs, '<', Buffer.concat([tlsRecord(22, 90), tlsRecord(23, 600)])],
    [handshakeMs + 1, '>', Buffer.concat([tlsRecord(23, 69), tlsRecord(23, 113)])],
    [handshakeMs + 2, '<', Buffer.concat([tlsRecord(23, 282), tlsRecord(23, 282)])],
    [tookMs - 0.5, '<', Buffer.concat([tlsRecord(23, 179), tlsRecord(23, 19)])],
    [tookMs - 0.4, '<', 'FIN'],
  ]);
}

/** The outages in that service's packets. */
function outagesOf({ anchors: [{ wallMs, t }] }: RunLog): readonly Outage[] {
  const segments = Array.from({ length: lastMs / intervalMs }, (_, index) => {
    const sentMs = index * intervalMs;
    const answerMs = answeredMs(sentMs);
    const tookMs = answerMs === undefined ? undefined : answerMs - sentMs;
    return packetsOf(40_000 + index, wallMs - t + sentMs + 0.2, tookMs);
  }).flat();
  const pcap = madePcap([...segments].sort((a, b) => a.atMs - b.atMs));
  const limits = { timeoutMs, untilMs: wallMs - t + lastMs };
  const connections = connectionsTo(madeServer, madeClient, readPcap(pcap));
  return outagesIn(attemptsIn(connections, { protocol: 'tls' }, limits));
}

test('packets with held answers agree with a log of the same answers', () => {
  const log = drill(answeredMs);
  const { faults, windows } = windowTruth(log, outagesOf(log));
  expect(faults).toEqual([]);
  expect(windows).toMatchObject([{ start: { loMs: 9900 }, end: { hiMs: 15_050 } }]);
  expect(windows[0]?.start.byPacketsMs).toBeCloseTo(9907.7, 1);
  expect(windows[0]?.end.byPacketsMs).toBeCloseTo(15_049.7, 1);
});

test.each<[string, (sentMs: number) => number | undefined, RegExp]>([
  [
    'an end at the handshake',
    (ms) => (ms >= 14_200 && ms < 15_000 ? answersMs.after - handshakeAheadMs : answeredMs(ms)),
    /^window .*: end at 15\.000 s, by packets at 15\.050 s: not within /,
  ],
  [
    'an end too late',
    (ms) => (ms >= 14_200 && ms <= 15_200 ? undefined : answeredMs(ms)),
    /^window .*: end at .*, by packets at 15\.050 s: not within 15\.200 s to /,
  ],
  [
    'a start after a held answer',
    (ms) => (ms >= 10_000 && ms <= 10_100 ? ms + 8 : answeredMs(ms)),
    /^window .*: start at .*, by packets at 9\.908 s: not within 10\.100 s to /,
  ],
  [
    'a start too early',
    (ms) => (ms >= 9700 && ms < 10_000 ? undefined : answeredMs(ms)),
    /^window .*: start at .*, by packets at 9\.908 s: more than 100 ms apart/,
  ],
])('they disagree with a log of other answers: %s', (_, of, fault) => {
  const log = drill(of);
  expect(windowTruth(log, outagesOf(log)).faults).toContainEqual(expect.stringMatching(fault));
});
