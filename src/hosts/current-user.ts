import { userInfo } from 'node:os';

/** The user that runs firedrill. */
export interface CurrentUser {
  readonly username: string;
  readonly uid: number;
  readonly homedir: string;
}

/**
 * The user as passwd(5) has it. A container that runs as any UID (`docker run --user`) may have no entry: then the name is
 * `$USER`, or else the UID, and the home folder is `$HOME`, or else `/`.
 */
export function currentUser(
  read: () => CurrentUser = userInfo,
  env: Readonly<Record<string, string | undefined>> = process.env,
): CurrentUser {
  try {
    return read();
  } catch {
    const uid = process.getuid?.() ?? -1;
    const { USER: name = '', HOME: home = '' } = env;
    return { username: name === '' ? String(uid) : name, uid, homedir: home === '' ? '/' : home };
  }
}
