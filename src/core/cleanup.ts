/** What a body has opened. It is closed in reverse order, once. Node 22 has no AsyncDisposableStack. */
export class Cleanup {
  #closers: (() => unknown)[] = [];

  /** Adds something to call at the end. */
  defer(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Adds a value with the function that closes it, and returns the value. */
  adopt<T>(value: T, close: (value: T) => unknown): T {
    this.defer(() => close(value));
    return value;
  }

  /** Moves everything to a new stack; this one is empty then. */
  move(): Cleanup {
    const moved = new Cleanup();
    moved.#closers = this.#closers;
    this.#closers = [];
    return moved;
  }

  /** Closes everything, also after a failed close. Throws the first error. */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const close of this.#closers.splice(0).toReversed()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

/**
 * Runs `body` with a stack for the things that it opens. Afterwards it closes them in reverse order, also if the body or a
 * close failed, because anything left open keeps the process alive. To keep them open, the body moves the stack. Throws the
 * first error.
 */
export async function withCleanup<T>(body: (cleanup: Cleanup) => Promise<T>): Promise<T> {
  const cleanup = new Cleanup();
  let result: T;
  try {
    result = await body(cleanup);
  } catch (error) {
    // The error of the body is the first one.
    await cleanup.close().catch(() => undefined);
    throw error;
  }
  await cleanup.close();
  return result;
}
