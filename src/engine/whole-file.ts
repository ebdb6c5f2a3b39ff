import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DrillError } from '../core/errors.ts';
import { cannotWrite, writeFully } from './disk.ts';

/** A file that is there whole or not at all: readers never see half of it, whatever the disk does. What was there before stays until `end`. */
export class WholeFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #then: string;
  #fd: number | undefined;
  #failure: DrillError | undefined;

  /** `then`: how to come by it once the disk takes more, after "then". */
  constructor(folder: string, name: string, then: string) {
    this.#then = then;
    this.#path = join(folder, name);
    this.#temporary = join(folder, `.${name}.tmp`);
  }

  /** Takes the next piece; after an error, none. */
  write(text: string): void {
    this.#attempt(() => writeFully((this.#fd ??= openSync(this.#temporary, 'w')), Buffer.from(text)));
  }

  /** Puts the file into its place. Returns a DrillError `harness` when it could not be written. */
  end(): DrillError | undefined {
    this.#attempt(() => {
      if (this.#fd !== undefined) fsyncSync(this.#fd);
      this.#close();
      renameSync(this.#temporary, this.#path);
    });
    return this.#failure;
  }

  /** Leaves nothing of it. */
  discard(): void {
    try {
      this.#close();
      rmSync(this.#temporary, { force: true });
    } catch {
      // Its name begins with a dot, and the next attempt writes over it.
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
