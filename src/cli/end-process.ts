import { ExitCode } from '../core/errors.ts';

/** A process whose work is done ends by itself; a handle that was left open gets this long to close, ms. */
const closeWithinMs = 5000;

/**
 * Ends the process with this exit code. Everything that it started has ended by now. A handle that is still open is a defect:
 * it is reported, and must not keep the process alive. An exception from now on is a defect, too: it makes a pass `inconclusive`.
 */
export function endProcess(exitCode: number): void {
  process.exitCode = exitCode;
  const broke = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`firedrill failed after its work was done: ${text}\n`);
    if (exitCode === ExitCode.pass) process.exitCode = ExitCode.inconclusive;
  };
  process.on('uncaughtException', broke).on('unhandledRejection', broke);
  // An unreferenced timer fires only where something else keeps the process alive.
  setTimeout(() => {
    const open = [...new Set(process.getActiveResourcesInfo())].join(', ');
    process.stderr.write(`firedrill exits with open handles: ${open}\n`);
    process.exit();
  }, closeWithinMs).unref();
}
