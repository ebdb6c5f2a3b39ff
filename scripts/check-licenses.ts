// `npm run licenses`: checks that each package that a user gets has an allowed license and ships its text.
import { bundle } from './lib/bundle.ts';
import { licenseProblems, shippedPackages } from './lib/licenses.ts';
import { root } from './lib/product-files.ts';

const packages = shippedPackages(root, (await bundle()).packages);
const problems = licenseProblems(packages);
for (const problem of problems) console.error(problem);
const counts = Map.groupBy(packages, ({ license }) => license ?? '(none)');
const counted = [...counts].map(([license, { length }]) => `${license} ${length}`);
console.log(`${packages.length} packages: ${counted.join(', ')}`);
if (problems.length > 0) process.exitCode = 1;
