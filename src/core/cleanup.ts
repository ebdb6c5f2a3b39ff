/**
 * Runs `body` with a stack for the things that it opens. Afterwards it closes them in reverse order, also if the body or a
 * close failed, because anything left open keeps the process alive. To keep them open, the body moves the stack. Throws the
 * first error.
 */
export async function withCleanup<T>(body: (cleanup: AsyncDisposableStack) => Promise<T>): Promise<T> {
  try {
    await using cleanup = new AsyncDisposableStack();
    return await body(cleanup);
  } catch (error) {
    throw firstError(error);
  }
}

/** Closes what a stack holds, in reverse order; a failed close does not skip the next ones. Throws the first error. */
export function closeAll(cleanup: AsyncDisposableStack): Promise<void> {
  return withCleanup(async (own) => void own.use(cleanup));
}

/** A stack wraps each later error around the earlier ones. */
function firstError(error: unknown): unknown {
  return error instanceof SuppressedError ? firstError(error.suppressed) : error;
}
