/** Longest command in a message, in characters: what went wrong comes after it, and long messages are cut at their end. */
const commandLimit = 100;
/** Of a command that is longer, so much of its end is kept: it has the names. */
const endChars = 30;

/** A command for a message, in backticks on one line: without its scripts, and without its middle where it is long. */
export function commandWords(argv: readonly string[]): string {
  const line = argv
    .map((word) => (word.trim().includes('\n') ? '…' : word))
    .join(' ')
    .trim()
    .replaceAll(/\s+/g, ' ');
  if (line.length <= commandLimit) return `\`${line}\``;
  return `\`${line.slice(0, commandLimit - endChars - 1)}…${line.slice(-endChars)}\``;
}

/** How a command ended, and what it said, if anything. */
export function exitWords(exitCode: number, said: string): string {
  return [`exit ${exitCode}`, said.trim()].filter(Boolean).join(': ');
}
