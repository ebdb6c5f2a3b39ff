// Prints the release notes of a tag: its section of CHANGELOG.md. Fails if the tag is not the version of package.json.
//
//   node scripts/changelog-section.ts TAG [URL]
//
// URL is the folder of the repository at that tag. It is put before links to files.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { changelogSection, tagProblem } from './lib/changelog.ts';
import { root } from './lib/product-files.ts';

const [tag = '', url = ''] = process.argv.slice(2);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly version: string;
};
try {
  const problem = tagProblem(tag, version);
  if (problem !== undefined) throw new Error(problem);
  process.stdout.write(changelogSection(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version, url));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
