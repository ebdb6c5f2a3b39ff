import type { Host } from '../../core/host.ts';

/** For tests: the `follow` of a host on which nothing is followed. */
export const neverFollowed: Host['follow'] = (argv) => {
  throw new Error(`not expected to be followed: ${argv.join(' ')}`);
};
