const bytes = [process.pid >> 16, process.pid >> 8, process.pid].map((part) => part & 0xff);

/**
 * For tests: a loopback address of this process alone. Its ports stay free while a test has closed them: those of 127.0.0.1
 * are taken at any time by outgoing connections of other programs.
 */
export const ownLoopback = `127.${64 + ((bytes[0] ?? 0) & 0x3f)}.${bytes[1]}.${bytes[2]}`;
