/** The facts that decide whether progress is a live view. */
export interface TerminalFacts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderrIsTTY: boolean;
  readonly stdoutIsTTY: boolean;
  /** stdout gets JSON. */
  readonly json: boolean;
}

/** True for an interactive terminal that gets no other output. */
export function showsLiveView({ env, stderrIsTTY, stdoutIsTTY, json }: TerminalFacts): boolean {
  if (!stderrIsTTY || env['TERM'] === 'dumb') return false;
  if (!['', '0', 'false', undefined].includes(env['CI'])) return false;
  return !(json && stdoutIsTTY);
}

/** Whether the terminal can show non-ASCII characters, by its type and the locale. Without a locale, most terminals can. */
export function showsUnicode(env: TerminalFacts['env']): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(
    (value) => value !== undefined && value !== '',
  );
  return env['TERM'] !== 'linux' && (locale === undefined || /utf-?8/i.test(locale));
}
