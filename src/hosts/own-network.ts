import { readFileSync, readlinkSync } from 'node:fs';

/** The network namespace of this process, as `printNetwork` prints it for a host; undefined if it cannot be read. */
export function ownNetwork(): string | undefined {
  try {
    return `${readlinkSync('/proc/self/ns/net')}\n${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')}`;
  } catch {
    return undefined;
  }
}
