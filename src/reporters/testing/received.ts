import { readLines } from '../../analysis/testing/log-builder.ts';
import type { LogBuilder } from '../../analysis/testing/log-builder.ts';
import { summarize } from '../../analysis/summarize.ts';
import type { Summary } from '../../core/summary.ts';
import type { FinishedDrill, ReporterContext } from '../reporter.ts';

/** A reporter context that records all output. */
export interface Received extends ReporterContext {
  /** Output on stdout. */
  readonly printed: () => string;
  /** Lines on stderr. */
  readonly said: string[];
  readonly secrets: string[];
}

/** A context for a test; default: command `run` with an empty environment. */
export function received(parts: Partial<ReporterContext> = {}): Received {
  const printed: string[] = [];
  const said: string[] = [];
  const secrets: string[] = [];
  return {
    command: 'run',
    env: {},
    out: 'reports',
    data: (text) => void printed.push(text),
    text: (text) => void printed.push(text),
    say: (line) => void said.push(line),
    workflowCommand: (line) => void said.push(line),
    secret: (text) => void secrets.push(text),
    signal: new AbortController().signal,
    printed: () => printed.join(''),
    said,
    secrets,
    ...parts,
  };
}

/** The finished drill of a built log. */
export function finished(
  built: LogBuilder,
  parts: Partial<Summary> = {},
  more: Partial<FinishedDrill> = {},
): FinishedDrill {
  const summary = { ...summarize(readLines(built.lines())), ...parts };
  return { plan: built.plan, summary, folder: `reports/${summary.runId}`, exitCode: 0, ...more };
}
