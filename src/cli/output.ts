import { fstatSync } from 'node:fs';
import type { DrillError } from '../core/errors.ts';
import { cannotWrite, isDiskError, writeFully } from '../engine/disk.ts';
import { redactor } from './secrets.ts';

/** Where a command writes: data on stdout, progress on stderr. */
export interface Output {
  data(text: string): void;
  progress(line: string): void;
}

/** Output to this process's own streams. */
export interface ProcessOutput extends Output {
  /** Resolves when stdout has taken all data: with an error where it did not. Whoever reads it having gone is none. */
  end(): Promise<DrillError | undefined>;
}

/** The process's own streams; no secret gets there, and a full disk behind one of them ends nothing. */
export function openOutput({
  stdout,
  stderr,
}: Pick<NodeJS.Process, 'stdout' | 'stderr'> = process): ProcessOutput {
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error;
  };
  stdout.on('error', fail);
  // There is nobody left to tell; the drill and its log go on.
  stderr.on('error', () => {});
  const file = isFile(stdout.fd) ? stdout.fd : undefined;
  return {
    data(text) {
      const clean = redactor.text(text);
      if (file === undefined) {
        stdout.write(clean);
        return;
      }
      try {
        // Node takes a file's word for how much it took, and passes over the rest.
        writeFully(file, Buffer.from(clean));
      } catch (error) {
        fail(error);
      }
    },
    progress(line) {
      stderr.write(`${redactor.text(line)}\n`);
    },
    async end() {
      if (file === undefined && failure === undefined)
        await new Promise<void>((resolve) => void stdout.write('', () => resolve()));
      return failure === undefined || !isDiskError(failure)
        ? undefined
        : cannotWrite('to stdout', failure, 'run it again, or make the reports with `firedrill report`');
    },
  };
}

/** Says on stderr what went wrong, and what to do. */
export function tell({ message, mend }: DrillError, output: Output): void {
  output.progress(message);
  if (mend !== undefined) output.progress(`  ${mend}`);
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}
