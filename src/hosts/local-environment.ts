import { existsSync } from 'node:fs';

/** The two paths where glibc has the locale C.UTF-8. */
const neutralLocales = ['/usr/lib/locale/C.utf8', '/usr/lib/locale/C.UTF-8'];

/**
 * The same environment for commands on this machine as `environmentScript` (command-marks.ts) sets on other hosts: messages
 * in English, and the sbin folders in PATH. Undefined removes a variable.
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
