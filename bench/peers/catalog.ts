import { autocannon } from './autocannon.ts';
import { curlLoop } from './curl-loop.ts';
import { fping } from './fping.ts';
import { hey } from './hey.ts';
import { httping } from './httping.ts';
import type { Peer } from './peer.ts';
import { prometheus } from './prometheus.ts';

/** All peers, in the order of the table. */
export const peers: readonly Peer[] = [curlLoop, prometheus, httping, hey, autocannon, fping];
