/** One word for a POSIX shell, whatever is in it: single quotes, and `'\''` for a quote within. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command for a POSIX shell that runs exactly this argv. */
export function shellCommand(argv: readonly string[]): string {
  return argv.map(shellQuote).join(' ');
}

/** Has /bin/sh run a script that `scattered` wrote, which is its `$1`: what the shell says of a program begins with `$0`. */
const reader = 'eval "$(printf %b "$1")"';

/** Starts a shell that reads commands from its standard input; the last word is for who looks at its command line. */
export const keptShell: readonly string[] = ['sh', '-s', 'fd-kept'];

/** What the command lines of the shells that run firedrill's commands have in them, without what separates their words. */
export const ownShells: readonly string[] = [reader, keptShell.slice(1).join('')];

/**
 * A command line that has a POSIX script run by /bin/sh, for whatever login shell reads it first: bash, dash, zsh, csh, fish.
 * They agree on what single quotes mean only as long as there is no quote, backslash, `!` or line break between them, but
 * for a backslash before a digit. `attached` are scattered scripts for the script to hand on: its `$2` and so on.
 */
export function anyShellCommand(script: string, ...attached: readonly string[]): string {
  const words = [scattered(script), ...attached].map((word) => `'${word}'`);
  return `exec /bin/sh -c '${reader}' sh ${words.join(' ')}`;
}

/** The argv that has a script that `scattered` wrote run by /bin/sh. */
export function scatteredArgv(written: string): string[] {
  return ['/bin/sh', '-c', reader, 'sh', written];
}

/**
 * A script in characters that every shell leaves as they are: `printf %b` undoes it. No two plain characters are side by
 * side: while the script runs, it is in the command line of its shell, and a command that looks for others by their
 * command lines (`pgrep -f`) must not find its own words there.
 */
export function scattered(script: string): string {
  return Array.from(new TextEncoder().encode(script), (byte, at) => {
    const character = String.fromCharCode(byte);
    return at % 2 === 0 && harmless.test(character) ? character : `\\0${byte.toString(8).padStart(3, '0')}`;
  }).join('');
}

const harmless = /^[\w @%+=:,./-]$/;
