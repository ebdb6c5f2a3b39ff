import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DrillError } from '../../core/errors.ts';
import { parseDuration } from '../../core/duration.ts';
import { earlier, wallMs, type WallMs } from '../../core/time.ts';
import { createSystemClock } from '../../engine/system-clock.ts';
import { writeAtomic } from '../../engine/atomic-file.ts';
import { historyLine, renderHistoryText } from '../../report/history-text.ts';
import { renderTrendHtml } from '../../report/html/trend-html.ts';
import { linkTo } from '../../reporters/lib/link.ts';
import { type KeptFolder, readKept } from '../kept-runs.ts';
import type { Output } from '../output.ts';

/** Options of `firedrill history`. */
export interface HistoryOptions {
  readonly scenario?: string;
  readonly target?: string;
  readonly label?: string;
  readonly since?: string;
  readonly limit?: number;
  readonly json: boolean;
  /** Path of the HTML page of the trend. */
  readonly html?: string;
}

/**
 * Lists the runs below folders, newest first, or writes an HTML page of them.
 * @throws DrillError `invalid-input`; `harness` if the page cannot be written
 */
export function historyCommand(folders: readonly string[], options: HistoryOptions, output: Output): void {
  const { limit, json, html } = options;
  const requested = filterOf(options);
  const runs = readReported(folders, output).runs.filter(requested);
  const shown = limit === undefined ? runs : runs.slice(0, limit);
  if (html !== undefined) {
    writeTrend(html, shown);
    output.progress(`wrote ${html} with ${shown.length} runs`);
    return;
  }
  const lines = shown.map(({ run, folder }) => historyLine(run, folder));
  if (json) output.data(`${JSON.stringify({ schemaVersion: 1, runs: lines }, null, 2)}\n`);
  else output.text(renderHistoryText(lines, runs.length - shown.length));
}

function writeTrend(path: string, runs: readonly KeptFolder[]): void {
  const within = dirname(path);
  const trend = runs.map(({ run, folder }) => ({ run, href: reportOf(folder, within) }));
  writeAtomic(path, renderTrendHtml(trend), 'run the command again');
}

/** The link from a folder to a run's report; null if the run has none. */
function reportOf(folder: string, within: string): string | null {
  const report = join(folder, 'report.html');
  if (!existsSync(report)) return null;
  return linkTo(report, within);
}

/** Reads the runs below folders, and reports skipped folders. */
function readReported(folders: readonly string[], output: Output): ReturnType<typeof readKept> {
  const kept = readKept(folders);
  for (const { folder, why } of kept.skipped) output.progress(`left out: ${folder}: ${why}`);
  return kept;
}

/** @throws DrillError `invalid-input` */
function filterOf({ scenario, target, label, since }: HistoryOptions): (kept: KeptFolder) => boolean {
  const matches = scenario === undefined ? undefined : patternOf(scenario);
  const fromMs = since === undefined ? undefined : momentOf(since);
  return ({ run }) =>
    (matches === undefined || matches(run.scenario.name)) &&
    (target === undefined || run.target === target) &&
    (label === undefined || run.label === label) &&
    (fromMs === undefined || Date.parse(run.startedAt) >= fromMs);
}

/** Matches names with a pattern in which `*` stands for any text. */
function patternOf(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const regex = new RegExp(`^${parts.join('.*')}$`, 's');
  return (name) => regex.test(name);
}

const dayMs = 24 * 3_600_000;

/** The wall time of a date or of an age, ms: `2026-11-01`, `12h`, `30d`. */
function momentOf(text: string): WallMs {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const ago = days === undefined ? parseDuration(text) : Number(days) * dayMs;
  if (ago !== undefined) return earlier(createSystemClock().wallMs(), ago);
  const date = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(date)) return wallMs(date);
  throw new DrillError('invalid-input', `--since ${text}: neither a date nor an age`, {
    hint: 'Pass a date, such as 2026-11-01, or an age, such as 12h or 30d.',
  });
}
