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

/** A packet in the capture's text that is not an advert of a kind known here. */
export interface UnreadPacket {
  /** When it was captured, ms; undefined where the line has no time stamp. */
  readonly wallMs: number | undefined;
  /** The address that it came from; undefined where the line does not say so. */
  readonly source: string | undefined;
}

// `tcpdump -tt` begins each packet with its time. On `-i any`, tcpdump 4.99 adds the interface and the direction:
// `1763722800.123456 eth0  M   IP …` (print.c, pretty_print_packet), with `In`, `Out`, `B`, `M` and `P` for the direction.
const stamp = /^(\d+\.\d+) (?:\S+ +(?:In|Out|B|M|P|\?) +)?/;

// What tcpdump 4.9 and 4.99 print with -tt (print-vrrp.c): `… 198.18.2.11 > 224.0.0.18: VRRPv2, Advertisement, vrid 51,
// prio 100, authtype simple, intvl 1s, length 20`. `ttl` is told when it is not 255, `authtype` with version 2 only, and
// behind an authentication header (`AH(spi=…): `) it looks the same.
const advert =
  /^IP .*?(\S+) > \S+: .*?VRRPv[23], Advertisement, (?:\(ttl \d+\), )?vrid (\d+), prio (\d+),(?: authtype \S+,)? intvl (\d+)(c?)s\b/;

const sourceOf = /^IP6? (\S+) > \S+:/;

/** Reads a line of `tcpdump -n -tt`; undefined for a line that is no advert, whatever else it is. */
export function parseAdvert(line: string): VrrpAdvert | undefined {
  const start = stamp.exec(line);
  if (start === null) return undefined;
  const match = advert.exec(line.slice(start[0].length));
  if (match === null) return undefined;
  const [, source = '', virtualRouterId, priority, interval, centi] = match;
  return {
    wallMs: Number(start[1]) * 1000,
    source,
    virtualRouterId: Number(virtualRouterId),
    priority: Number(priority),
    intervalMs: Number(interval) * (centi === 'c' ? 10 : 1000),
  };
}

/** As much as can be said of a line that `parseAdvert` does not know. It may have been an advert. */
export function readUnknownLine(line: string): UnreadPacket {
  const start = stamp.exec(line);
  if (start === null) return { wallMs: undefined, source: undefined };
  const source = sourceOf.exec(line.slice(start[0].length))?.[1];
  return { wallMs: Number(start[1]) * 1000, source };
}
