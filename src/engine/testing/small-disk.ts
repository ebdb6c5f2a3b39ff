import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A mounted small disk. */
export interface SmallDisk {
  readonly folder: string;
  /** Fills it to the last block, except for `butBytes`. */
  fill(butBytes?: number): void;
  /** Removes the files of `fill`. */
  free(): void;
  unmount(): void;
}

const blockBytes = 4096;

/** Mounts a tmpfs. @throws if that is not permitted */
export function mountTmpfs(sizeKib: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'tmpfs-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeKib}k`, 'none', folder], { stdio: 'pipe' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  return diskAt(folder);
}

/** Creates and mounts a small ext4 file system. @throws if that is not permitted */
export function mountExt4(sizeMib: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'ext4-'));
  const image = `${folder}.img`;
  try {
    writeFileSync(image, '');
    truncateSync(image, sizeMib * 1024 * 1024);
    execFileSync('mkfs.ext4', ['-q', '-m', '0', image], { stdio: 'pipe' });
    execFileSync('mount', ['-o', 'loop', image, folder], { stdio: 'pipe' });
  } catch (error) {
    rmSync(image, { force: true });
    rmSync(folder, { recursive: true });
    throw error;
  }
  const disk = diskAt(folder);
  return {
    ...disk,
    unmount() {
      disk.unmount();
      rmSync(image);
    },
  };
}

/** Why no tmpfs can be mounted here; undefined if it can. With the variable `CI` it throws instead. */
export function whyNoTmpfs(): string | undefined {
  try {
    mountTmpfs(64).unmount();
    return undefined;
  } catch (error) {
    const why = `no tmpfs can be mounted (root is needed): ${String(error)}`;
    if (process.env['CI'] !== undefined) throw new Error(why, { cause: error });
    return why;
  }
}

/** The disk mounted on a folder. */
export function diskAt(folder: string): SmallDisk {
  const filler = join(folder, 'filler');
  return {
    folder,
    fill(butBytes = 0) {
      mkdirSync(filler, { recursive: true });
      const spare = butBytes > 0 ? takeUp(join(filler, 'spare'), butBytes) : undefined;
      takeUp(join(filler, `all-${process.hrtime.bigint()}`));
      if (spare !== undefined) rmSync(spare);
    },
    free: () => rmSync(filler, { recursive: true, force: true }),
    unmount() {
      execFileSync('umount', [folder], { stdio: 'pipe' });
      rmSync(folder, { recursive: true });
    },
  };
}

/** Writes this many bytes, or until the disk is full. */
function takeUp(path: string, bytes = Infinity): string {
  const fd = openSync(path, 'w');
  const block = Buffer.alloc(blockBytes, 'x');
  try {
    for (let written = 0; written < bytes;)
      written += writeSync(fd, block, 0, Math.min(blockBytes, bytes - written));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  } finally {
    closeSync(fd);
  }
  return path;
}
