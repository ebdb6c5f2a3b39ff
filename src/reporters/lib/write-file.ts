import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeAtomic } from '../../engine/atomic-file.ts';
import { cannotWrite } from '../../engine/disk.ts';

const then = 'run it again';

/** Writes a reporter's file atomically, and creates its parent folders. @throws DrillError `harness` if the write fails */
export function writeReporterFile(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw cannotWrite(path, error, then);
  }
  writeAtomic(path, text, then);
}
