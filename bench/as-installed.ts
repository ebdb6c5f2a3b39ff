import { fileURLToPath } from 'node:url';

/** The environment of `bin/firedrill.mjs`: compiled code is cached between runs. */
export function asInstalled(): NodeJS.ProcessEnv {
  const cache = fileURLToPath(new URL('../node_modules/.cache/firedrill', import.meta.url));
  return { ...process.env, NODE_COMPILE_CACHE: cache };
}
