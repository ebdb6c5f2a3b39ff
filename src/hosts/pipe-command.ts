import type { CommandPipe } from '../core/host.ts';
import { readMarks, type Mark } from './command-marks.ts';
import { pipeEnd, pipeStderrLimit } from './pipe-end.ts';
import { startPiped } from './start-piped.ts';

/** Time for the command to end after its standard input is closed, ms. */
const endWithinMs = 1500;

/** Options of a piped command. */
interface PipeOptions {
  /** Set if `markedArgv` made the argv: bytes before the start mark are then not output of the command. */
  readonly mark?: Mark;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Starts a command on this machine, with pipes. See `Host.pipe`. */
export function pipeCommand(argv: readonly string[], { mark, env }: PipeOptions = {}): CommandPipe {
  const subprocess = startPiped(argv, env);
  const { stdin, stdout, stderr } = subprocess;
  const out = mark === undefined ? undefined : readMarks(mark, 'pipe');
  const errors = mark === undefined ? undefined : readMarks(mark, 'run');
  let said = '';
  const { end, onEnd } = pipeEnd();
  // The command may end before it has read its input.
  stdin.on('error', () => {});
  stdout.on('error', () => {});
  stderr.on('error', () => {});
  stderr.on('data', (chunk: Buffer) => {
    const own = errors?.add(chunk) ?? chunk;
    said = (said + own.toString('utf8')).slice(-pipeStderrLimit);
  });
  const reportEnd = async (): Promise<void> => {
    const { exitCode, originalMessage } = await subprocess;
    const code = errors?.ended ?? exitCode;
    const exit = code === undefined ? (originalMessage ?? 'not started') : `exit ${code}`;
    const isStarted = out === undefined || out.started !== undefined;
    const words = isStarted ? said : `${errors?.stray ?? ''}${out.stray}`;
    end([...(isStarted ? [] : ['not run']), exit, words.trim()].filter(Boolean).join(': '));
  };
  void reportEnd();
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
