import type { Piece } from './connections.ts';

/** A TLS record of application data, with the times of its first and last byte. */
export interface DataRecord {
  readonly beganMs: number;
  readonly wholeMs: number;
  readonly bytes: number;
}

const applicationData = 23;
const headerBytes = 5;

/**
 * The complete records of application data in one direction (RFC 8446, 5.1). In TLS 1.3 these are all records after the
 * hellos, including encrypted handshake messages and session tickets.
 */
export function dataRecords(pieces: readonly Piece[]): readonly DataRecord[] {
  const records: DataRecord[] = [];
  let held = Buffer.alloc(0);
  let beganMs = 0;
  for (const { atMs, bytes } of pieces) {
    if (held.length === 0) beganMs = atMs;
    held = Buffer.concat([held, bytes]);
    while (held.length >= headerBytes) {
      const end = headerBytes + held.readUInt16BE(3);
      if (held.length < end) break;
      if (held.readUInt8(0) === applicationData) records.push({ beganMs, wholeMs: atMs, bytes: end });
      held = held.subarray(end);
      beganMs = atMs;
    }
  }
  return records;
}
