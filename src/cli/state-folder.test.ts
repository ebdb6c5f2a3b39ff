import { homedir, userInfo } from 'node:os';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { setStateFolder, stateFolder } from './state-folder.ts';

vi.mock('node:os', () => ({ homedir: vi.fn<() => string>(), userInfo: vi.fn<() => { homedir: string }>() }));

beforeEach(() => {
  for (const name of ['FIREDRILL_STATE_DIR', 'XDG_STATE_HOME']) vi.stubEnv(name, '');
  vi.mocked(homedir).mockReturnValue('/home/me');
  vi.mocked(userInfo, { partial: true }).mockReturnValue({ homedir: '/home/of-passwd' });
});
afterEach(() => vi.unstubAllEnvs());

const none = (): never => {
  throw new Error('uv_os_homedir returned ENOENT');
};

describe('the state folder', () => {
  test('is FIREDRILL_STATE_DIR, else in the XDG state folder, else in the home folder', () => {
    expect(stateFolder()).toBe('/home/me/.local/state/firedrill');
    vi.stubEnv('XDG_STATE_HOME', '/xdg');
    expect(stateFolder()).toBe('/xdg/firedrill');
    vi.stubEnv('FIREDRILL_STATE_DIR', '/own');
    expect(stateFolder()).toBe('/own');
  });

  test('does not depend on the working folder if XDG_STATE_HOME is relative, or HOME empty', () => {
    vi.stubEnv('XDG_STATE_HOME', 'state');
    expect(stateFolder()).toBe('/home/me/.local/state/firedrill');
    vi.mocked(homedir).mockReturnValue('');
    expect(stateFolder()).toBe('/home/of-passwd/.local/state/firedrill');
  });

  test('needs an option or a variable for a user without a home folder', () => {
    vi.mocked(homedir).mockImplementation(none);
    vi.mocked(userInfo).mockImplementation(none);
    expect(stateFolder).toThrow('cannot find the folder of undo records: this user has no home folder');
    setStateFolder('/chosen');
    expect(stateFolder()).toBe('/chosen');
  });

  test('is not the working folder if the option is empty', () => {
    expect(() => setStateFolder('')).toThrow('--state-dir is empty: expected a folder');
  });
});
