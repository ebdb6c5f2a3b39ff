import type { Segment } from './pcap.ts';

/** In-order bytes of one direction that one packet completed. */
export interface Piece {
  readonly atMs: number;
  readonly bytes: Buffer;
}

/** How and when one side ended a connection. */
export interface End {
  readonly atMs: number;
  readonly by: 'fin' | 'rst';
}

/** A TCP connection that a client opened, from its packets alone. Times in ms since the Unix epoch. */
export interface Connection {
  readonly client: string;
  /** The client's first SYN. */
  readonly synMs: number;
  /** The first SYN-ACK. */
  readonly acceptedMs?: number;
  readonly fromClient: readonly Piece[];
  readonly fromServer: readonly Piece[];
  readonly clientEnd?: End;
  /** A RST before any SYN-ACK is a refusal. */
  readonly serverEnd?: End;
}

/** One direction: puts segments in order and drops repeated bytes. */
class Direction {
  readonly pieces: Piece[] = [];
  end: End | undefined;
  #next: number | undefined;
  #early: Segment[] = [];

  take(segment: Segment): void {
    if (segment.rst) {
      this.end ??= { atMs: segment.atMs, by: 'rst' };
      return;
    }
    if (segment.syn) {
      this.#next ??= (segment.seq + 1) >>> 0;
      return;
    }
    this.#early.push(segment);
    for (let progress = true; progress;) {
      progress = false;
      for (const waiting of this.#early) progress = this.#join(waiting, segment.atMs) || progress;
    }
  }

  /** Appends a segment that continues the stream, with the time at which the stream became complete up to it. */
  #join(segment: Segment, atMs: number): boolean {
    if (this.#next === undefined) return false;
    // Modulo 2^32: number of its bytes that are already known; negative if bytes before it are missing.
    const known = (this.#next - segment.seq) | 0;
    if (known < 0) return false;
    this.#early = this.#early.filter((other) => other !== segment);
    const bytes = segment.payload.subarray(known);
    if (bytes.length > 0) this.pieces.push({ atMs, bytes });
    this.#next = (this.#next + bytes.length) >>> 0;
    if (segment.fin) this.end ??= { atMs, by: 'fin' };
    return bytes.length > 0;
  }
}

interface Open {
  readonly client: string;
  readonly synMs: number;
  /** The SYN's sequence number: another number on the same port means another connection. */
  readonly seq: number;
  acceptedMs: number | undefined;
  readonly fromClient: Direction;
  readonly fromServer: Direction;
}

/**
 * The connections from one address to a server (`address:port`), in the order of their SYNs. Repeated packets
 * (retransmitted, or forwarded by another host) count once. Connections without a captured SYN are omitted.
 */
export function connectionsTo(
  server: string,
  clientAddress: string,
  segments: readonly Segment[],
): readonly Connection[] {
  const all: Open[] = [];
  const current = new Map<string, Open>();
  for (const segment of segments) {
    const isFromClient = segment.to === server && segment.from.startsWith(`${clientAddress}:`);
    const isFromServer = segment.from === server && segment.to.startsWith(`${clientAddress}:`);
    if (!isFromClient && !isFromServer) continue;
    const client = isFromClient ? segment.from : segment.to;
    let open = current.get(client);
    if (isFromClient && segment.syn && open?.seq !== segment.seq) {
      open = {
        client,
        synMs: segment.atMs,
        seq: segment.seq,
        acceptedMs: undefined,
        fromClient: new Direction(),
        fromServer: new Direction(),
      };
      current.set(client, open);
      all.push(open);
    }
    if (open === undefined) continue;
    if (isFromServer && segment.syn) open.acceptedMs ??= segment.atMs;
    (isFromClient ? open.fromClient : open.fromServer).take(segment);
  }
  return all.map(({ client, synMs, acceptedMs, fromClient, fromServer }) => ({
    client,
    synMs,
    fromClient: fromClient.pieces,
    fromServer: fromServer.pieces,
    ...(acceptedMs === undefined ? {} : { acceptedMs }),
    ...(fromClient.end === undefined ? {} : { clientEnd: fromClient.end }),
    ...(fromServer.end === undefined ? {} : { serverEnd: fromServer.end }),
  }));
}
