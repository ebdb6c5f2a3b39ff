// `npm run build`: compiles `src` to `dist`, which the package has in place of the sources.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicTypes } from './docs/public-types.ts';
import { filesBelow, root } from './lib/product-files.ts';
import { thinMappings } from './lib/thin-source-map.ts';

rmSync(join(root, 'dist'), { recursive: true, force: true });
const compiler = join(root, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
for (const path of filesBelow('dist', /\.map$/)) {
  const map = JSON.parse(readFileSync(join(root, path), 'utf8')) as { readonly mappings: string };
  writeFileSync(join(root, path), JSON.stringify({ ...map, mappings: thinMappings(map.mappings) }));
}
writeFileSync(join(root, 'dist/index.d.ts'), publicTypes());
