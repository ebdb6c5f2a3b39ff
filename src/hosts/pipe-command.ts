import type { CommandPipe } from '../core/host.ts';
import { pipeEnd, pipeStderrLimit } from './pipe-end.ts';
import { startPiped } from './start-piped.ts';

/** What it needs to end once its standard input is closed, and a little more. */
const endWithinMs = 1500;

/** Starts a command on this machine and talks to it. See `Host.pipe`. */
export function pipeCommand(argv: readonly string[]): CommandPipe {
  const subprocess = startPiped(argv);
  const { stdin, stdout, stderr } = subprocess;
  let said = '';
  const { end, onEnd } = pipeEnd();
  // It may be gone before it has read what it is given.
  stdin.on('error', () => {});
  stdout.on('error', () => {});
  stderr.on('error', () => {});
  stderr.on('data', (chunk: Buffer) => void (said = (said + chunk.toString('utf8')).slice(-pipeStderrLimit)));
  const tellEnd = async (): Promise<void> => {
    const { exitCode, originalMessage } = await subprocess;
    const exit = exitCode === undefined ? (originalMessage ?? 'not started') : `exit ${exitCode}`;
    end([exit, said.trim()].filter(Boolean).join(': '));
  };
  void tellEnd();
  return {
    write: (bytes) => void stdin.write(bytes),
    onData: (listener) => void stdout.on('data', listener),
    onEnd,
    close: () => {
      end('closed');
      stdin.end();
      const timer = setTimeout(() => subprocess.kill(), endWithinMs).unref();
      void subprocess.finally(() => clearTimeout(timer));
    },
  };
}
