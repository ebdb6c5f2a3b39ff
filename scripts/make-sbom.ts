// Prints the CycloneDX list of what the npm package brings, from the lock file.
//
// `npm sbom --omit dev` is not used in the checkout: npm 11 leaves out production packages that a development package needs, too
// (zod, yaml). So npm first removes the development packages from a copy of the lock file; that needs no network.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { root } from './lib/product-files.ts';

const temporary = mkdtempSync(join(tmpdir(), 'firedrill-sbom-'));
try {
  // npm names the list's subject like the folder.
  const folder = join(temporary, 'firedrill');
  mkdirSync(folder);
  copyFileSync(join(root, 'package-lock.json'), join(folder, 'package-lock.json'));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  const { devDependencies: _dev, scripts: _scripts, ...shipped } = manifest;
  writeFileSync(join(folder, 'package.json'), JSON.stringify(shipped));
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await execa('npm', ['install', '--package-lock-only', '--offline', ...quiet], { cwd: folder });
  const { stdout } = await execa('npm', ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'], {
    cwd: folder,
  });
  process.stdout.write(`${stdout}\n`);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
