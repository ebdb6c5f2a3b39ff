import { join } from 'node:path';
import type { RunLog } from '../../src/analysis/run-log.ts';
import { readLogFile } from '../../src/cli/run-folder.ts';
import type { ScriptedOutage } from '../fault-server/messages.ts';
import { startFaultServer, type FaultServer } from '../fault-server/start.ts';
import {
  isStalled,
  judge,
  lengthOf,
  type Judged,
  type ReportedWindow,
  type Truth,
  type Verdict,
} from '../judge.ts';
import { monoMs, untilMono } from '../mono.ts';
import { makeNamespace, whyNoNamespace, type Namespace } from '../namespace.ts';
import { peers } from '../peers/catalog.ts';
import type { PeerTarget, PeerWord } from '../peers/peer.ts';
import { httpProbe } from '../prober/plan.ts';
import { startBenchProber, type BenchProber } from '../prober/start.ts';
import { blackHoleShapes, loopbackShapes, scriptTrack } from '../script.ts';
import { firedrillWindows } from '../reported.ts';
import type { BenchContext } from './part.ts';

/** A port of a fault server, and its script. */
interface Track {
  readonly url: string;
  readonly host: string;
  readonly server: FaultServer;
  readonly outages: readonly ScriptedOutage[];
  /** Peers and the burst probes also use it. */
  readonly shared: boolean;
}

/** The result of one tool over its targets. */
export interface ToolResult {
  readonly tool: string;
  readonly reading: string;
  /** Null: the tool is not available. */
  readonly outages: readonly Judged[] | null;
  /** Windows without an outage. */
  readonly strays: number;
  /** Total reported time divided by total true time. */
  readonly totalRatio: number | null;
}

/** Raw results of the part. */
export interface WindowsResult {
  readonly tools: readonly ToolResult[];
  /** Number of scripted outages, and of those that are not judged because the server itself was stalled at an edge. */
  readonly scripted: number;
  readonly voided: number;
  /** Largest uncertainty of a true edge, ms. */
  readonly truthUncertainMs: number;
  /** Why there was no black-hole outage; null if there was one. */
  readonly noBlackHole: string | null;
}

const burstLeadMs = 2000;
const burstTailMs = 2500;
/** A peer's line comes up to this time after its event, ms. */
const peerSlackMs = 1500;

/** Runs all tools at the same time against the same outages. */
export async function runWindows(context: BenchContext): Promise<WindowsResult> {
  const noBlackHole = (await whyNoNamespace()) ?? null;
  const namespaces: Namespace[] = [];
  const servers: FaultServer[] = [];
  try {
    if (noBlackHole === null)
      for (let index = 0; index < 2; index++) namespaces.push(await makeNamespace(index));
    const loopback = await startFaultServer({ host: '127.0.0.1', tracks: context.quick ? 4 : 16 });
    servers.push(loopback);
    for (const { name, address } of namespaces)
      servers.push(await startFaultServer({ host: address, tracks: 1, namespace: name }));
    return { ...(await measure(context, servers)), noBlackHole };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    for (const namespace of namespaces) await namespace.remove();
  }
}

async function measure(
  context: BenchContext,
  servers: readonly FaultServer[],
): Promise<Omit<WindowsResult, 'noBlackHole'>> {
  // Probers and peers need some seconds to start, and a period without outages.
  const fromMs = monoMs() + 15_000;
  const untilMs = fromMs + (context.quick ? 25_000 : 180_000);
  const tracks = servers.flatMap((server, number) =>
    server.ports.map((port, index): Track => {
      const shapes = number === 0 ? loopbackShapes : blackHoleShapes;
      return {
        url: `http://${server.host}:${port}/`,
        host: server.host,
        server,
        outages: scriptTrack(index, shapes, { fromMs, untilMs }, context.seed + number),
        shared: number > 0 || index < 3,
      };
    }),
  );
  const shared = tracks.filter((track) => track.shared);
  const logOf = (name: string): string => join(context.folder, `${name}.ndjson`);
  const steady = await startBenchProber({
    logPath: logOf('steady'),
    probes: tracks.flatMap(({ url }, index) => [
      httpProbe(`${index}-1s`, url, { intervalMs: 1000 }),
      httpProbe(`${index}-100ms`, url, { intervalMs: 100 }),
    ]),
  });
  const bursts = await Promise.all(
    shared.map(({ url }, index) =>
      startBenchProber({
        logPath: logOf(`burst-${index}`),
        probes: [httpProbe('burst', url, { intervalMs: 1000, burstIntervalMs: 50 })],
      }),
    ),
  );
  const asked = await startPeers(context, shared, untilMs + 3000);
  context.report(`${tracks.length} targets, ${tracks.flatMap((t) => t.outages).length} outages`);
  const [truths] = await Promise.all([
    playAll(servers, tracks),
    ...bursts.map((prober, index) => burstAround(shared[index]?.outages ?? [], prober)),
  ]);
  await untilMono(untilMs + 4000);
  const words = await Promise.all(
    asked.map(async (peer) => ({ ...peer, reported: await peer.atWork.stop() })),
  );
  await Promise.all([steady, ...bursts].map((prober) => prober.stop()));

  // Windows before the script are ignored: the start of all tools loads the machine.
  const seenBy = (log: RunLog, probe: string, originMs: number): readonly ReportedWindow[] =>
    firedrillWindows(log, probe, originMs).filter(({ toMs }) => toMs >= fromMs);
  const steadyLog = readLogFile(logOf('steady'));
  const truthAt = (track: Track): Truth => truths.get(track) ?? { outages: [], stalls: [] };
  const reported = (rate: string) =>
    tracks.map((track, index) =>
      judge(truthAt(track), seenBy(steadyLog, `${index}-${rate}`, steady.originMs), 0),
    );
  const burstReported = shared.map((track, index) => {
    const log = readLogFile(logOf(`burst-${index}`));
    return judge(truthAt(track), seenBy(log, 'burst', bursts[index]?.originMs ?? 0), 0);
  });
  const played = [...truths.values()].flatMap((truth) => truth.outages.map((outage) => ({ truth, outage })));
  const uncertain = played.flatMap(({ outage: { start, end } }) => [start, end]);
  return {
    scripted: played.length,
    voided: played.filter(({ truth, outage }) => isStalled(truth, outage)).length,
    truthUncertainMs: Math.max(...uncertain.map(({ loMs, hiMs }) => hiMs - loMs)),
    tools: [
      result('firedrill 1 s', 'its own windows with bounds', reported('1s')),
      result('firedrill 100 ms', 'its own windows with bounds', reported('100ms')),
      result('firedrill 1 s, burst 50 ms', 'its own windows with bounds', burstReported),
      ...words.map(({ peer, targets, reported }) => {
        return peerResult(peer.name, peer.reading, targets.map(truthAt), reported);
      }),
      ...peers
        .filter((peer) => !words.some((word) => word.peer === peer))
        .map((peer) => ({
          tool: peer.name,
          reading: 'absent: not available on this machine',
          outages: null,
          strays: 0,
          totalRatio: null,
        })),
    ],
  };
}

