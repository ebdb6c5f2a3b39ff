import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DrillEvent } from '../../../src/core/event.ts';

/** Content of a killed harness's log. */
export interface KilledLog {
  readonly events: readonly DrillEvent[];
  /** Event type of the last step. */
  readonly last: string;
  /** Length of the incomplete last line. */
  readonly tornBytes: number;
}

/** Reads the log of the single run in a folder; the log may be incomplete or missing. */
export function killedLog(out: string): KilledLog {
  const [run] = existsSync(out) ? readdirSync(out) : [];
  const path = join(out, run ?? '.', 'events.ndjson');
  if (!existsSync(path)) return { events: [], last: 'nothing', tornBytes: 0 };
  const text = readFileSync(path, 'utf8');
  const end = text.lastIndexOf('\n') + 1;
  const events = text
    .slice(0, end)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as DrillEvent);
  const steps = events.filter(({ type }) => /^(fault|heal|phase|run)\./.test(type) || type === 'gate');
  return { events, last: steps.at(-1)?.type ?? 'nothing', tornBytes: text.length - end };
}
