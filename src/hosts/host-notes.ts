import type { NoteListener } from '../core/host.ts';

/** Stray text is cut to this length in a message, characters. */
const shownLimit = 200;

/**
 * Reports stray text around a command's output: from a login shell's profile, a forced command, sudo, or the Docker client.
 * Such text comes with each command, so only the first is reported.
 */
export function firstStray(host: string, listener: NoteListener): (text: string) => void {
  let isReported = false;
  return (text) => {
    const line = text.trim().replaceAll(/\s+/g, ' ');
    if (isReported || line === '') return;
    isReported = true;
    const shown = line.length > shownLimit ? `${line.slice(0, shownLimit)}…` : line;
    listener({
      message: `${host}: the login shell, sudo, or the transport prints text around command output; firedrill ignores it: ${shown}`,
      hint: 'In the profile, print only on a terminal (`[ -t 1 ] && …`). If the text is a warning of sudo, fix its cause.',
    });
  };
}
