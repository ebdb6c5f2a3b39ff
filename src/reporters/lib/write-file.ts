import { mkdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { cannotWrite } from '../../engine/disk.ts';
import { AtomicFile } from '../../engine/atomic-file.ts';

const then = 'run it again';

/** Writes a file atomically, and creates its parent folders. @throws DrillError `harness` if the write fails */
export function writeAtomic(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw cannotWrite(path, error, then);
  }
  const file = new AtomicFile(dirname(path), basename(path), then);
  file.write(text);
  const failure = file.end();
  if (failure !== undefined) throw failure;
}
