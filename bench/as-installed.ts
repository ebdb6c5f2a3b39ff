import { fileURLToPath } from 'node:url';

/** The environment in which firedrill's code runs as `bin/firedrill.mjs` has it: with compiled code kept between runs. */
export function asInstalled(): NodeJS.ProcessEnv {
  const cache = fileURLToPath(new URL('../node_modules/.cache/firedrill', import.meta.url));
  return { ...process.env, NODE_COMPILE_CACHE: cache };
}
