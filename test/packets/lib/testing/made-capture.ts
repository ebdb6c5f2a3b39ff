const client = [198, 18, 9, 1];
const server = [198, 18, 9, 100];

/** Server address of the simulated client. */
export const madeServer = '198.18.9.100:443';
export const madeClient = '198.18.9.1';

/** One segment of a simulated capture: `>` from the client, `<` from the server. */
export interface MadeSegment {
  readonly atMs: number;
  readonly way: '>' | '<';
  /** The client's port, which identifies the connection. */
  readonly port: number;
  /** A combination of S, A, F, and R. */
  readonly flags?: string;
  readonly seq?: number;
  readonly payload?: Buffer;
}

/** Builds a pcap file of Ethernet frames, with the layouts of RFC 791, RFC 9293, and the pcap draft. */
export function madePcap(
  segments: readonly MadeSegment[],
  { nanoseconds = false, bigEndian = false, linkType = 1, snapLength = 65_535, padding = 0 } = {},
): Buffer {
  const words = (...values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(values.length * 4);
    for (const [index, value] of values.entries())
      if (bigEndian) bytes.writeUInt32BE(value, index * 4);
      else bytes.writeUInt32LE(value, index * 4);
    return bytes;
  };
  // The reader ignores the version (2.4), so it stays 0.
  const header = words(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 0, 0, 0, snapLength, linkType);
  const records = segments.flatMap((segment) => {
    const frame = Buffer.concat([frameOf(segment), Buffer.alloc(padding)]);
    const kept = frame.subarray(0, snapLength);
    const seconds = Math.floor(segment.atMs / 1000);
    const ticks = Math.round((segment.atMs - seconds * 1000) * (nanoseconds ? 1e6 : 1e3));
    return [words(seconds, ticks, kept.length, frame.length), kept];
  });
  return Buffer.concat([header, ...records]);
}

function frameOf({ way, port, flags = 'A', seq = 0, payload = Buffer.alloc(0) }: MadeSegment): Buffer {
  const ethernet = Buffer.alloc(14);
  ethernet.writeUInt16BE(0x0800, 12);
  const ip = Buffer.alloc(20);
  ip.writeUInt8(0x45, 0);
  ip.writeUInt16BE(40 + payload.length, 2);
  ip.writeUInt8(6, 9);
  ip.set(way === '>' ? [...client, ...server] : [...server, ...client], 12);
  const tcp = Buffer.alloc(20);
  tcp.writeUInt16BE(way === '>' ? port : 443, 0);
  tcp.writeUInt16BE(way === '>' ? 443 : port, 2);
  tcp.writeUInt32BE(seq, 4);
  tcp.writeUInt8(0x50, 12);
  const bits = { F: 0x01, S: 0x02, R: 0x04, A: 0x10 };
  tcp.writeUInt8(
    Object.entries(bits).reduce((sum, [letter, bit]) => (flags.includes(letter) ? sum | bit : sum), 0),
    13,
  );
  return Buffer.concat([ethernet, ip, tcp, payload]);
}

/** A TLS record of a type (22 handshake, 23 data) with `contentBytes` zero bytes. */
export function tlsRecord(type: number, contentBytes: number): Buffer {
  const record = Buffer.alloc(5 + contentBytes);
  record.writeUInt8(type, 0);
  record.writeUInt16BE(0x0303, 1);
  record.writeUInt16BE(contentBytes, 3);
  return record;
}

/** The packets of one connection: it opens at `atMs`, then each side sends its data `afterMs` later. */
export function conversation(
  port: number,
  atMs: number,
  said: readonly (readonly [afterMs: number, way: '>' | '<', what: Buffer | string])[],
): readonly MadeSegment[] {
  const next = { '>': 1001, '<': 5001 };
  return [
    { atMs, way: '>', port, flags: 'S', seq: 1000 },
    { atMs: atMs + 0.1, way: '<', port, flags: 'SA', seq: 5000 },
    ...said.map(([afterMs, way, what]): MadeSegment => {
      const seq = next[way];
      if (what === 'FIN') return { atMs: atMs + afterMs, way, port, flags: 'FA', seq };
      if (what === 'RST') return { atMs: atMs + afterMs, way, port, flags: 'R', seq };
      const payload = Buffer.from(what);
      next[way] += payload.length;
      return { atMs: atMs + afterMs, way, port, seq, payload };
    }),
  ];
}
