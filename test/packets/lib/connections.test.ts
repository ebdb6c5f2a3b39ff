import { describe, expect, test } from 'vitest';
import { connectionsTo, type Connection } from './connections.ts';
import { readPcap } from './pcap.ts';
import { conversation, madeClient, madePcap, madeServer, type MadeSegment } from './testing/made-capture.ts';

function read(...segments: readonly (readonly MadeSegment[])[]): readonly Connection[] {
  return connectionsTo(madeServer, madeClient, readPcap(madePcap(segments.flat())));
}

function said(pieces: Connection['fromServer']): readonly (readonly [number, string])[] {
  return pieces.map(({ atMs, bytes }) => [atMs, bytes.toString()]);
}

describe('a connection', () => {
  test("has each side's bytes with their times, and its end", () => {
    const [connection] = read(
      conversation(40_000, 1000, [
        [2, '>', 'question'],
        [5, '<', 'ans'],
        [6, '<', 'wer'],
        [7, '<', 'FIN'],
        [8, '>', 'FIN'],
      ]),
    );
    expect(connection).toMatchObject({ synMs: 1000, acceptedMs: 1000.1 });
    expect(said(connection?.fromClient ?? [])).toEqual([[1002, 'question']]);
    expect(said(connection?.fromServer ?? [])).toEqual([
      [1005, 'ans'],
      [1006, 'wer'],
    ]);
    expect(connection?.serverEnd).toEqual({ atMs: 1007, by: 'fin' });
    expect(connection?.clientEnd).toEqual({ atMs: 1008, by: 'fin' });
  });

  test('drops repeated bytes, and waits for missing ones', () => {
    const segment = (atMs: number, seq: number, text: string): MadeSegment => ({
      atMs,
      way: '<',
      port: 40_000,
      seq,
      payload: Buffer.from(text),
    });
    const [connection, ...others] = read(conversation(40_000, 1000, []), [
      { atMs: 1001, way: '>', port: 40_000, flags: 'S', seq: 1000 },
      segment(1002, 5004, 'def'),
      segment(1003, 5001, 'abc'),
      segment(1004, 5001, 'abcdefg'),
      segment(1005, 5001, 'abc'),
    ]);
    expect(others).toEqual([]);
    expect(connection?.synMs).toBe(1000);
    expect(said(connection?.fromServer ?? [])).toEqual([
      [1003, 'abc'],
      [1003, 'def'],
      [1004, 'g'],
    ]);
  });

  test('continues when sequence numbers wrap around', () => {
    const [connection] = read([
      { atMs: 1, way: '>', port: 40_000, flags: 'S', seq: 0xffff_fffd },
      { atMs: 2, way: '>', port: 40_000, seq: 0xffff_fffe, payload: Buffer.from('abc') },
      { atMs: 3, way: '>', port: 40_000, seq: 0xffff_fffe, payload: Buffer.from('abcd') },
    ]);
    expect(said(connection?.fromClient ?? [])).toEqual([
      [2, 'abc'],
      [3, 'd'],
    ]);
  });

  test('is refused by a RST, has no end without an answer, and is a new one if its port is used again', () => {
    const [refused, silent, again] = read([
      { atMs: 1, way: '>', port: 40_000, flags: 'S', seq: 1 },
      { atMs: 2, way: '<', port: 40_000, flags: 'RA' },
      { atMs: 3, way: '>', port: 40_001, flags: 'S', seq: 1 },
      { atMs: 4, way: '>', port: 40_000, flags: 'S', seq: 99 },
    ]);
    expect(refused?.serverEnd).toEqual({ atMs: 2, by: 'rst' });
    expect(refused).not.toHaveProperty('acceptedMs');
    expect(silent).not.toHaveProperty('serverEnd');
    expect(again).toMatchObject({ client: '198.18.9.1:40000', synMs: 4 });
    expect(again).not.toHaveProperty('serverEnd');
  });

  test('is omitted without its SYN, and if it is between other addresses', () => {
    const [, ...middle] = conversation(40_000, 1, [[1, '>', 'x']]);
    expect(read(middle)).toEqual([]);
    expect(connectionsTo('198.18.9.100:80', madeClient, readPcap(madePcap(conversation(4, 1, []))))).toEqual(
      [],
    );
    expect(connectionsTo(madeServer, '198.18.9.2', readPcap(madePcap(conversation(4, 1, []))))).toEqual([]);
  });
});
