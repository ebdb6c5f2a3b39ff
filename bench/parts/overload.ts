import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { analyse } from '../../src/analysis/summarize.ts';
import { readLogFile } from '../../src/cli/run-folder.ts';
import type { ProberSummary } from '../../src/core/summary.ts';
import { pause } from '../mono.ts';
import { httpProbe } from '../prober/plan.ts';
import { startBenchProber } from '../prober/start.ts';
import type { BenchContext } from './part.ts';

/** Samples of a server that is always up, from an overloaded machine. */
export interface OverloadLevel {
  /** Number of processes that only use CPU, each in its own session. */
  readonly busy: number;
  /** Whether they have a higher priority than the server and the control, like the prober. */
  readonly raised: boolean;
  readonly samples: number;
  readonly failed: number;
  /** Reported outages (windows with state down). All are false. */
  readonly reported: number;
  /** Uncertain windows. */
  readonly uncertain: number;
  /** Outages that are reported from the same log without the control. */
  readonly reportedWithout: number;
  readonly starved: number;
  readonly starvedMs: number;
  /** Dilation of the control; null without samples. */
  readonly dilation: NonNullable<ProberSummary['control']>['dilation'];
}

const levels = [
  { busy: 0, raised: false },
  { busy: 16, raised: false },
  { busy: 40, raised: false },
  { busy: 16, raised: true },
] as const;
/** A higher priority than the prober's. */
const raisedNice = -20;
/** Uses CPU for 60 s, then ends, also if the bench is killed. */
const busyProgram = 'const end = Date.now() + 60_000; while (Date.now() < end);';

/** Counts the outages that the prober reports for a server that is always up, under increasing load on its machine. */
export async function runOverload(context: BenchContext): Promise<readonly OverloadLevel[]> {
  const results: OverloadLevel[] = [];
  for (const [index, level] of levels.entries()) {
    const logPath = join(context.folder, `overload-${index}.ndjson`);
    const result = await runLevel({ ...level, logPath, forMs: context.quick ? 2000 : 15_000 });
    if (result === undefined)
      context.report(`${level.busy} busy at raised priority: skipped, because it needs root`);
    else results.push(result);
  }
  return results;
}

async function runLevel(options: {
  readonly busy: number;
  readonly raised: boolean;
  readonly logPath: string;
  readonly forMs: number;
}): Promise<OverloadLevel | undefined> {
  const { busy, raised, logPath, forMs } = options;
  if (raised && process.getuid?.() !== 0) return undefined;
  const target = await startReady();
  const probe = httpProbe('well', target.url, { intervalMs: 1000, burstIntervalMs: 50 });
  const prober = await startBenchProber({ probes: [probe], logPath });
  prober.setBurst(true);
  await pause(2000);
  const hogs: ChildProcess[] = [];
  try {
    for (let i = 0; i < busy; i++) hogs.push(startBusy(raised));
    await pause(forMs);
  } finally {
    await Promise.all(hogs.map(end));
    // Delayed samples get time to finish.
    await pause(2000);
    await prober.stop();
    await end(target.child);
  }
  const log = readLogFile(logPath);
  const { summary } = analyse(log);
  const countOf = (state: string, windows = summary.probes[0]?.windows ?? []): number =>
    windows.filter((w) => w.state === state).length;
  const { control } = summary.prober;
  return {
    busy,
    raised,
    samples: summary.probes[0]?.samples ?? 0,
    failed: summary.probes[0]?.failed ?? 0,
    reported: countOf('down'),
    uncertain: countOf('uncertain'),
    reportedWithout: countOf('down', analyse({ ...log, control: null }).summary.probes[0]?.windows),
    starved: control?.starved.length ?? 0,
    starvedMs: control?.starvedMs ?? 0,
    dilation: control?.dilation ?? null,
  };
}

const readyServer = fileURLToPath(new URL('./ready-server.ts', import.meta.url));

async function startReady(): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [readyServer], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: `http://127.0.0.1:${Number(String(port))}/`, child };
}

function startBusy(raised: boolean): ChildProcess {
  const child = spawn(process.execPath, ['-e', busyProgram], { detached: true, stdio: 'ignore' });
  if (raised && child.pid !== undefined) {
    setPriority(child.pid, raisedNice);
    writeFileSync(`/proc/${child.pid}/autogroup`, String(raisedNice));
  }
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
  child.kill('SIGKILL');
  await ended;
}
