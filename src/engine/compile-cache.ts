import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/** What a thread or a process of ours needs in its environment to share our compile cache: it has none by itself, even if we have. */
export function compileCache(): { readonly NODE_COMPILE_CACHE?: string } {
  // That of this version of Node, in the folder that all share.
  const own = getCompileCacheDir();
  return own === undefined ? {} : { NODE_COMPILE_CACHE: dirname(own) };
}
