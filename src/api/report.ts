import type { Summary } from '../core/summary.ts';
import { checkOptions } from './check-options.ts';
import { readSummary, writeReports } from '../cli/run-folder.ts';
import { withHintForCaller } from './hint.ts';

/** Options of `report`. */
export interface ReportOptions {
  /** Writes all reports of the run again, like `firedrill report`; without it, nothing is written. */
  readonly write?: boolean;
}

/**
 * Judges a finished run again from its event log, and returns its summary.
 * @throws DrillError `invalid-input` if the folder has no readable log; `harness` if a report could not be written
 */
export function report(folder: string, options: ReportOptions = {}): Summary {
  try {
    checkOptions('report', options);
    return options.write === true ? writtenSummary(folder) : readSummary(folder);
  } catch (error) {
    throw withHintForCaller(error);
  }
}

function writtenSummary(folder: string): Summary {
  const { summary, unwritten } = writeReports(folder);
  if (unwritten[0] !== undefined) throw unwritten[0];
  return summary;
}
