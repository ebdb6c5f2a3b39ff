import { ExitCode } from '../core/errors.ts';

/** A request from outside to stop: aborts the signal once, then waits for the heal. */
export interface Stop {
  readonly signal: AbortSignal;
  /** The exit code that belongs to the signal received; undefined when none came. */
  exitCode(): number | undefined;
  /** Takes the process's signal handlers off again. */
  dispose(): void;
}

/** Listens for SIGINT, SIGTERM and SIGHUP. Further signals only say that the heal goes on. */
export function listenForStop(write: (line: string) => void): Stop {
  const controller = new AbortController();
  let code: number | undefined;
  const handler = (name: NodeJS.Signals): void => {
    if (code !== undefined) {
      write(`${name}: already stopping; healing comes first`);
      return;
    }
    code = name === 'SIGINT' ? ExitCode.interrupted : ExitCode.terminated;
    write(`${name}: stopping; what was broken is healed first`);
    controller.abort(new Error(`stopped by ${name}`));
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, handler);
  return {
    signal: controller.signal,
    exitCode: () => code,
    dispose() {
      for (const name of names) process.off(name, handler);
    },
  };
}
