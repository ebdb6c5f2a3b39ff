import { fstatSync } from 'node:fs';
import type { DrillError } from '../core/errors.ts';
import type { HostNote } from '../core/host.ts';
import { printable } from '../core/printable.ts';
import { unobeyed } from '../core/unobeyed.ts';
import { cannotWrite, isDiskError, writeFully } from '../engine/disk.ts';
import { wantsLive } from './live/situation.ts';
import type { Live } from './live/terminal.ts';
import { redactor } from './secrets.ts';

/** Where a command writes: data on stdout, progress on stderr. */
export interface Output {
  data(text: string): void;
  progress(line: string): void;
  /** Where progress is a live view, its block below the lines of `progress`. */
  readonly live?: Live | undefined;
}

/** So long a terminal that was held has to take the last lines. */
const lastLinesMs = 1000;
const mostChars = 4000;

/** Where a command that tells reporters writes. */
export interface ReportingOutput extends Output {
  /** A line on stderr that a CI runner obeys; of all others it obeys none. */
  workflowCommand(line: string): void;
}

/** Output to this process's own streams. */
export interface ProcessOutput extends ReportingOutput {
  /** From now on progress is a live view, if a person looks at it. `json`: stdout gets lines for programs. */
  goLive(options: { readonly json: boolean; readonly color: boolean }): Promise<void>;
  /** Resolves when stdout has taken all data: with an error where it did not. Whoever reads it having gone is none. */
  end(): Promise<DrillError | undefined>;
}

/** The process's own streams; no secret gets there, and a full disk behind one of them ends nothing. */
export function openOutput({
  stdout,
  stderr,
  env,
}: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'> = process): ProcessOutput {
  let live: Live | undefined;
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error;
  };
  stdout.on('error', fail);
  // There is nobody left to tell; the drill and its log go on.
  stderr.on('error', () => {});
  const file = isFile(stdout.fd) ? stdout.fd : undefined;
  return {
    get live() {
      return live;
    },
    async goLive({ json, color }) {
      if (!wantsLive({ env, stderrIsTTY: stderr.isTTY, stdoutIsTTY: stdout.isTTY, json })) return;
      const { openLive } = await import('./live/open-live.ts');
      live = openLive(stderr, { env, color });
    },
    data(text) {
      const clean = unobeyed(redactor.text(text));
      // What is told on stdout comes when a drill is over: it may wait for a terminal, and so may the lines before it.
      if (live !== undefined && stdout.isTTY) stderr.write(live.handOver());
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
      const clean = unobeyed(redactor.text(line));
      if (live === undefined) stderr.write(`${printableLines(clean)}\n`);
      else live.print(clean);
    },
    workflowCommand(line) {
      const clean = redactor.text(line);
      if (live === undefined) stderr.write(`${clean}\n`);
      else live.print(clean);
    },
    async end() {
      await live?.end(lastLinesMs);
      live = undefined;
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
  if (mend !== undefined) output.progress(`  hint: ${mend}`);
}

/** Says on stderr what is odd about a host, and what to do. */
export function tellNote({ message, mend }: HostNote, output: Output): void {
  output.progress(`warning: ${message}`);
  output.progress(`  hint: ${mend}`);
}

/** What a terminal would obey is no part of it but the line breaks; a log is looked at on one, too. */
function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line, mostChars))
    .join('\n');
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}
