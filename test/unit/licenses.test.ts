import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundle } from '../../scripts/lib/bundle.ts';
import { licenseProblems, noticesText, shippedPackages } from '../../scripts/lib/licenses.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { root } from './lib/our-files.ts';

const granted = 'Permission is hereby granted, free of charge, to any person.';

/** A package as npm installs it. */
interface Installed {
  readonly lock?: object;
  readonly manifest?: object;
  readonly files?: Readonly<Record<string, string>>;
}

/** Writes a folder with a lock file and these packages; a package without a manifest is not installed. */
function folderWith(packages: Readonly<Record<string, Installed>>): string {
  const folder = temporaryFolder();
  const locked = Object.entries(packages).map(([name, { lock }]) => [
    `node_modules/${name}`,
    { version: '1.0.0', ...lock },
  ]);
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify({ packages: { '': {}, ...Object.fromEntries(locked) } }),
  );
  for (const [name, { manifest, files = {} }] of Object.entries(packages)) {
    if (manifest === undefined) continue;
    const at = join(folder, 'node_modules', name);
    mkdirSync(at, { recursive: true });
    for (const [file, text] of Object.entries({ ...files, 'package.json': JSON.stringify(manifest) }))
      writeFileSync(join(at, file), text);
  }
  return folder;
}

describe('the licenses of the shipped packages', () => {
  test('are allowed, and each package has the text of its license', async () => {
    const { packages: bundled } = await bundle();
    const packages = shippedPackages(root, bundled);
    // Those that are installed, such as zod, and those whose code is in the package, such as yaml.
    expect(packages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['zod', 'ssh2', 'yaml', 'd3-array']),
    );
    expect(licenseProblems(packages)).toEqual([]);
  });

  test('are problems if they are not on the list, missing, or without a text', () => {
    const folder = folderWith({
      gpl: { manifest: { license: 'GPL-3.0-only' }, files: { LICENSE: 'x' } },
      none: { manifest: {}, files: { 'LICENSE.txt': 'x' } },
      'no-text': { manifest: { license: 'MIT' }, files: { 'README.md': '# no-text\n\n## License\n\nMIT\n' } },
      both: { manifest: { license: '(MIT AND GPL-2.0-only)' }, files: { COPYING: 'x' } },
      'no-source': { manifest: { license: 'MPL-2.0' }, files: { LICENSE: 'x' } },
    });
    const unlisted = (name: string, license: string): string =>
      `${name}@1.0.0: the license ${license} is not on the list of scripts/lib/licenses.ts`;
    expect(licenseProblems(shippedPackages(folder))).toEqual([
      unlisted('gpl', 'GPL-3.0-only'),
      unlisted('none', '(none)'),
      'no-text@1.0.0: the package has no text of its license',
      unlisted('both', '(MIT AND GPL-2.0-only)'),
      'no-source@1.0.0: MPL-2.0 requires the address of the source, and package.json has no `repository`',
    ]);
  });

  test('are read from old forms of package.json, and from a section of the README', () => {
    const folder = folderWith({
      '@a/old': { manifest: { licenses: [{ type: 'MIT' }] }, files: { licence: 'the text' } },
      choice: { manifest: { license: '(GPL-2.0-only OR MIT)' }, files: { LICENSE: 'both texts' } },
      readme: {
        manifest: { license: 'ISC', repository: { url: 'https://example.org/readme.git' } },
        files: { 'README.md': `# readme\n\n## License\n\n${granted}\n\n## Other\n\nx\n` },
      },
    });
    const packages = shippedPackages(folder);
    expect(licenseProblems(packages)).toEqual([]);
    expect(packages.map(({ name, license, text }) => [name, license, text])).toEqual([
      ['@a/old', 'MIT', 'the text'],
      ['choice', '(GPL-2.0-only OR MIT)', 'both texts'],
      ['readme', 'ISC', granted],
    ]);
    expect(noticesText(packages)).toContain(
      `readme 1.0.0 (ISC)\nhttps://example.org/readme.git\n\n${granted}\n`,
    );
  });

  test('leave out development packages, links to folders, and optional packages that are not installed', () => {
    const folder = folderWith({
      tool: { lock: { dev: true }, manifest: { license: 'MIT' } },
      native: { lock: { optional: true } },
      linked: { lock: { link: true } },
    });
    expect(shippedPackages(folder)).toEqual([]);
    expect(shippedPackages(folder, ['node_modules/tool']).map(({ name }) => name)).toEqual(['tool']);
    expect(() => shippedPackages(folderWith({ lost: {} }))).toThrow('node_modules/lost: it is not installed');
  });
});
