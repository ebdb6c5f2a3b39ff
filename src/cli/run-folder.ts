import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readLog, type RunLog } from '../analysis/read-log.ts';
import type { LogSink } from '../analysis/scan-log.ts';
import { analyse } from '../analysis/summarize.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import { fileSlug } from '../core/names.ts';
import type { Summary } from '../core/summary.ts';
import { openLedger, type Ledger } from '../engine/ledger.ts';
import { renderReportHtml } from '../report/html/report-html.ts';
import { LatencyOverTime } from '../report/latency-over-time.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { SamplesCsv } from '../report/samples-csv.ts';
import { renderSummaryJson } from '../report/summary-json.ts';

/** A new run's name: when it started (UTC), what it is, and four hex digits against collisions. */
export function newRunId(name: string, wallMs: number): string {
  const time = new Date(wallMs).toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  return `${time}-${fileSlug(name)}-${randomBytes(2).toString('hex')}`;
}

/** Makes the folder of a run. */
export function makeRunFolder(out: string, runId: string): string {
  const folder = runFolder(out, runId);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The folder of a run within another. @throws DrillError `invalid-input` for a name that would lead out of it */
export function runFolder(within: string, runId: string): string {
  // What newRunId makes is shorter, but the names of old runs were as long as those of their scenarios.
  if (runId !== fileSlug(runId, 255)) {
    throw new DrillError('invalid-input', `${JSON.stringify(runId)} is not the name of a run`);
  }
  return join(within, runId);
}

/** Where open faults and locks are kept, apart from any checkout: `FIREDRILL_STATE_DIR`, else the XDG state folder. */
export function stateFolder(): string {
  const own = process.env['FIREDRILL_STATE_DIR'];
  if (own !== undefined && own !== '') return own;
  const xdg = process.env['XDG_STATE_HOME'];
  return join(xdg !== undefined && xdg !== '' ? xdg : join(homedir(), '.local', 'state'), 'firedrill');
}

/** A file whose presence stops drills that run, and lets none begin. */
export function stopFilePath(): string {
  return join(stateFolder(), 'stop');
}

/** The open faults of this user, whatever checkout made them. */
export function userLedger(): Ledger {
  return openLedger(join(stateFolder(), 'ledger'));
}

/**
 * Makes every report of a run anew from its event log and nothing else; the same
 * log gives the same bytes.
 * @throws DrillError `invalid-input` when the folder holds no readable log
 */
export function writeReports(folder: string): Summary {
  const latency = new LatencyOverTime();
  const log = writeWholeBy(folder, 'samples.csv', (write) => {
    const csv = new SamplesCsv(write);
    const read = readLogFile(join(folder, 'events.ndjson'), both(csv, latency));
    csv.end();
    return read;
  });
  const analysis = analyse(log);
  const { summary } = analysis;
  writeWhole(folder, 'summary.json', renderSummaryJson(summary));
  writeWhole(folder, 'report.md', renderMarkdown(summary, log));
  writeWhole(folder, 'report.html', renderReportHtml(analysis, latency));
  return summary;
}

/** Tells both sinks of each event. */
function both(first: LogSink, second: LogSink): LogSink {
  return {
    sample(line) {
      first.sample(line);
      second.sample(line);
    },
    event(event) {
      first.event(event);
      second.event(event);
    },
  };
}

/**
 * Reads an event log of any size; `follower` is told of each event.
 * @throws DrillError `invalid-input` when there is no readable log
 */
export function readLogFile(path: string, follower?: LogSink): RunLog {
  return readLog(piecesOf(path), follower);
}

const pieceBytes = 64 * 1024;

/** A file's bytes, piece by piece; each is valid until the next is asked for. */
function* piecesOf(path: string): Generator<Uint8Array, void, undefined> {
  const buffer = Buffer.allocUnsafe(pieceBytes);
  const read = <T>(what: () => T): T => {
    try {
      return what();
    } catch (error) {
      throw new DrillError('invalid-input', `${path}: cannot be read: ${messageOf(error)}`, { cause: error });
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

/** Writes a file of a run's folder, whole or not at all: readers never see half of it. */
export function writeWhole(folder: string, name: string, text: string): void {
  writeWholeBy(folder, name, (write) => write(text));
}

/** The same for a text that comes in pieces: `make` writes it, and what it returns is returned. */
function writeWholeBy<T>(folder: string, name: string, make: (write: (text: string) => void) => T): T {
  const temporary = join(folder, `.${name}.tmp`);
  let fd: number | undefined;
  try {
    const made = make((text) => writeFileSync((fd ??= openSync(temporary, 'w')), text));
    renameSync(temporary, join(folder, name));
    return made;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
