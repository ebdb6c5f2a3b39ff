import type { Host } from '../../core/host.ts';

/** For tests: the `follow` of a host that must not follow commands. */
export const neverFollowed: Host['follow'] = (argv) => {
  throw new Error(`unexpected followed command: ${argv.join(' ')}`);
};
