import { type DurationMs, wallMs, type WallMs } from '../../core/time.ts';

/** A captured VRRP advert. */
export interface VrrpAdvert {
  /** Capture time, in ms since the Unix epoch on the clock of the capturing host. */
  readonly wallMs: WallMs;
  /** Source address. */
  readonly source: string;
  readonly virtualRouterId: number;
  /** 0: the master stops (RFC 5798, 5.2.4). */
  readonly priority: number;
  /**
   * Interval until the next advert, as the advert declares it. VRRP version 2 uses seconds, and version 3
   * uses hundredths of a second.
   */
  readonly intervalMs: DurationMs;
}

/** A line of the capture that is not an advert in a known format. */
export interface UnreadPacket {
  /** Capture time, ms. Undefined if the line has no timestamp. */
  readonly wallMs: WallMs | undefined;
  /** Source address. Undefined if the line has none. */
  readonly source: string | undefined;
}

// `tcpdump -tt` begins each packet with its time. On `-i any`, tcpdump 4.99 adds the interface and the
// direction (print.c, pretty_print_packet): `1763722800.123456 eth0 M IP …`. The direction is `In`, `Out`,
// `B`, `M`, or `P`.
const stamp = /^(\d+\.\d+) (?:\S+ +(?:In|Out|B|M|P|\?) +)?/;

// What tcpdump 4.9 and 4.99 print with -tt (print-vrrp.c): `… 198.18.2.11 > 224.0.0.18: VRRPv2, Advertisement, vrid 51,
// prio 100, authtype simple, intvl 1s, length 20`. `ttl` is printed unless it is 255, and `authtype` only for
// version 2. Behind an authentication header (`AH(spi=…): `), the rest of the line is the same.
const advert =
  /^IP .*?(\S+) > \S+: .*?VRRPv[23], Advertisement, (?:\(ttl \d+\), )?vrid (\d+), prio (\d+),(?: authtype \S+,)? intvl (\d+)(c?)s\b/;

const sourceOf = /^IP6? (\S+) > \S+:/;

/** Parses a line of `tcpdump -n -tt`. Undefined for any line that is not an advert. */
export function parseAdvert(line: string): VrrpAdvert | undefined {
  const start = stamp.exec(line);
  if (start === null) return undefined;
  const match = advert.exec(line.slice(start[0].length));
  if (match === null) return undefined;
  const [, source = '', virtualRouterId, priority, interval, centi] = match;
  return {
    wallMs: wallMs(Number(start[1]) * 1000),
    source,
    virtualRouterId: Number(virtualRouterId),
    priority: Number(priority),
    intervalMs: Number(interval) * (centi === 'c' ? 10 : 1000),
  };
}

/**
 * The time and source of a line that `parseAdvert` cannot parse, if it has them. The line may be an advert.
 */
export function readUnknownLine(line: string): UnreadPacket {
  const start = stamp.exec(line);
  if (start === null) return { wallMs: undefined, source: undefined };
  const source = sourceOf.exec(line.slice(start[0].length))?.[1];
  return { wallMs: wallMs(Number(start[1]) * 1000), source };
}
