import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readLog } from '../analysis/read-log.ts';
import type { RunLog } from '../analysis/run-log.ts';
import type { LogSink } from '../analysis/scan-log.ts';
import { analyse } from '../analysis/summarize.ts';
import type { Clock } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import { fileSlug } from '../core/names.ts';
import type { Summary } from '../core/summary.ts';
import type { WallMs } from '../core/time.ts';
import { cannotWrite } from '../engine/disk.ts';
import { type EventLog, openEventLog } from '../engine/event-log.ts';
import { openLedger, type Ledger } from '../engine/ledger.ts';
import { AtomicFile } from '../engine/atomic-file.ts';
import { renderReportHtml } from '../report/html/report-html.ts';
import { LatencyOverTime } from '../report/latency-over-time.ts';
import { renderJunit } from '../report/junit.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderMetrics } from '../report/openmetrics.ts';
import { SamplesCsv } from '../report/samples-csv.ts';
import { redactor } from './secrets.ts';
import { stateFolder } from './state-folder.ts';

const logName = 'events.ndjson';

/** The name of a new run: its start time (UTC), the slug of a name, and four hex digits against collisions. */
export function newRunId(name: string, wallMs: WallMs): string {
  const time = new Date(wallMs).toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  return `${time}-${fileSlug(name)}-${randomBytes(2).toString('hex')}`;
}

/** Makes the folder of a run. @throws DrillError `harness` if the disk is full or not writable */
export function makeRunFolder(out: string, runId: string): string {
  const folder = runFolder(out, runId);
  // The path must stay readable even if a secret equals a part of it.
  redactor.keep(folder);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw cannotWrite(folder, error, 'start again: nothing was touched');
  }
  return folder;
}

/** Makes the folder of a run and opens its event log: both or neither. @throws DrillError `harness` if the disk is full or not writable */
export function openRun(
  out: string,
  runId: string,
  clock: Clock,
): { readonly folder: string; readonly log: EventLog } {
  const folder = makeRunFolder(out, runId);
  try {
    return { folder, log: openEventLog(join(folder, logName), clock, { redactor }) };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The folder of a run in another folder. @throws DrillError `invalid-input` for a name that would leave that folder */
export function runFolder(within: string, runId: string): string {
  // newRunId makes shorter names. Names of older runs were as long as the names of their scenarios.
  if (runId !== fileSlug(runId, 255)) {
    throw new DrillError('invalid-input', `${JSON.stringify(runId)} is not the name of a run`);
  }
  return join(within, runId);
}

/** Path of the stop file. While it exists, running drills stop and no drill begins. */
export function stopFilePath(): string {
  return join(stateFolder(), 'stop');
}

/** The folder of the locks of this user's targets. */
export function locksFolder(): string {
  return join(stateFolder(), 'locks');
}

/** The ledger of this user's open faults, from all installations. */
export function userLedger(): Ledger {
  return openLedger(join(stateFolder(), 'ledger'));
}

/** A report file, which `firedrill report` can make again. */
export function reportFile(folder: string, name: string): AtomicFile {
  return new AtomicFile(folder, name, 'make it with `firedrill report` and the name of that folder');
}

/** The summary of a run, and the errors of reports that could not be written. */
export interface Reports {
  readonly summary: Summary;
  readonly unwritten: readonly DrillError[];
}

/**
 * Makes every report of a run from its event log alone. The same log gives the same bytes. A failed write does not stop
 * the other writes.
 * @throws DrillError `invalid-input` if the folder has no readable log
 */
export function writeReports(folder: string): Reports {
  const unwritten: DrillError[] = [];
  const attempt = (file: AtomicFile): void => {
    const error = file.end();
    if (error !== undefined) unwritten.push(error);
  };
  const samples = reportFile(folder, 'samples.csv');
  const latency = new LatencyOverTime();
  const log = readFollowed(folder, samples, latency);
  attempt(samples);
  const analysis = about(join(folder, logName), () => analyse(log));
  const { summary } = analysis;
  for (const [name, text] of [
    ['summary.json', `${JSON.stringify(summary, undefined, 2)}\n`],
    ['report.md', renderMarkdown(summary, log)],
    ['report.html', renderReportHtml(analysis, latency)],
    ['junit.xml', renderJunit([summary])],
    ['metrics.prom', renderMetrics([summary])],
  ] as const) {
    const file = reportFile(folder, name);
    file.write(text);
    attempt(file);
  }
  return { summary, unwritten };
}

/** Judges a run from its event log, and writes nothing. @throws DrillError `invalid-input` if the folder has no readable log */
export function readSummary(folder: string): Summary {
  const path = join(folder, logName);
  const log = readLogFile(path);
  return about(path, () => analyse(log)).summary;
}

/** Reads a run's log, and passes each event on to the CSV of samples and to `follower`. */
function readFollowed(folder: string, samples: AtomicFile, follower: LogSink): RunLog {
  const csv = new SamplesCsv((text) => samples.write(text));
  try {
    const log = readLogFile(join(folder, logName), both(csv, follower));
    csv.end();
    return log;
  } catch (error) {
    samples.discard();
    throw error;
  }
}

/** Passes each event on to both sinks. */
function both(first: LogSink, second: LogSink): LogSink {
  return {
    sample(sample) {
      first.sample(sample);
      second.sample(sample);
    },
    event(event) {
      first.event(event);
      second.event(event);
    },
  };
}

/**
 * Reads an event log of any size. `follower` receives each event.
 * @throws DrillError `invalid-input` if there is no readable log
 */
export function readLogFile(path: string, follower?: LogSink): RunLog {
  return about(path, () => readLog(piecesOf(path), follower));
}

/** Calls `read`, and adds the path to an error about the content of the file. */
function about<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DrillError) || error.code !== 'invalid-input' || error.message.startsWith(path))
      throw error;
    const { message, hint, code } = error;
    throw new DrillError(code, `${path}: ${message}`, {
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    });
  }
}

const pieceBytes = 64 * 1024;

/** The bytes of a file in pieces. Each piece is valid until the next one is read. */
function* piecesOf(path: string): Generator<Uint8Array, void, undefined> {
  const buffer = Buffer.allocUnsafe(pieceBytes);
  const read = <T>(what: () => T): T => {
    try {
      return what();
    } catch (error) {
      throw new DrillError('invalid-input', `${path}: cannot be read: ${messageOf(error)}`, {
        cause: error,
        hint: 'Name the folder of a run, such as a folder in reports.',
      });
    }
  };
  const fd = read(() => openSync(path, 'r'));
  try {
    for (;;) {
      const length = read(() => readSync(fd, buffer));
      if (length === 0) return;
      yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}
