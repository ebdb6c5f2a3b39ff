import { createLocalHost } from '../hosts/local.ts';

/** This machine as a host, for the tests of an extension. */
export const localHost = createLocalHost;
