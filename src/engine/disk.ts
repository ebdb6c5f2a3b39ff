import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { DrillError, messageOf } from '../core/errors.ts';

/** What a disk says that takes no more (errno(3)), and what helps. */
const mends: Readonly<Record<string, string>> = {
  ENOSPC: 'Free some space there',
  EDQUOT: 'Free some of the quota there',
  EROFS: 'Look at why that disk is read-only (dmesg), and mount it for writing again',
  EIO: 'Look at that disk (dmesg)',
};

/** Whether something was thrown because a disk takes no more. */
export function isDiskError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && Object.hasOwn(mends, String(error.code));
}

/**
 * A `harness` error: what failed on a disk, why, and what to do about it; `then` is what to do after that. One that is a
 * DrillError already stays as it is.
 */
export function diskFailure(what: string, error: unknown, then: string): DrillError {
  if (error instanceof DrillError) return error;
  const mend = isDiskError(error) ? mends[error.code ?? ''] : undefined;
  return new DrillError('harness', `${what}: ${messageOf(error)}`, {
    cause: error,
    mend: `${mend ?? 'Mend that'}, then ${then}.`,
  });
}

/** The same for what cannot be written. */
export function cannotWrite(what: string, error: unknown, then: string): DrillError {
  return diskFailure(`cannot write ${what}`, error, then);
}

/**
 * Writes all of it, from `position` on where one is given, else where the file stands: a disk that fills up may take a
 * part without an error.
 */
export function writeFully(fd: number, bytes: Uint8Array, position: number | null = null): void {
  let written = 0;
  while (written < bytes.length)
    written += writeSync(
      fd,
      bytes,
      written,
      bytes.length - written,
      position === null ? null : position + written,
    );
}

/** A file that was made or renamed is on disk only when its folder is. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