async function startPeers(context: BenchContext, shared: readonly Track[], untilMs: number) {
  const found = peers.filter(
    (peer) =>
      peer.needs.every((name) => context.tools.program(name) !== undefined) &&
      targetsOf(peer.sees, shared).length > 0,
  );
  return Promise.all(
    found.map(async (peer, index) => {
      const targets = targetsOf(peer.sees, shared);
      const atWork = await peer.start(
        targets.map(({ url, host }): PeerTarget => ({ url, host })),
        context.tools,
        { folder: join(context.folder, `peer-${index}`), forMs: untilMs - monoMs() },
      );
      return { peer, targets, atWork };
    }),
  );
}

/** The targets of a tool. A ping only sees outages of the host, not of a server. */
function targetsOf(sees: 'http' | 'ping', tracks: readonly Track[]): readonly Track[] {
  return sees === 'http'
    ? tracks
    : tracks.filter((track) => track.outages.some((o) => o.kind === 'black-hole'));
}

async function playAll(
  servers: readonly FaultServer[],
  tracks: readonly Track[],
): Promise<ReadonlyMap<Track, Truth>> {
  const truths = await Promise.all(
    servers.map((server) =>
      server.play(tracks.filter((track) => track.server === server).flatMap((track) => track.outages)),
    ),
  );
  return new Map(
    tracks.map((track) => {
      const server = servers.indexOf(track.server);
      const index = track.outages[0]?.track;
      const outages = (truths[server] ?? []).filter((outage) => outage.track === index);
      return [track, { outages, stalls: track.server.stalls() }];
    }),
  );
}

/** Switches the burst on around each outage, as a drill does around its fault. */
async function burstAround(outages: readonly ScriptedOutage[], prober: BenchProber): Promise<void> {
  for (const { atMs, lengthMs } of outages) {
    await untilMono(atMs - burstLeadMs);
    prober.setBurst(true);
    await untilMono(atMs + lengthMs + burstTailMs);
    prober.setBurst(false);
  }
}

function result(tool: string, reading: string, verdicts: readonly Verdict[]): ToolResult {
  const outages = verdicts.flatMap((verdict) => verdict.outages);
  return {
    tool,
    reading,
    outages,
    strays: sumOf(verdicts, 'strays'),
    totalRatio: sumOf(outages, 'reportedMs') / sumOf(outages, 'trueMs'),
  };
}

function peerResult(
  tool: string,
  reading: string,
  truths: readonly Truth[],
  reported: readonly PeerWord[],
): ToolResult {
  const verdicts = truths.map((truth, index) => {
    const beginMs = Math.min(...truth.outages.map(({ start }) => start.loMs)) - peerSlackMs;
    const windows = (reported[index]?.windows ?? []).filter(({ toMs }) => toMs >= beginMs);
    return judge(truth, windows, peerSlackMs);
  });
  const all = result(tool, reading, verdicts);
  return {
    ...all,
    outages: reported.some((word) => word.windows === null) ? [] : (all.outages ?? []),
    // Totals have no single outages, so they are compared with all outages.
    totalRatio:
      sumOf(reported, 'totalMs') /
      sumOf(
        truths.flatMap((truth) => truth.outages.map(lengthOf)),
        'trueMs',
      ),
  };
}

function sumOf<F extends string>(items: readonly Readonly<Record<F, number>>[], field: F): number {
  return items.reduce((total, item) => total + item[field], 0);
}
