import packageJson from '../../package.json' with { type: 'json' };

/** Versions that a run records. */
export function versions(): { readonly firedrill: string; readonly node: string } {
  return { firedrill: packageJson.version, node: process.versions.node };
}
