import packageJson from '../../package.json' with { type: 'json' };

/** What a run records about the program that made it. */
export function versions(): { readonly firedrill: string; readonly node: string } {
  return { firedrill: packageJson.version, node: process.versions.node };
}
