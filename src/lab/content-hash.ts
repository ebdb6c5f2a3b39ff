import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A SHA-256 over the names, the executable bits, and the contents of all files under `paths` (relative to `root`), and over
 * `extra`. Owners and times do not count, so a fresh clone gives the same value. It decides whether an image is built again.
 * Throws the error of the file system, for example for a missing path.
 */
export async function contentHash(root: string, paths: readonly string[], extra = ''): Promise<string> {
  const files: string[] = [];
  for (const path of paths) await collect(root, path, files);
  const hash = createHash('sha256').update(`${extra}\0`);
  for (const file of [...new Set(files)].sort()) {
    const info = await stat(join(root, file));
    const content = await readFile(join(root, file));
    hash.update(`${file}\0${(info.mode & 0o111) === 0 ? '-' : 'x'}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

async function collect(root: string, path: string, files: string[]): Promise<void> {
  if ((await stat(join(root, path))).isFile()) {
    files.push(path);
    return;
  }
  for (const entry of await readdir(join(root, path))) await collect(root, join(path, entry), files);
}
