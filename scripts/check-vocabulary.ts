// `npm run lint`: reports retired words (scripts/lib/retired-words.ts) in sources, pages, and schemas.
//
// An exception is a comment on the line, or on the line before it, with its reason:
//   // vocabulary: "word" REASON        in a source file
//   <!-- vocabulary: "word" REASON -->  in a page
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findRetiredWords } from './lib/find-retired-words.ts';
import { filesBelow, productFiles, root } from './lib/product-files.ts';

/** Pages and schemas that speak to users or developers. The changelog and the migration table quote old words. */
function files(): string[] {
  return [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'reports/README.md',
    'bin/firedrill.mjs',
    ...filesBelow('compose-lab', /\.md$/),
    ...filesBelow('docs', /\.md$/),
    ...filesBelow('schemas', /\.json$/),
    ...productFiles(),
  ].sort();
}

const problems = files().flatMap((path) => findRetiredWords(path, readFileSync(join(root, path), 'utf8')));
for (const { path, line, word, instead, found } of problems)
  console.error(`${path}:${line}: "${found}" is retired (${word}): write ${instead}`);
if (problems.length > 0) {
  console.error(`${problems.length} retired words`);
  process.exitCode = 1;
}
