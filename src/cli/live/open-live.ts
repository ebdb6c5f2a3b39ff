import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { WriteStream } from 'node:tty';
import { type TerminalFacts, showsUnicode } from './detect-terminal.ts';
import { createLive, type Live, type Terminal } from './terminal.ts';

/**
 * The live view on this process's terminal; undefined if the terminal cannot be opened again. Node blocks while a terminal
 * accepts no data, and a drill must not block. So the terminal is opened a second time, in non-blocking mode.
 */
export function openLive(
  stderr: WriteStream,
  { env, color }: { readonly env: TerminalFacts['env']; readonly color: boolean },
): Live | undefined {
  const fd = openUnblocked();
  if (fd === undefined) return undefined;
  const live = createLive(terminalOn(fd, stderr), {
    // `hasColors` respects NO_COLOR and FORCE_COLOR.
    color: color && stderr.hasColors(16, { ...env }),
    unicode: showsUnicode(env),
  });
  return {
    ...live,
    async end(maxMs) {
      await live.end(maxMs);
      closeSync(fd);
    },
  };
}

function openUnblocked(): number | undefined {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  for (const path of ['/proc/self/fd/2', '/dev/tty']) {
    try {
      return openSync(path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    } catch {
      // Try the next path.
    }
  }
  return undefined;
}

function terminalOn(fd: number, stderr: Pick<WriteStream, 'columns' | 'rows'>): Terminal {
  return {
    // A terminal without a known size reports 0.
    size: () => ({ columns: stderr.columns || 80, rows: stderr.rows || 24 }),
    write(bytes) {
      try {
        return writeSync(fd, bytes);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
        throw error;
      }
    },
  };
}
