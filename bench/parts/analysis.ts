import { execFile } from 'node:child_process';
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { roundMs } from '../../src/core/clock.ts';
import { eventSchemaVersion, type DrillEvent } from '../../src/core/event.ts';
import type { Plain } from '../../src/core/testing/plain.ts';
import { seeded } from '../../src/analysis/testing/log-builder.ts';
import { asInstalled } from '../as-installed.ts';
import type { AnalysisUsage } from '../analysis/messages.ts';
import { httpProbe, watchPlan } from '../prober/plan.ts';
import type { BenchContext } from './part.ts';

/** Time and memory for reading a log and finding its windows. */
export interface AnalysisResult extends AnalysisUsage {
  readonly logBytes: number;
}

const program = fileURLToPath(new URL('../analysis/main.ts', import.meta.url));
const probeCount = 10;

/** Measures the throughput of the analysis, on a log like that of a `watch` over half a day. */
export async function runAnalysis(context: BenchContext): Promise<AnalysisResult> {
  const path = join(context.folder, 'analysis.ndjson');
  writeLog(path, context.quick ? 2000 : 50_000, seeded(context.seed));
  const { stdout } = await promisify(execFile)(process.execPath, [program, path], { env: asInstalled() });
  return { ...(JSON.parse(stdout) as AnalysisUsage), logBytes: statSync(path).size };
}

/** Writes a log of ten probes with one sample a second, each with an outage of 4 s every 10 min. */
function writeLog(path: string, slots: number, random: () => number): void {
  const probes = Array.from({ length: probeCount }, (_, index) =>
    httpProbe(`http-${index}`, `http://198.18.0.${index + 1}/health`, { intervalMs: 1000 }),
  );
  const fd = openSync(path, 'wx');
  const lines: string[] = [];
  const add = (event: Plain<DrillEvent>): void => {
    lines.push(`${JSON.stringify(event)}\n`);
    if (lines.length >= 1000) writeSync(fd, lines.splice(0).join(''));
  };
  const versions = { firedrill: 'bench', node: process.versions.node };
  add({
    t: 0,
    type: 'run.started',
    schemaVersion: eventSchemaVersion,
    runId: 'bench',
    wallMs: 0,
    plan: watchPlan(probes),
    versions,
  });
  for (let slot = 0; slot < slots; slot++) {
    for (const [index, { id }] of probes.entries()) {
      const dueMs = slot * 1000 + (index * 1000) / probeCount;
      const sendMs = roundMs(dueMs + random());
      const connectMs = roundMs(0.2 + random());
      const firstByteMs = roundMs(connectMs + random());
      const finishMs = roundMs(sendMs + firstByteMs + random());
      const sample = { probe: id, slot, dueMs, sendMs, finishMs };
      const down = (slot + 37 * index) % 600 < 4;
      add({
        t: finishMs,
        type: 'sample',
        ...sample,
        ...(down
          ? { status: 'fail', cause: 'refused', message: `connect ECONNREFUSED 198.18.0.${index + 1}:80` }
          : { status: 'ok', phases: { connectMs, firstByteMs } }),
      });
    }
  }
  add({ t: slots * 1000, type: 'run.ended' });
  writeSync(fd, lines.join(''));
  closeSync(fd);
}
