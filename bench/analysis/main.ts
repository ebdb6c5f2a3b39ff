import { readLogFile } from '../../src/cli/run-folder.ts';
import { countOf } from '../../src/analysis/kept-samples.ts';
import { badWindows } from '../../src/analysis/windows.ts';
import { monoMs } from '../mono.ts';
import type { AnalysisUsage } from './messages.ts';

// Reads an event log as `firedrill report` does, and finds the windows of every probe. A separate process, so that its memory can
// be measured. Started by parts/analysis.ts.

const path = process.argv[2] ?? '';
const startMs = monoMs();
const log = readLogFile(path);
const readMs = monoMs() - startMs;
const windows = [...log.series.values()].map((series) => badWindows(log, series).length);
const usage: AnalysisUsage = {
  samples: [...log.series.values()].reduce((total, { samples }) => total + countOf(samples), 0),
  readMs,
  windowsMs: monoMs() - startMs - readMs,
  windows: windows.reduce((total, count) => total + count, 0),
  maxRssBytes: process.resourceUsage().maxRSS * 1024,
};
process.stdout.write(`${JSON.stringify(usage)}\n`);
