import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { DrillError, messageOf } from '../core/errors.ts';

/** Hints for the errors of a disk that rejects writes (errno(3)). */
const hints: Readonly<Record<string, string>> = {
  ENOSPC: 'Free space on that disk',
  EDQUOT: 'Free space in the quota on that disk',
  EROFS: 'Find out with `dmesg` why that disk is read-only, mount it read-write again',
  EIO: 'Check `dmesg` for errors of that disk, repair it',
};

/** Whether an error means that a disk rejects writes. */
export function isDiskError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && Object.hasOwn(hints, String(error.code));
}

/**
 * A `harness` error: what was attempted on a disk, what came back, and a hint. `then` is what to do after the
 * cause is removed. A DrillError is returned unchanged.
 */
export function diskFailure(what: string, error: unknown, then: string): DrillError {
  if (error instanceof DrillError) return error;
  const hint = isDiskError(error) ? hints[error.code ?? ''] : undefined;
  return new DrillError('harness', `${what}: ${messageOf(error)}`, {
    cause: error,
    hint: `${hint ?? 'Fix the cause of that error'}, then ${then}.`,
  });
}

/** As `diskFailure`, for something that cannot be written. */
export function cannotWrite(what: string, error: unknown, then: string): DrillError {
  return diskFailure(`cannot write ${what}`, error, then);
}

/**
 * Writes all bytes from `position` on, by default at the file's current position. A disk that fills up may
 * accept a part without an error, so the write is repeated for the rest.
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

/** Makes a created or renamed file durable: its directory entry must be on disk, too. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
