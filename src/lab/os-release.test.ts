import { describe, expect, it } from 'vitest';
import { isDebianFamily, parseOsRelease } from './os-release.ts';

describe('parseOsRelease', () => {
  it('reads quoted and bare values', () => {
    const os = parseOsRelease(
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_CODENAME=bookworm\n# note\n',
    );
    expect(os).toEqual({
      id: 'debian',
      idLike: [],
      codename: 'bookworm',
      prettyName: 'Debian GNU/Linux 12 (bookworm)',
    });
  });

  it('reads the related distributions from ID_LIKE', () => {
    const os = parseOsRelease("ID=linuxmint\nID_LIKE='ubuntu debian'\n");
    expect(os.idLike).toEqual(['ubuntu', 'debian']);
    expect(isDebianFamily(os)).toBe(true);
  });

  it('returns an unknown system for an empty or missing file', () => {
    const os = parseOsRelease('');
    expect(os.id).toBe('unknown');
    expect(isDebianFamily(os)).toBe(false);
  });

  it('undoes the escapes of os-release(5)', () => {
    expect(parseOsRelease('ID=x\nPRETTY_NAME="a \\"b\\" \\$c"\n').prettyName).toBe('a "b" $c');
  });
});
