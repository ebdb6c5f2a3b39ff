import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { changelogSection, tagProblem } from '../../scripts/lib/changelog.ts';
import { root } from './lib/our-files.ts';

const changelog = `# Changelog

## Unreleased

- next

## [1.1.0] - 2026-01-02

### Added

- A [page](docs/a.md#b), a [site](https://example.org/), and a [heading](#c).

## 1.0.0

- first

## 0.9.0
`;

describe('the text of a release', () => {
  test('is the section of its version, with links that work elsewhere', () => {
    expect(changelogSection(changelog, '1.1.0', 'https://example.org/v1.1.0/')).toBe(
      '### Added\n\n- A [page](https://example.org/v1.1.0/docs/a.md#b), a [site](https://example.org/), and a [heading](#c).\n',
    );
    expect(changelogSection(changelog, '1.0.0', '')).toBe('- first\n');
  });

  test('fails for a version without a section, or with an empty one', () => {
    expect(() => changelogSection(changelog, '2.0.0', '')).toThrow(
      'CHANGELOG.md has no section 2.0.0, only Unreleased, 1.1.0, 1.0.0, 0.9.0; hint: rename "Unreleased"',
    );
    expect(() => changelogSection(changelog, '0.9.0', '')).toThrow('the section 0.9.0 is empty');
  });

  test('fails if the tag is not the version of package.json', () => {
    expect(tagProblem('v1.2.3', '1.2.3')).toBeUndefined();
    expect(tagProblem('v1.2.4', '1.2.3')).toBe(
      'the tag is v1.2.4, and package.json has version 1.2.3: expected the tag v1.2.3',
    );
  });

  test('is printed for the version of this checkout', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const script = join(root, 'scripts/changelog-section.ts');
    const { stdout } = await execa(process.execPath, [script, `v${version}`, 'https://example.org/']);
    expect(stdout.length).toBeGreaterThan(100);
    const wrong = await execa(process.execPath, [script, 'v9.9.9'], { reject: false });
    expect([wrong.exitCode, wrong.stdout]).toEqual([1, '']);
    expect(wrong.stderr).toContain('expected the tag v');
  });
});
