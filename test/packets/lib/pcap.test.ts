import { describe, expect, test } from 'vitest';
import { readPcap } from './pcap.ts';
import { madePcap, type MadeSegment } from './testing/made-capture.ts';

const syn: MadeSegment = {
  atMs: 1_795_000_000_123.456,
  way: '>',
  port: 40_000,
  flags: 'S',
  seq: 4_000_000_000,
};
const data: MadeSegment = {
  atMs: 1_795_000_000_124,
  way: '<',
  port: 40_000,
  seq: 7,
  payload: Buffer.from('hello'),
};

describe('a pcap file', () => {
  test.each([
    ['microseconds', {}],
    ['nanoseconds', { nanoseconds: true }],
    ['the other byte order', { bigEndian: true }],
    ['padded frames', { padding: 6 }],
  ])('has TCP segments: %s', (_, options) => {
    const [first, second, ...others] = readPcap(madePcap([syn, data], options));
    expect(first).toMatchObject({ from: '198.18.9.1:40000', to: '198.18.9.100:443', seq: 4_000_000_000 });
    expect(first).toMatchObject({ syn: true, ack: false, fin: false, rst: false });
    expect(first?.atMs).toBeCloseTo(1_795_000_000_123.456, 2);
    expect(first?.payload).toHaveLength(0);
    expect(second).toMatchObject({ from: '198.18.9.100:443', to: '198.18.9.1:40000', syn: false, ack: true });
    expect(second?.payload.toString()).toBe('hello');
    expect(others).toEqual([]);
  });

  test('may end in the middle of a packet, because tcpdump was stopped', () => {
    const file = madePcap([syn, data]);
    expect(readPcap(file.subarray(0, file.length - 1))).toHaveLength(1);
    expect(readPcap(file.subarray(0, 24))).toEqual([]);
  });

  test('is refused if it would be misread', () => {
    expect(() => readPcap(Buffer.alloc(24))).toThrow('not a pcap file');
    expect(() => readPcap(Buffer.alloc(3))).toThrow('3 bytes');
    expect(() => readPcap(madePcap([syn], { linkType: 276 }))).toThrow('link type 276');
    expect(() => readPcap(madePcap([data], { snapLength: 58 }))).toThrow('only 58 of its bytes');
  });
});
