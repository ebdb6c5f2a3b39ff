import { chmod, mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { contentHash } from './build-images.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

let folder: string;

beforeEach(async () => {
  folder = temporaryFolder();
  await mkdir(join(folder, 'a/b'), { recursive: true });
  await writeFile(join(folder, 'a/one'), '1');
  await writeFile(join(folder, 'a/b/two'), '2');
  await writeFile(join(folder, 'other'), 'x');
});

describe('contentHash', () => {
  it('does not depend on times, or on the order or overlap of the paths', async () => {
    const before = await contentHash(folder, ['a', 'other']);
    await utimes(join(folder, 'a/one'), 1, 1);
    expect(await contentHash(folder, ['other', 'a', 'a/b'])).toBe(before);
  });

  it('changes with a content, a name, an executable bit, and the extra text', async () => {
    const hashes = [await contentHash(folder, ['a']), await contentHash(folder, ['a'], 'target')];
    await chmod(join(folder, 'a/one'), 0o755);
    hashes.push(await contentHash(folder, ['a']));
    await writeFile(join(folder, 'a/one'), '11');
    hashes.push(await contentHash(folder, ['a']));
    await writeFile(join(folder, 'a/three'), '');
    hashes.push(await contentHash(folder, ['a']));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('excludes files outside the paths', async () => {
    const before = await contentHash(folder, ['a']);
    await writeFile(join(folder, 'other'), 'y');
    expect(await contentHash(folder, ['a'])).toBe(before);
  });

  it('changes if content moves from one file to the next', async () => {
    await writeFile(join(folder, 'a/one'), '12');
    await writeFile(join(folder, 'a/b/two'), '');
    const first = await contentHash(folder, ['a']);
    await writeFile(join(folder, 'a/one'), '1');
    await writeFile(join(folder, 'a/b/two'), '2');
    expect(await contentHash(folder, ['a'])).not.toBe(first);
  });

  it('throws for a missing path', async () => {
    await expect(contentHash(folder, ['missing'])).rejects.toThrow('ENOENT');
  });
});
