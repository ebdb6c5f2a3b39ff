import { existsSync } from 'node:fs';

/** Where glibc has UTF-8 without a language, under either of its names. */
const neutralLocales = ['/usr/lib/locale/C.utf8', '/usr/lib/locale/C.UTF-8'];

/**
 * What `environmentScript` (command-marks.ts) sets on other hosts, for commands on this machine: messages in English, and
 * programs for administrators on the path. Undefined: not set.
 */
export function localEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<Record<string, string | undefined>> {
  const path = env['PATH'] || '/usr/local/bin:/usr/bin:/bin';
  return {
    PATH: `${path}:/usr/local/sbin:/usr/sbin:/sbin`,
    LC_ALL: neutralLocales.some((folder) => existsSync(folder)) ? 'C.UTF-8' : 'C',
    LANGUAGE: undefined,
  };
}
