import { ExitCode } from '../core/errors.ts';

/** How long open handles have to close after the work is done, ms. After that, the process exits. */
const closeWithinMs = 5000;

/**
 * Ends the process with this exit code, after everything that it started has ended. A handle that is still open is a
 * defect: it is reported, and does not keep the process alive. An exception from now on is a defect, too, and turns a pass
 * into `inconclusive`.
 */
export function endProcess(exitCode: number): void {
  process.exitCode = exitCode;
  const broke = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`firedrill failed after its work was done: ${text}\n`);
    if (exitCode === ExitCode.pass) process.exitCode = ExitCode.inconclusive;
  };
  process.on('uncaughtException', broke).on('unhandledRejection', broke);
  // An unreferenced timer fires only if something else keeps the process alive.
  setTimeout(() => {
    const open = [...new Set(process.getActiveResourcesInfo())].join(', ');
    process.stderr.write(`firedrill exits with open handles: ${open}\n`);
    process.exit();
  }, closeWithinMs).unref();
}
