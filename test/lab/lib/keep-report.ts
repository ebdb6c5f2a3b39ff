import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes the report of a storm if `path` is set and the storm has a result; an interrupted storm reports its counts so far. */
export function keepReport(path: string | undefined, done: readonly unknown[], report: () => string): void {
  if (path === undefined || done.length === 0) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${report()}\n`);
}
