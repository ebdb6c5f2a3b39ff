// `npm run build`: compiles `src` to `dist`, which the package has in place of the sources.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicTypes } from './docs/public-types.ts';
import { bundle } from './lib/bundle.ts';
import { noticesText, shippedPackages } from './lib/licenses.ts';
import { root } from './lib/product-files.ts';

const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
const { files, packages } = await bundle();
for (const [name, text] of files) writeFileSync(join(dist, name), text);
const bundled = shippedPackages(root, packages).filter(({ path }) => packages.includes(path));
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), noticesText(bundled));
writeFileSync(join(dist, 'index.d.ts'), publicTypes());
