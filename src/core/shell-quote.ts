/** Quotes any text as one word for a POSIX shell: single quotes, with `'\''` for a quote inside. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command for a POSIX shell that runs exactly this argv. */
export function shellCommand(argv: readonly string[]): string {
  return argv.map(shellQuote).join(' ');
}

/**
 * Makes /bin/sh run a script in the encoding of `scattered`, which is its `$1`. The shell's error messages
 * begin with `$0`.
 */
const reader = 'eval "$(printf %b "$1")"';

/**
 * Starts a shell that reads commands from its standard input. The last word identifies it in a process list.
 */
export const keptShell: readonly string[] = ['sh', '-s', 'fd-kept'];

/** Texts in the command lines of firedrill's own shells, without word separators. */
export const ownShells: readonly string[] = [reader, keptShell.slice(1).join('')];

/**
 * A command line that runs a POSIX script in /bin/sh under any login shell: bash, dash, zsh, csh, fish. These
 * agree on single-quoted text only if it contains no quote, no `!`, no line break, and no backslash except
 * before a digit. `attached` are scattered scripts that the script passes on, as its `$2` and following.
 */
export function anyShellCommand(script: string, ...attached: readonly string[]): string {
  const words = [scattered(script), ...attached].map((word) => `'${word}'`);
  return `exec /bin/sh -c '${reader}' sh ${words.join(' ')}`;
}

/** The argv that runs a scattered script in /bin/sh. */
export function scatteredArgv(written: string): string[] {
  return ['/bin/sh', '-c', reader, 'sh', written];
}

/**
 * Encodes a script in characters that every shell passes through unchanged; `printf %b` decodes it. No two
 * plain characters are adjacent. While the script runs, it is in its shell's command line. A command that
 * matches command lines (`pgrep -f`) must not find its own words there.
 */
export function scattered(script: string): string {
  return Array.from(new TextEncoder().encode(script), (byte, at) => {
    const character = String.fromCharCode(byte);
    return at % 2 === 0 && harmless.test(character) ? character : `\\0${byte.toString(8).padStart(3, '0')}`;
  }).join('');
}

const harmless = /^[\w @%+=:,./-]$/;
