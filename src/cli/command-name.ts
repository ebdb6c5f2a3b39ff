import { dirname, join, sep } from 'node:path';
import { codeExtension, packageRoot } from '../installation.ts';

/** How a user in this folder calls this installation of firedrill. */
export function commandName(): string {
  return codeExtension === 'ts' ? 'npx firedrill' : installedCommandName(packageRoot, process.cwd());
}

/**
 * `npx firedrill` if the package is a dependency of the project in this folder or of one around it, or if npx keeps it in
 * its own cache; `firedrill` for a global installation.
 */
export function installedCommandName(packageFolder: string, folder: string): string {
  if (packageFolder.includes(`${sep}_npx${sep}`)) return 'npx firedrill';
  for (let project = folder; ; project = dirname(project)) {
    if (packageFolder.startsWith(join(project, 'node_modules') + sep)) return 'npx firedrill';
    if (dirname(project) === project) return 'firedrill';
  }
}
