import type { NoteListener } from '../core/host.ts';

/** Longest beginning of others' output in a message, in characters. */
const shownLimit = 200;

/**
 * Reports the first text around a command that is not the command's own output: from a login shell's profile, a forced command,
 * sudo, or the Docker client. Such text comes with each command, so it is reported once.
 */
export function firstStray(host: string, listener: NoteListener): (text: string) => void {
  let isTold = false;
  return (text) => {
    const line = text.trim().replaceAll(/\s+/g, ' ');
    if (isTold || line === '') return;
    isTold = true;
    const shown = line.length > shownLimit ? `${line.slice(0, shownLimit)}…` : line;
    listener({
      message: `${host}: the login shell, sudo, or the transport prints text around command output; firedrill ignores it: ${shown}`,
      mend: 'Let the profile print only on a terminal (`[ -t 1 ]`), and fix what sudo warns about.',
    });
  };
}
