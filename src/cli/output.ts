import { fstatSync } from 'node:fs';
import type { DrillError } from '../core/errors.ts';
import type { HostNote } from '../core/host.ts';
import { messageText } from '../core/message-text.ts';
import { escapeCiCommands } from '../core/ci-commands.ts';
import { cannotWrite, isDiskError, writeFully } from '../engine/disk.ts';
import { commandName, withCommandName } from './command-name.ts';
import { showsLiveView } from './live/detect-terminal.ts';
import type { Live } from './live/terminal.ts';
import { redactor } from './secrets.ts';

/**
 * Output of a command: data and text go to stdout, progress to stderr. In text and progress, commands get the name by which the user
 * calls firedrill (`withCommandName`).
 */
export interface Output {
  /** Writes data that a program reads, or that is kept. */
  data(text: string): void;
  /** Writes text for a person. */
  text(text: string): void;
  /** Writes lines for a person. */
  progress(line: string): void;
  /** The live view, whose block is below the lines of `progress`; absent without one. */
  readonly live?: Live | undefined;
}

/** How long a blocked terminal has to accept the last lines, ms. */
const lastLinesMs = 1000;
const mostChars = 4000;

/** Output of a command with reporters. */
export interface ReportingOutput extends Output {
  /** Writes a workflow command for a CI runner to stderr. In all other output, workflow commands are escaped. */
  workflowCommand(line: string): void;
}

/** Output to this process's own streams. */
export interface ProcessOutput extends ReportingOutput {
  /** Switches progress to a live view if stderr is an interactive terminal. `json`: stdout gets JSON. */
  goLive(options: { readonly json: boolean; readonly color: boolean }): Promise<void>;
  /** Resolves when stdout has accepted all data, or with an error if it did not. A closed pipe is no error. */
  end(): Promise<DrillError | undefined>;
}

/** Output to the process's own streams. Secrets are redacted. A full disk behind a stream does not end the process. */
export function openOutput({
  stdout,
  stderr,
  env,
}: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'> = process): ProcessOutput {
  let live: Live | undefined;
  let failure: unknown;
  let name: string | undefined;
  const named = (text: string): string => withCommandName(text, () => (name ??= commandName(env)));
  const fail = (error: unknown): void => {
    failure ??= error;
  };
  stdout.on('error', fail);
  // Without stderr, nothing can report this error. The drill and its log continue.
  stderr.on('error', () => {});
  const file = isFile(stdout.fd) ? stdout.fd : undefined;
  const write = (text: string): void => {
    const clean = escapeCiCommands(redactor.text(text));
    // Data is written when a drill is over, so this write may wait for the terminal.
    if (live !== undefined && stdout.isTTY) stderr.write(live.handOver());
    if (file === undefined) {
      stdout.write(clean);
      return;
    }
    try {
      // Node ignores a partial write to a file and drops the rest.
      writeFully(file, Buffer.from(clean));
    } catch (error) {
      fail(error);
    }
  };
  return {
    get live() {
      return live;
    },
    async goLive({ json, color }) {
      if (!showsLiveView({ env, stderrIsTTY: stderr.isTTY, stdoutIsTTY: stdout.isTTY, json })) return;
      const { openLive } = await import('./live/open-live.ts');
      live = openLive(stderr, { env, color });
    },
    data: write,
    text: (text) => write(named(text)),
    progress(line) {
      const clean = escapeCiCommands(redactor.text(named(line)));
      if (live === undefined) stderr.write(`${printedLines(clean)}\n`);
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
        : cannotWrite(
            'to stdout',
            failure,
            'run the command again, or make the reports with `firedrill report`',
          );
    },
  };
}

/** Prints an error and its hint on stderr. */
export function printError({ message, hint }: DrillError, output: Output): void {
  output.progress(message);
  if (hint !== undefined) output.progress(`  hint: ${hint}`);
}

/** Prints a warning about a host and its hint on stderr. */
export function printNote({ message, hint }: HostNote, output: Output): void {
  output.progress(`warning: ${message}`);
  output.progress(`  hint: ${hint}`);
}

/** Escapes control characters except line breaks. A log file is often read on a terminal, too. */
function printedLines(text: string): string {
  return text
    .split('\n')
    .map((line) => messageText(line, mostChars))
    .join('\n');
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}
