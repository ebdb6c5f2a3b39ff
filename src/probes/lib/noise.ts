/**
 * Lines that shells, their profiles, and sudo write on standard error around a command, whatever it does. They are neither
 * an answer nor a complaint of the command.
 */
const noise: readonly RegExp[] = [
  // bash, zsh, and Perl where the locale of whoever logged in is not there.
  /\bsetlocale\b|cannot (?:change|set) (?:the )?locale|^perl: warning: |^\s+(?:LANGUAGE|LC_[A-Z]+|LANG) = |^\s*are supported and installed on your system/i,
  // sudo goes on after these.
  /^sudo: unable to resolve host /,
  /^sudo: unable to send audit message/,
  // Profiles that expect a terminal.
  /^(?:stty|tput|mesg|ttyname)\b|TERM environment variable not set|Inappropriate ioctl for device|no job control in this shell/,
  // Profiles with mistakes in them.
  /^(?:\/etc\/profile\S*|\S*\/\.(?:ba|z|k)?sh(?:rc|env)|\S*\/\.(?:bash_)?profile): /,
  /^Warning: Permanently added /,
];

/** The lines of a standard error that are not noise of its surroundings, trimmed. */
export function withoutNoise(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !noise.some((pattern) => pattern.test(line)));
  return lines.join('\n').trim();
}
