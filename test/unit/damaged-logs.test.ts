// Damaged event logs of real drills. Each log gives a summary and its reports, or an error that names the defect and its line.
// FIREDRILL_FUZZ_LOGS: number of logs. FIREDRILL_FUZZ_SEED: seed of the changes. A failure prints the seed and the change.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { analyse } from '../../src/analysis/summarize.ts';
import { readLog } from '../../src/analysis/read-log.ts';
import { seeded } from '../../src/analysis/testing/log-builder.ts';
import { DrillError } from '../../src/core/errors.ts';
import { renderReportHtml } from '../../src/report/html/report-html.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { LatencyOverTime } from '../../src/report/latency-over-time.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { renderMetrics } from '../../src/report/openmetrics.ts';
import { renderVerdictText } from '../../src/report/verdict-text.ts';

const examples = ['certlocker', 'keepalived-docker', 'wazuh-lb'] as const;
const count = Number(process.env['FIREDRILL_FUZZ_LOGS'] ?? 300);
const seed = Number(process.env['FIREDRILL_FUZZ_SEED'] ?? 1);
/** Catches a hang, ms. A log takes 0.1 s on a fast machine. */
const timeout = Math.max(300_000, count * 3000);
/** Limits of CPU time and heap growth per log. A log of 350 kB takes 0.1 s and 20 MB. */
const mostCpuMs = 20_000;
const mostHeapBytes = 512 * 1024 * 1024;

type Random = () => number;
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const logs = examples.map((name) =>
  readFileSync(`reports/example-${name}/events.ndjson`, 'utf8').trimEnd().split('\n'),
);

/** Placeholder for 1e999: valid in JSON, and larger than any double. */
const beyond = '\u0001beyond';

const values: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  0.5,
  1e300,
  -1e300,
  1e-300,
  2 ** 53,
  1e11,
  8.64e15,
  beyond,
  '',
  'x',
  'NaN',
  '1-999999999',
  '1-99999999999999999999x99999999999999999999',
  '9-1 1-9',
  '__proto__',
  '\u0000\u202e<script>',
  'y'.repeat(100_000),
  [],
  [null],
  {},
  { kind: 'of-tomorrow' },
  [[[[[[]]]]]],
];

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

/** All places within a value, each by its parent and its key. */
function placesIn(
  value: Json,
): { readonly parent: Json[] | { [key: string]: Json }; readonly key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [{ parent: value, key }, ...placesIn(child)]);
}

function childOf(parent: Json[] | { [key: string]: Json }, key: string): Json {
  return (parent as { [key: string]: Json })[key]!;
}

/** Removes, replaces, moves, or duplicates one part of a value. Returns a description of the change. */
function changeValue(random: Random, value: Json): string {
  const { parent, key } = pick(random, placesIn(value));
  const own = parent as { [key: string]: Json };
  const kind = random();
  if (kind < 0.25) {
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else delete own[key];
    return `without ${key}`;
  }
  if (kind < 0.7) {
    own[key] = structuredClone(pick(random, values));
    return `${key} as ${JSON.stringify(own[key]).slice(0, 40)}`;
  }
  if (kind < 0.85) {
    const other = pick(random, placesIn(value));
    own[key] = structuredClone(childOf(other.parent, other.key));
    return `${key} as ${other.key}`;
  }
  const before = own[key]!;
  if (typeof before === 'number') own[key] = before * pick(random, [-1, 0, 1e-6, 1e3, 1e6, 1e12]);
  else if (typeof before === 'string') own[key] = `${before}${before}`;
  else if (Array.isArray(before)) own[key] = [...before, ...structuredClone(before)];
  else own[key] = [before];
  return `${key} multiplied, repeated, or nested`;
}

function changeLine(random: Random, lines: string[]): string {
  // The plan (line 1) has the most kinds of defects, then the lines other than samples.
  const rare = lines.flatMap((line, index) => (line.includes('"type":"sample"') ? [] : [index]));
  const at = random() < 0.4 ? 0 : random() < 0.6 ? pick(random, rare) : Math.floor(random() * lines.length);
  let value: Json;
  try {
    value = JSON.parse(lines[at]!) as Json;
  } catch {
    return `line ${at + 1} is no longer JSON`;
  }
  if (placesIn(value).length === 0) return `line ${at + 1} is empty`;
  const what = changeValue(random, value);
  lines[at] = JSON.stringify(value).replaceAll(JSON.stringify(beyond), '1e999');
  return `line ${at + 1} ${what}`;
}

