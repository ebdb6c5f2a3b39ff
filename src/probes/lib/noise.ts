/**
 * Lines that shells, their profiles, and sudo write to standard error around any command. They are neither
 * output nor errors of the command.
 */
const noise: readonly RegExp[] = [
  // bash, zsh, and Perl if the login's locale is not installed.
  /\bsetlocale\b|cannot (?:change|set) (?:the )?locale|^perl: warning: |^\s+(?:LANGUAGE|LC_[A-Z]+|LANG) = |^\s*are supported and installed on your system/i,
  // sudo runs the command in spite of these.
  /^sudo: unable to resolve host /,
  /^sudo: unable to send audit message/,
  // Profiles that expect a terminal.
  /^(?:stty|tput|mesg|ttyname)\b|TERM environment variable not set|Inappropriate ioctl for device|no job control in this shell/,
  // Profiles with errors.
  /^(?:\/etc\/profile\S*|\S*\/\.(?:ba|z|k)?sh(?:rc|env)|\S*\/\.(?:bash_)?profile): /,
  /^Warning: Permanently added /,
];

/** The lines of standard error without such noise, trimmed. */
export function withoutNoise(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !noise.some((pattern) => pattern.test(line)));
  return lines.join('\n').trim();
}
