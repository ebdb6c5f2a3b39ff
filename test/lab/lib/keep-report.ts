import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes the report of a storm where one is asked for and it did anything: one that is cut off leaves what it counted. */
export function keepReport(path: string | undefined, done: readonly unknown[], report: () => string): void {
  if (path === undefined || done.length === 0) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${report()}\n`);
}
