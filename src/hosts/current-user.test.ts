import { userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { currentUser } from './current-user.ts';

describe('the current user', () => {
  const noEntry = (): never => {
    throw new Error('A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)');
  };
  const uid = process.getuid?.();

  test('is the one of the user database', () => {
    const { username, homedir } = userInfo();
    expect(currentUser()).toMatchObject({ username, uid, homedir });
  });

  test('without an entry has the name and the home folder of the environment', () => {
    expect(currentUser(noEntry, { USER: 'runner', HOME: '/home/runner' })).toEqual({
      username: 'runner',
      uid,
      homedir: '/home/runner',
    });
  });

  test('without an entry and without a name has the UID as its name', () => {
    expect(currentUser(noEntry, { HOME: '/h' })).toEqual({ username: String(uid), uid, homedir: '/h' });
    expect(currentUser(noEntry, {})).toEqual({ username: String(uid), uid, homedir: '/' });
  });
});
