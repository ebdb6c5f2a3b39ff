/** One captured TCP segment over IPv4. */
export interface Segment {
  /** The capture's time stamp, ms since the Unix epoch. */
  readonly atMs: number;
  /** `address:port` */
  readonly from: string;
  readonly to: string;
  readonly seq: number;
  readonly syn: boolean;
  readonly ack: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  readonly payload: Buffer;
}

const fileHeaderBytes = 24;
const recordHeaderBytes = 16;
const ethernet = 1;
const etherIpv4 = 0x0800;
const protocolTcp = 6;

/**
 * Reads the TCP segments of a classic pcap file (draft-ietf-opsawg-pcap) with Ethernet frames, in the file's order. Other
 * packets and an incomplete last record are skipped.
 *
 * @throws Error for another file format or frame type, and for truncated packets
 */
export function readPcap(file: Buffer): readonly Segment[] {
  if (file.length < fileHeaderBytes) throw new Error(`read a pcap file: it has only ${file.length} bytes`);
  const magic = file.readUInt32LE(0).toString(16);
  const little = magic === 'a1b2c3d4' || magic === 'a1b23c4d';
  const ticks = { a1b2c3d4: 1e3, d4c3b2a1: 1e3, a1b23c4d: 1e6, '4d3cb2a1': 1e6 }[magic];
  if (ticks === undefined) throw new Error(`read a pcap file: not a pcap file: it begins with ${magic}`);
  const word = (at: number): number => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const linkType = word(20) & 0xffff;
  if (linkType !== ethernet) throw new Error(`read a pcap file: link type ${linkType} is not Ethernet (1)`);

  const segments: Segment[] = [];
  let at = fileHeaderBytes;
  while (at + recordHeaderBytes <= file.length) {
    const atMs = word(at) * 1000 + word(at + 4) / ticks;
    const length = word(at + 8);
    const frame = file.subarray(at + recordHeaderBytes, at + recordHeaderBytes + length);
    if (frame.length < length) break;
    if (length < word(at + 12)) throw new Error(`read a pcap file: a packet has only ${length} of its bytes`);
    const segment = segmentOf(frame, atMs);
    if (segment !== undefined) segments.push(segment);
    at += recordHeaderBytes + length;
  }
  return segments;
}

function segmentOf(frame: Buffer, atMs: number): Segment | undefined {
  if (frame.length < 34 || frame.readUInt16BE(12) !== etherIpv4) return undefined;
  // Cut at the IP length, to drop the Ethernet frame's padding.
  const ip = frame.subarray(14, 14 + frame.readUInt16BE(16));
  const ipHeader = (ip.readUInt8(0) & 0x0f) * 4;
  if (ip.readUInt8(9) !== protocolTcp || ip.length < ipHeader + 20) return undefined;
  const tcp = ip.subarray(ipHeader);
  const flags = tcp.readUInt8(13);
  return {
    atMs,
    from: `${[...ip.subarray(12, 16)].join('.')}:${tcp.readUInt16BE(0)}`,
    to: `${[...ip.subarray(16, 20)].join('.')}:${tcp.readUInt16BE(2)}`,
    seq: tcp.readUInt32BE(4),
    fin: (flags & 0x01) !== 0,
    syn: (flags & 0x02) !== 0,
    rst: (flags & 0x04) !== 0,
    ack: (flags & 0x10) !== 0,
    payload: tcp.subarray((tcp.readUInt8(12) >> 4) * 4),
  };
}
