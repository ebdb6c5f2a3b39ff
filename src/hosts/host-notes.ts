import type { NoteListener } from '../core/host.ts';

/** Longest beginning of others' output in a message, in characters. */
const shownLimit = 200;

/**
 * Reports the first output around a command of a host that is not the command's own: of a login shell's profile, a forced
 * command, sudo, the Docker client. It comes with each command, and is worth one line.
 */
export function firstStray(host: string, listener: NoteListener): (text: string) => void {
  let isTold = false;
  return (text) => {
    const line = text.trim().replaceAll(/\s+/g, ' ');
    if (isTold || line === '') return;
    isTold = true;
    const shown = line.length > shownLimit ? `${line.slice(0, shownLimit)}…` : line;
    listener({
      message: `${host}: the login shell, sudo, or the transport prints text around the output of commands, which is left out: ${shown}`,
      mend: 'Let the profile print only where there is a terminal (`[ -t 1 ]`), and mend what sudo warns of.',
    });
  };
}
