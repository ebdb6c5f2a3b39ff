// Prints the CycloneDX list of what the npm package brings, from the lock file: its dependencies, and the packages that are bundled
// in its code, with all that these need. The latter have the property `cdx:npm:package:bundled`: an update of the dependencies does
// not update them.
//
// `npm sbom --omit dev` is not used in the checkout: npm 11 leaves out production packages that a development package needs, too
// (zod, yaml). So npm first removes the development packages from a copy of the lock file; that needs no network.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { bundle } from './lib/bundle.ts';
import { shippedPackages } from './lib/licenses.ts';
import { root } from './lib/product-files.ts';

/** The parts of a CycloneDX list that are read or written here. */
interface List {
  readonly components: { readonly 'bom-ref': string; properties?: { name: string; value: string }[] }[];
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: object;
}

const temporary = mkdtempSync(join(tmpdir(), 'firedrill-sbom-'));
try {
  // npm names the list's subject like the folder.
  const folder = join(temporary, 'firedrill');
  mkdirSync(folder);
  copyFileSync(join(root, 'package-lock.json'), join(folder, 'package-lock.json'));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  const { devDependencies, scripts: _scripts, ...rest } = manifest;
  const { packages } = await bundle();
  const bundled = Object.entries(devDependencies ?? {}).filter(([name]) =>
    packages.includes(`node_modules/${name}`),
  );
  const dependencies = { ...rest.dependencies, ...Object.fromEntries(bundled) };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...rest, dependencies }));
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await execa('npm', ['install', '--package-lock-only', '--offline', ...quiet], { cwd: folder });
  const { stdout } = await execa('npm', ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'], {
    cwd: folder,
  });
  const list = JSON.parse(stdout) as List;
  const refs = new Set(
    shippedPackages(root, packages)
      .filter(({ path }) => packages.includes(path))
      .map(({ name, version }) => `${name}@${version}`),
  );
  for (const component of list.components) {
    if (!refs.has(component['bom-ref'])) continue;
    (component.properties ??= []).push({ name: 'cdx:npm:package:bundled', value: 'true' });
  }
  process.stdout.write(`${JSON.stringify(list, null, 2)}\n`);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
