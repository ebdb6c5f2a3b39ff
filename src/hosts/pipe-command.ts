import type { CommandPipe } from '../core/host.ts';
import { readMarks, type Mark } from './command-marks.ts';
import { pipeEnd, pipeStderrLimit } from './pipe-end.ts';
import { startPiped } from './start-piped.ts';

/** What it needs to end once its standard input is closed, and a little more. */
const endWithinMs = 1500;

/** What else is to be known of a piped command. */
interface PipeOptions {
  /** Set where the argv is that of `markedArgv`: what comes before the command's start is none of its output. */
  readonly mark?: Mark;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Starts a command on this machine and talks to it. See `Host.pipe`. */
export function pipeCommand(argv: readonly string[], { mark, env }: PipeOptions = {}): CommandPipe {
  const subprocess = startPiped(argv, env);
  const { stdin, stdout, stderr } = subprocess;
  const out = mark === undefined ? undefined : readMarks(mark, 'pipe');
  const errors = mark === undefined ? undefined : readMarks(mark, 'run');
  let said = '';
  const { end, onEnd } = pipeEnd();
  // It may be gone before it has read what it is given.
  stdin.on('error', () => {});
  stdout.on('error', () => {});
  stderr.on('error', () => {});
  stderr.on('data', (chunk: Buffer) => {
    const own = errors?.add(chunk) ?? chunk;
    said = (said + own.toString('utf8')).slice(-pipeStderrLimit);
  });
  const tellEnd = async (): Promise<void> => {
    const { exitCode, originalMessage } = await subprocess;
    const code = errors?.ended ?? exitCode;
    const exit = code === undefined ? (originalMessage ?? 'not started') : `exit ${code}`;
    const isStarted = out === undefined || out.started !== undefined;
    const words = isStarted ? said : `${errors?.stray ?? ''}${out.stray}`;
    end([...(isStarted ? [] : ['not run']), exit, words.trim()].filter(Boolean).join(': '));
  };
  void tellEnd();
  return {
    write: (bytes) => void stdin.write(bytes),
    onData: (listener) => {
      stdout.on('data', (chunk: Buffer) => {
        const own = out?.add(chunk) ?? chunk;
        if (own.length > 0) listener(own);
      });
    },
    onEnd,
    close: () => {
      end('closed');
      stdin.end();
      const timer = setTimeout(() => subprocess.kill(), endWithinMs).unref();
      void subprocess.finally(() => clearTimeout(timer));
    },
  };
}
