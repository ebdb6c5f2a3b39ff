import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyse } from '../../analysis/summarize.ts';
import type { DrillEvent } from '../../core/event.ts';
import type { Summary } from '../../core/summary.ts';
import { hostileDrill } from '../../report/testing/hostile-drill.ts';
import type { FinishedDrill } from '../reporter.ts';

const reports = join(import.meta.dirname, '../../../reports');

/** For tests: a committed example drill of a reference stack, from `reports`. */
export function exampleDrill(stack: string, change: Partial<Summary> = {}): FinishedDrill {
  const folder = join(reports, `example-${stack}`);
  const [first = ''] = readFileSync(join(folder, 'events.ndjson'), 'utf8').split('\n', 1);
  const started = JSON.parse(first) as DrillEvent;
  if (started.type !== 'run.started')
    throw new Error(`read ${folder}/events.ndjson: its first event is not run.started`);
  const summary = JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8')) as Summary;
  return { plan: started.plan, summary: { ...summary, ...change }, folder, exitCode: 0 };
}

/** For tests: a drill in which every text is hostile. */
export function hostileFinished(): FinishedDrill {
  const log = hostileDrill().read();
  return { plan: log.plan, summary: analyse(log).summary, folder: 'reports/hostile', exitCode: 1 };
}

/** For tests: drills that cover all inputs of a reporter, by name. */
export const allKindsOfDrills: readonly (readonly [string, () => FinishedDrill])[] = [
  ['certlocker', () => exampleDrill('certlocker')],
  ['wazuh-lb', () => exampleDrill('wazuh-lb', { verdict: 'fail', reasons: ['too long'] })],
  ['keepalived-docker', () => exampleDrill('keepalived-docker', { healed: false })],
  ['hostile texts', hostileFinished],
];

/** For tests: every text in a value, keys among them. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...textsIn(item)]);
}
