import { packageVersion } from '../installation.ts';

/** Versions that a run records. */
export function versions(): { readonly firedrill: string; readonly node: string } {
  return { firedrill: packageVersion, node: process.versions.node };
}
