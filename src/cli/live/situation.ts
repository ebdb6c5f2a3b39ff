/** What decides whether progress is a live view. */
export interface Situation {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderrIsTTY: boolean;
  readonly stdoutIsTTY: boolean;
  /** stdout gets JSON. */
  readonly json: boolean;
}

/** On a terminal that a person looks at, and which nothing else is written to. */
export function wantsLive({ env, stderrIsTTY, stdoutIsTTY, json }: Situation): boolean {
  if (!stderrIsTTY || env['TERM'] === 'dumb') return false;
  if (!['', '0', 'false', undefined].includes(env['CI'])) return false;
  return !(json && stdoutIsTTY);
}

/** Whether the terminal shows more than ASCII, by its type and the locale; without a locale, most do. */
export function showsUnicode(env: Situation['env']): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(
    (value) => value !== undefined && value !== '',
  );
  return env['TERM'] !== 'linux' && (locale === undefined || /utf-?8/i.test(locale));
}
