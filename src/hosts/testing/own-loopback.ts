const { pid } = process;

/**
 * For tests: a loopback address that only this process uses, so that its closed ports stay free. Outgoing connections of other
 * programs can take ports of 127.0.0.1 at any time.
 */
export const ownLoopback = `127.${64 + ((pid >> 16) & 0x3f)}.${(pid >> 8) & 0xff}.${pid & 0xff}`;
