/** A VRRP advert as it was seen on the wire. */
export interface VrrpAdvert {
  /** When it was captured, ms since the Unix epoch on the clock of the host that captured it. */
  readonly wallMs: number;
  /** The address that it came from. */
  readonly source: string;
  readonly virtualRouterId: number;
  /** 0 is a master's goodbye (RFC 5798, 5.2.4). */
  readonly priority: number;
  /** Its own word on when the next one follows; version 2 counts in seconds, version 3 in hundredths. */
  readonly intervalMs: number;
}

// What tcpdump 4.9 and 4.99 print with -tt (print-vrrp.c): `… 198.18.2.11 > 224.0.0.18: VRRPv2, Advertisement, vrid 51,
// prio 100, authtype simple, intvl 1s, length 20`. `ttl` is told when it is not 255, `authtype` with version 2 only, and
// behind an authentication header (`AH(spi=…): `) it looks the same.
const pattern =
  /^(\d+\.\d+) IP .*?(\S+) > \S+: .*?VRRPv[23], Advertisement, (?:\(ttl \d+\), )?vrid (\d+), prio (\d+),(?: authtype \S+,)? intvl (\d+)(c?)s\b/;

/** Reads a line of `tcpdump -n -tt`; undefined for a line that is no advert, whatever else it is. */
export function parseAdvert(line: string): VrrpAdvert | undefined {
  const match = pattern.exec(line);
  if (match === null) return undefined;
  const [, stamp = '', source = '', virtualRouterId, priority, interval, centi] = match;
  return {
    wallMs: Number(stamp) * 1000,
    source,
    virtualRouterId: Number(virtualRouterId),
    priority: Number(priority),
    intervalMs: Number(interval) * (centi === 'c' ? 10 : 1000),
  };
}
