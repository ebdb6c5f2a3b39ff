import type { ClientChannel } from 'ssh2';
import { messageOf } from '../core/errors.ts';
import type { CommandPipe } from '../core/host.ts';
import { newMark, readMarks } from './command-marks.ts';
import { pipeEnd, pipeStderrLimit } from './pipe-end.ts';
import { markedLine, notRun, strayOf } from './ssh-command.ts';
import type { SshPlace } from './ssh-pool.ts';

/** Parameters of a piped command. */
interface PipeOptions {
  /** A place on a connection, within the signal's time. */
  readonly take: (signal: AbortSignal) => Promise<SshPlace>;
  readonly argv: readonly string[];
  readonly sudo: boolean;
  /** Receives stray text around the command's output. */
  readonly onStray: (text: string) => void;
}

/**
 * Starts a command on its own channel, with pipes. Input is held back until the command has started: a login shell or sudo
 * could read it otherwise. See `Host.pipe`.
 */
export function pipeOverSsh({ take, argv, sudo, onStray }: PipeOptions): CommandPipe {
  const opening = new AbortController();
  const mark = newMark();
  const [out, errors] = [readMarks(mark, 'pipe'), readMarks(mark, 'run')];
  const early: Uint8Array[] = [];
  /** Set once the command has started. */
  let started: ClientChannel | undefined;
  let channel: ClientChannel | undefined;
  let onData: (bytes: Uint8Array) => void = () => {};
  const ending = pipeEnd();

  const onStart = (at: ClientChannel): void => {
    started = at;
    onStray(strayOf(out, errors));
    for (const bytes of early.splice(0)) at.write(bytes);
  };

  const run = async (): Promise<void> => {
    const { connection, release } = await take(opening.signal);
    try {
      const running = await connection.exec(markedLine({ argv, sudo }, mark, 'pipe'));
      const at = running.channel;
      let said = '';
      at.stderr.on('data', (chunk: Buffer) => {
        said = (said + errors.add(chunk).toString('utf8')).slice(-pipeStderrLimit);
      });
      at.on('data', (chunk: Buffer) => {
        const own = out.add(chunk);
        if (started === undefined && out.started !== undefined) onStart(at);
        if (own.length > 0) onData(own);
      });
      if (ending.isOver) return at.close();
      channel = at;
      let exitCode: number | undefined;
      void running.exited.then((code) => void (exitCode = code));
      const closed = running.closed.then(() => {
        if (exitCode === undefined) return 'its channel closed';
        return out.started === undefined
          ? notRun(out, errors, exitCode, sudo)
          : `exit ${errors.ended ?? exitCode}`;
      });
      const why = await Promise.race([closed, connection.lost]);
      if (typeof why === 'string') return ending.end([why, said.trim()].filter(Boolean).join(': '));
      ending.end(`not run: ${why.kind === 'refused' ? 'sudo: ' : ''}${why.why}`);
    } finally {
      release();
    }
  };
  void run().catch((error: unknown) => ending.end(messageOf(error)));

  return {
    write: (bytes) => void (started === undefined ? early.push(bytes) : started.write(bytes)),
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
