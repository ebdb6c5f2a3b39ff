import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/**
 * Environment variables that make a child thread or process use this process's compile cache. A child does
 * not inherit the cache by itself.
 */
export function compileCache(): { readonly NODE_COMPILE_CACHE?: string } {
  // getCompileCacheDir() returns the folder for this Node version; the setting takes its parent.
  const own = getCompileCacheDir();
  return own === undefined ? {} : { NODE_COMPILE_CACHE: dirname(own) };
}
