import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DrillError } from '../core/errors.ts';
import { cannotWrite, writeFully } from './disk.ts';

/** Writes a whole file atomically. @throws DrillError `harness` if the write fails; `then` as for `AtomicFile` */
export function writeAtomic(path: string, text: string, then: string): void {
  const file = new AtomicFile(dirname(path), basename(path), then);
  file.write(text);
  const failure = file.end();
  if (failure !== undefined) throw failure;
}

/**
 * Writes a file atomically: readers never see a partial file. An earlier file of that name stays until `end`.
 */
export class AtomicFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #then: string;
  #fd: number | undefined;
  #failure: DrillError | undefined;

  /** `then`: how to create the file after the disk error is fixed; the hint puts it after "then". */
  constructor(folder: string, name: string, then: string) {
    this.#then = then;
    this.#path = join(folder, name);
    this.#temporary = join(folder, `.${name}.tmp`);
  }

  /** Writes the next piece; does nothing after an error. */
  write(text: string): void {
    this.#attempt(() => writeFully((this.#fd ??= openSync(this.#temporary, 'w')), Buffer.from(text)));
  }

  /** Moves the file to its final path. Returns a DrillError `harness` if it could not be written. */
  end(): DrillError | undefined {
    this.#attempt(() => {
      if (this.#fd !== undefined) fsyncSync(this.#fd);
      this.#close();
      renameSync(this.#temporary, this.#path);
    });
    return this.#failure;
  }

  /** Removes the partial file. */
  discard(): void {
    try {
      this.#close();
      rmSync(this.#temporary, { force: true });
    } catch {
      // The file's name begins with a dot, and the next attempt overwrites it.
    }
  }

  #close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) closeSync(fd);
  }

  #attempt(act: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      act();
    } catch (error) {
      this.#failure = cannotWrite(this.#path, error, this.#then);
      this.discard();
    }
  }
}
