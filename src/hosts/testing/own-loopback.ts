const { pid } = process;

/**
 * For tests: a loopback address of this process alone. Its ports stay free while a test has closed them. Those of 127.0.0.1 may
 * be taken at any time by outgoing connections of other programs.
 */
export const ownLoopback = `127.${64 + ((pid >> 16) & 0x3f)}.${(pid >> 8) & 0xff}.${pid & 0xff}`;
