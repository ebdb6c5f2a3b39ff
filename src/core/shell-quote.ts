/** One word for a POSIX shell, whatever is in it: single quotes, and `'\''` for a quote within. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command for a POSIX shell that runs exactly this argv. */
export function shellCommand(argv: readonly string[]): string {
  return argv.map(shellQuote).join(' ');
}

/**
 * A command line that has a POSIX script run by /bin/sh, for whatever login shell reads it first: bash, dash, zsh, csh, fish.
 * They agree on what single quotes mean only as long as there is no quote, backslash, `!` or line break between them, so
 * that everything but harmless characters is written in octal, which `printf %b` undoes.
 */
export function anyShellCommand(script: string): string {
  const written = Array.from(new TextEncoder().encode(script), (byte) => {
    const character = String.fromCharCode(byte);
    return harmless.test(character) ? character : `\\0${byte.toString(8).padStart(3, '0')}`;
  });
  // The script is `$1`: what the shell says of a program begins with `$0`.
  return `exec /bin/sh -c 'eval "$(printf %b "$1")"' sh '${written.join('')}'`;
}

const harmless = /^[\w @%+=:,./-]$/;
