/**
 * Longest command in a message, characters: the error follows the command, and long messages are cut at their
 * end.
 */
const commandLimit = 100;
/** Characters kept from the end of a longer command, because the names are there. */
const endChars = 30;

/**
 * A command for a message: one line in backticks, without its scripts, and without its middle if it is long.
 */
export function commandWords(argv: readonly string[]): string {
  const line = argv
    .map((word) => (word.trim().includes('\n') ? '…' : word))
    .join(' ')
    .trim()
    .replaceAll(/\s+/g, ' ');
  if (line.length <= commandLimit) return `\`${line}\``;
  return `\`${line.slice(0, commandLimit - endChars - 1)}…${line.slice(-endChars)}\``;
}

/** How a command ended, with its output if there is any. */
export function exitText(exitCode: number, said: string): string {
  return [`exit ${exitCode}`, said.trim()].filter(Boolean).join(': ');
}
