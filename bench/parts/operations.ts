import { join } from 'node:path';
import { moment } from '../../src/analysis/moment.ts';
import { writerOutages } from '../../src/analysis/operation-outages.ts';
import { readLogFile } from '../../src/cli/run-folder.ts';
import { eventSchemaVersion } from '../../src/core/event.ts';
import type { Json, PlannedWriter } from '../../src/core/plan.ts';
import { openEventLog } from '../../src/engine/event-log.ts';
import { startRowWriters } from '../../src/engine/row-writers.ts';
import { createSystemClock } from '../../src/engine/system-clock.ts';
import { createNameResolver } from '../../src/resolver/name-resolver.ts';
import { httpRows } from '../../src/writers/http.ts';
import { startFaultServer } from '../fault-server/start.ts';
import { isStalled, judge, type Judged, type Verdict } from '../judge.ts';
import { monoMs, untilMono } from '../mono.ts';
import { watchPlan } from '../prober/plan.ts';
import { reportedWindows } from '../reported.ts';
import { loopbackShapes, scriptTrack } from '../script.ts';
import type { BenchContext } from './part.ts';

/** What the windows of writes say about outages that are known. */
export interface OperationsResult {
  /** Windows in which no client got through. */
  readonly service: readonly Judged[];
  /** Windows of each client. */
  readonly clients: readonly Judged[];
  /** Windows without an outage. */
  readonly strays: number;
  /** Number of scripted outages, and of those that are not judged because the server itself was stalled at an edge. */
  readonly scripted: number;
  readonly voided: number;
}

/** Clients of each writer. */
const clients = 2;

/** Clients write to servers whose outages are known, as in a drill. */
export async function runOperations(context: BenchContext): Promise<OperationsResult> {
  const server = await startFaultServer({ host: '127.0.0.1', tracks: context.quick ? 4 : 16 });
  const stopping = new AbortController();
  try {
    const writers = server.ports.map((port, track) => writerTo(`track-${track}`, `http://127.0.0.1:${port}`));
    const logPath = join(context.folder, 'writes.ndjson');
    const clock = createSystemClock();
    const originMs = Number(clock.originNs) / 1e6;
    const log = openEventLog(logPath, clock);
    log.append({
      type: 'run.started',
      schemaVersion: eventSchemaVersion,
      runId: 'bench',
      wallMs: clock.wallMs(),
      plan: { ...watchPlan([]), writers },
      versions: { firedrill: 'bench', node: process.versions.node },
    });
    const writing = await startRowWriters({
      writers,
      kindOf: () => httpRows,
      runId: 'bench',
      clock,
      log,
      readText: async () => '',
      env: () => undefined,
      resolveName: createNameResolver(),
      signal: stopping.signal,
      timers: globalThis,
    });
    const fromMs = monoMs() + 5000;
    const untilMs = fromMs + (context.quick ? 25_000 : 180_000);
    const scripts = server.ports.map((_, track) =>
      scriptTrack(track, loopbackShapes, { fromMs, untilMs }, context.seed),
    );
    context.report(`${writers.length} writers, ${scripts.flat().length} outages`);
    const played = await server.play(scripts.flat());
    await untilMono(untilMs + 4000);
    await writing.stop();
    log.append({ type: 'run.ended' });
    log.close();

    const read = readLogFile(logPath);
    const start = moment(read.startMs, read.startMs);
    const stalls = server.stalls();
    const verdicts = writers.map((writer, track) => {
      const truth = { outages: played.filter((outage) => outage.track === track), stalls };
      const outages = writerOutages(read, writer, 'write', start);
      const judged = ({ windows }: Pick<(typeof outages)['service'], 'windows'>): Verdict =>
        judge(truth, reportedWindows(windows, originMs), 0);
      return { service: judged(outages.service), clients: [...outages.clients.values()].map(judged) };
    });
    const each = verdicts.flatMap((verdict) => verdict.clients);
    return {
      service: verdicts.flatMap(({ service }) => service.outages),
      clients: each.flatMap(({ outages }) => outages),
      strays: [...each, ...verdicts.map(({ service }) => service)].reduce((sum, v) => sum + v.strays, 0),
      scripted: played.length,
      voided: played.filter((outage) => isStalled({ stalls }, outage)).length,
    };
  } finally {
    stopping.abort(new Error('the bench ends'));
    await server.stop();
  }
}

function writerTo(id: string, base: string): PlannedWriter {
  const url = `${base}/\${rows}`;
  const params = httpRows.params.parse({
    // A 503 of this server means that nothing was written.
    write: { url: `${url}?row=\${row}`, acked: [200], refused: [503] },
    read: { url, rows: 'rows' },
    remove: { url },
  });
  return {
    id,
    kind: 'http',
    paths: [{ id, params: params as Json }],
    clients,
    intervalMs: 100,
    timeoutMs: 900,
    // This server stores nothing, so nothing is read.
    readIntervalMs: 3_600_000,
    keep: true,
  };
}