function changeLines(random: Random, lines: string[]): string {
  const at = Math.floor(random() * lines.length);
  const to = Math.floor(random() * lines.length);
  const some = 1 + Math.floor(random() ** 3 * 200);
  const line = lines[at]!;
  switch (Math.floor(random() * 8)) {
    case 0:
      lines.splice(at, some);
      return `${some} lines removed from line ${at + 1} on`;
    case 1:
      lines.splice(at, 0, ...lines.slice(to, to + some));
      return `${some} lines from line ${to + 1} on repeated at line ${at + 1}`;
    case 2:
      lines[at] = lines[to]!;
      lines[to] = line;
      return `lines ${at + 1} and ${to + 1} swapped`;
    case 3:
      lines.length = at;
      return `cut off before line ${at + 1}`;
    case 4:
      lines[at] = line.slice(0, Math.floor(random() * line.length));
      return `line ${at + 1} torn`;
    case 5:
      lines[at] = `${line}${lines[to]!}`;
      return `line ${to + 1} appended to line ${at + 1}`;
    case 6:
      lines.splice(
        at,
        0,
        pick(random, ['NaN', 'null', '[]', '{}', '{"t":1}', '\u0000', '{"t":NaN,"type":"sample"}']),
      );
      return `garbage as line ${at + 1}`;
    default: {
      const from = Math.floor(random() * line.length);
      lines[at] =
        `${line.slice(0, from)}${pick(random, ['"', '\\', '}', '9', '\ufffd', '\u0000', ''])}${line.slice(from + 1)}`;
      return `one character of line ${at + 1} replaced`;
    }
  }
}

/** Reads, analyzes, and reports a log. Returns the error's message, or null for a summary. */
function outcomeOf(text: string): string | null {
  try {
    const latency = new LatencyOverTime();
    const log = readLog([new TextEncoder().encode(text)], latency);
    const analysis = analyse(log);
    const { summary } = analysis;
    JSON.stringify(summary);
    renderMarkdown(summary, log);
    renderReportHtml(analysis, latency);
    renderJunit([summary]);
    renderMetrics([summary]);
    renderVerdictText(summary);
    return null;
  } catch (error) {
    if (error instanceof DrillError && error.code === 'invalid-input') return error.message;
    throw error;
  }
}

describe('a damaged event log', () => {
  test(`gives a summary or an error that names the line, in each of ${count} logs`, { timeout }, () => {
    let refused = 0;
    const worst = { cpuMs: 0, heapBytes: 0 };
    for (let number = 0; number < count; number++) {
      const random = seeded(seed * 1_000_003 + number);
      const lines = [...pick(random, logs)];
      const changes = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
        lines.length === 0
          ? 'no line is left'
          : random() < 0.7
            ? changeLine(random, lines)
            : changeLines(random, lines),
      );
      const text = lines.join('\n');
      const before = { cpu: process.cpuUsage(), heapBytes: process.memoryUsage().heapUsed };
      let message: string | null;
      try {
        message = outcomeOf(text);
      } catch (error) {
        throw new Error(`FIREDRILL_FUZZ_SEED=${seed}, log ${number}: ${changes.join('; ')}`, {
          cause: error,
        });
      }
      const cpu = process.cpuUsage(before.cpu);
      worst.cpuMs = Math.max(worst.cpuMs, (cpu.user + cpu.system) / 1000);
      worst.heapBytes = Math.max(worst.heapBytes, process.memoryUsage().heapUsed - before.heapBytes);
      if (message === null) continue;
      refused++;
      expect(message, changes.join('; ')).toMatch(
        / at line \d+: .|no run\.started|recovery probe|schema version/,
      );
      expect(message.length).toBeLessThan(2000);
    }
    expect(refused).toBeGreaterThan(count / 4);
    expect(refused).toBeLessThan(count);
    expect(worst.cpuMs).toBeLessThan(mostCpuMs);
    expect(worst.heapBytes).toBeLessThan(mostHeapBytes);
  });

  test('is not one of the undamaged logs: each of them gives a summary', () => {
    for (const lines of logs) expect(outcomeOf(lines.join('\n'))).toBeNull();
  });
});
