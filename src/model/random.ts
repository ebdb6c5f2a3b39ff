/** Mixes a word into a hash: one round of MurmurHash3 (x86, 32 bit). */
function mixed(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = hash ^ k;
  return Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
}

/**
 * A pseudorandom number in [0, 1) for a seed, a trial, and a part of the model. It is a hash and not the next number
 * of a stream: a part gets the same number whatever other parts the model has. So two settings are compared with the
 * same random numbers.
 */
export function chance(seed: number, trial: number, part: number): number {
  let hash = mixed(mixed(mixed(seed >>> 0, Math.floor(seed / 2 ** 32)), trial), part);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
