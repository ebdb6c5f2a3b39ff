/** Something that a kind did to firedrill's own process. */
export interface Intrusion {
  readonly what: string;
  readonly hint: string;
}

/**
 * Watches what nothing may do while firedrill runs: print on standard output, or throw where nothing awaits it. Returns the
 * function that stops watching and resolves with the first such event.
 */
export function watchProcess(): () => Promise<Intrusion | undefined> {
  let found: Intrusion | undefined;
  const own = Object.getOwnPropertyDescriptor(process.stdout, 'write');
  process.stdout.write = (text: string | Uint8Array): boolean => {
    found ??= {
      what: `it printed on stdout: ${JSON.stringify(String(text).slice(0, 80))}`,
      hint: 'Do not print on stdout, which is for data. A reporter prints with `data` and `say` of its context.',
    };
    return true;
  };
  const unawaited = (error: unknown): void => {
    found ??= {
      what: `an unhandled error, which ends a drill: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'Await each promise. Listen to `error` of each socket, child process, and server until it is closed.',
    };
  };
  process.on('uncaughtException', unawaited).on('unhandledRejection', unawaited);
  return async () => {
    // Rejections and errors of closed sockets are reported after the current work.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    process.off('uncaughtException', unawaited).off('unhandledRejection', unawaited);
    if (own === undefined) Reflect.deleteProperty(process.stdout, 'write');
    else Object.defineProperty(process.stdout, 'write', own);
    return found;
  };
}
