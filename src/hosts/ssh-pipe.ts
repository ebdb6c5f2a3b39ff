import type { ClientChannel } from 'ssh2';
import { messageOf } from '../core/errors.ts';
import type { CommandPipe } from '../core/host.ts';
import { anyShellCommand, shellCommand } from '../core/shell-quote.ts';
import { pipeEnd, pipeStderrLimit } from './pipe-end.ts';
import { asRoot } from './ssh-command.ts';
import type { SshPlace } from './ssh-pool.ts';

/** What is needed to start the command. */
interface PipeOptions {
  /** A place on a connection, within the signal's time. */
  readonly take: (signal: AbortSignal) => Promise<SshPlace>;
  readonly argv: readonly string[];
  readonly sudo: boolean;
}

/** Starts a command on a channel of its own and talks to it; what is written before it is there waits. See `Host.pipe`. */
export function pipeOverSsh({ take, argv, sudo }: PipeOptions): CommandPipe {
  const opening = new AbortController();
  const line = anyShellCommand(`exec ${shellCommand(sudo ? asRoot(argv) : argv)}`);
  const early: Uint8Array[] = [];
  let channel: ClientChannel | undefined;
  let onData: (bytes: Uint8Array) => void = () => {};
  const ending = pipeEnd();

  const run = async (): Promise<void> => {
    const { connection, release } = await take(opening.signal);
    try {
      const running = await connection.exec(line);
      let said = '';
      running.channel.stderr.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString('utf8')).slice(-pipeStderrLimit);
      });
      running.channel.on('data', (chunk: Buffer) => onData(chunk));
      if (ending.isOver) return running.channel.close();
      channel = running.channel;
      for (const bytes of early) channel.write(bytes);
      let exitCode: number | undefined;
      void running.exited.then((code) => void (exitCode = code));
      const closed = running.closed.then(() =>
        exitCode === undefined ? 'its channel was closed' : `exit ${exitCode}`,
      );
      const why = await Promise.race([closed, connection.lost]);
      ending.end([why, said.trim()].filter(Boolean).join(': '));
    } finally {
      release();
    }
  };
  void run().catch((error: unknown) => ending.end(messageOf(error)));

  return {
    write: (bytes) => void (channel === undefined ? early.push(bytes) : channel.write(bytes)),
    onData: (listener) => void (onData = listener),
    onEnd: ending.onEnd,
    close: () => {
      ending.end('closed');
      opening.abort();
      channel?.end();
      channel?.close();
    },
  };
}
