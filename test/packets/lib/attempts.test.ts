import { describe, expect, test } from 'vitest';
import { connectionsTo } from './connections.ts';
import { type Attempt, attemptsIn, type Question } from './attempts.ts';
import { readPcap } from './pcap.ts';
import {
  conversation,
  madeClient,
  madePcap,
  madeServer,
  type MadeSegment,
  tlsRecord,
} from './testing/made-capture.ts';

const limits = { timeoutMs: 900, untilMs: 100_000 };

function attempts(question: Question, ...segments: readonly (readonly MadeSegment[])[]): readonly Attempt[] {
  const inOrder = segments.flat().sort((a, b) => a.atMs - b.atMs);
  return attemptsIn(connectionsTo(madeServer, madeClient, readPcap(madePcap(inOrder))), question, limits);
}

function outcomes(found: readonly Attempt[]): readonly string[] {
  return found.map(({ outcome }) => outcome);
}

describe('plain HTTP', () => {
  const question: Question = { protocol: 'http', request: 'GET /health ' };
  const get = 'GET /health HTTP/1.1\r\n\r\n';
  const reply = (status: number): string => `HTTP/1.1 ${status} Said\r\nContent-Length: 4\r\n\r\nbody`;

  test('is good with status 200 and a complete body, from its first packet to its last', () => {
    const whole = reply(200);
    const found = attempts(
      question,
      conversation(1, 1000, [
        [1, '>', get],
        [5, '<', whole.slice(0, -2)],
        [9, '<', whole.slice(-2)],
      ]),
    );
    expect(found).toEqual([{ outcome: 'good', sentMs: 1000, answerFromMs: 1005, answerToMs: 1009 }]);
  });

  test('is also complete at its last chunk', () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    const found = attempts(
      question,
      conversation(1, 1000, [
        [1, '>', get],
        [5, '<', `${head}1\r\nx\r\n`],
        [9, '<', '0\r\n\r\n'],
      ]),
    );
    expect(found).toMatchObject([{ outcome: 'good', answerToMs: 1009 }]);
  });

  test.each<[string, readonly MadeSegment[], { readonly downMs: number; readonly badMs: number }]>([
    [
      'another status',
      conversation(1, 1000, [
        [1, '>', get],
        [5, '<', reply(503)],
      ]),
      { downMs: 1005, badMs: 1005 },
    ],
    [
      'an answer that breaks off',
      conversation(1, 1000, [
        [1, '>', get],
        [5, '<', 'HTTP/1.1 200'],
        [6, '<', 'FIN'],
      ]),
      { downMs: 1006, badMs: 1006 },
    ],
    [
      'a reset',
      conversation(1, 1000, [
        [1, '>', get],
        [5, '<', 'RST'],
      ]),
      { downMs: 1005, badMs: 1005 },
    ],
    [
      'an answer after its client gave up',
      conversation(1, 1000, [
        [1, '>', get],
        [899, '>', 'FIN'],
        [901, '<', reply(200)],
      ]),
      { downMs: 1000, badMs: 1899 },
    ],
    [
      'a late answer to a client with a longer timeout',
      conversation(1, 1000, [
        [1, '>', get],
        [951, '<', reply(200)],
      ]),
      { downMs: 1000, badMs: 1900 },
    ],
    [
      'a bad answer after the timeout',
      conversation(1, 1000, [
        [1, '>', get],
        [901, '<', reply(503)],
      ]),
      { downMs: 1000, badMs: 1900 },
    ],
    [
      'no answer',
      conversation(1, 1000, [
        [1, '>', get],
        [899, '>', 'FIN'],
      ]),
      { downMs: 1000, badMs: 1899 },
    ],
  ])('is bad with %s', (_, segments, times) => {
    expect(attempts(question, segments)).toEqual([{ outcome: 'bad', sentMs: 1000, ...times }]);
  });

  test('is bad if a SYN is refused or not answered', () => {
    const syn = (port: number, atMs: number): MadeSegment => ({ atMs, way: '>', port, flags: 'S', seq: 1 });
    const found = attempts(question, [
      syn(1, 1000),
      { atMs: 1000.2, way: '<', port: 1, flags: 'RA' },
      syn(2, 2000),
      { atMs: 2890, way: '>', port: 2, flags: 'FA', seq: 2 },
    ]);
    expect(found).toEqual([
      { outcome: 'bad', sentMs: 1000, downMs: 1000.2, badMs: 1000.2 },
      { outcome: 'bad', sentMs: 2000, downMs: 2000, badMs: 2890 },
    ]);
  });

  test("is also good if the answer arrives just after the timeout, because the client's timer may be late", () => {
    const found = attempts(
      question,
      conversation(1, 1000, [
        [1, '>', get],
        [931, '<', reply(200)],
        [960, '>', 'FIN'],
      ]),
    );
    expect(found).toEqual([{ outcome: 'good', sentMs: 1000, answerFromMs: 1931, answerToMs: 1931 }]);
  });

  test('is ignored if the client gave up early, asked for something else, or the capture ended', () => {
    expect(
      attempts(
        question,
        conversation(1, 1000, [
          [1, '>', get],
          [300, '>', 'FIN'],
        ]),
        conversation(2, 1000, [
          [1, '>', 'POST /visits HTTP/1.1\r\n\r\n'],
          [5, '<', reply(500)],
        ]),
        conversation(3, 99_900, [[1, '>', get]]),
      ),
    ).toEqual([]);
  });
});

describe('HTTPS', () => {
  const question: Question = { protocol: 'tls' };
  const hello = tlsRecord(22, 200);
  const [finished, request, keptRequest] = [tlsRecord(23, 69), tlsRecord(23, 113), tlsRecord(23, 118)];
  const serverFlight = Buffer.concat([tlsRecord(22, 90), tlsRecord(23, 600)]);
  const tickets = Buffer.concat([tlsRecord(23, 282), tlsRecord(23, 282)]);
  const goodbye = tlsRecord(23, 19);
  const asks: Parameters<typeof conversation>[2] = [
    [1, '>', hello],
    [2, '<', serverFlight],
    [3, '>', Buffer.concat([finished, request])],
    [4, '<', tickets],
  ];
  const good = (port: number, atMs: number): readonly MadeSegment[] =>
    conversation(port, atMs, [...asks, [8, '<', tlsRecord(23, 179)], [9, '<', goodbye], [9.1, '<', 'FIN']]);

  test('is good with the byte count of most answers, in any number of records', () => {
    const inTwo = [tlsRecord(23, 100), tlsRecord(23, 79 + 17)] as const;
    const found = attempts(
      question,
      good(1, 1000),
      good(2, 2000),
      conversation(3, 3000, [
        ...asks,
        [8, '<', inTwo[0]],
        [9, '<', inTwo[1].subarray(0, 20)],
        [11, '<', inTwo[1].subarray(20)],
      ]),
    );
    expect(found).toEqual([
      { outcome: 'good', sentMs: 1000, answerFromMs: 1008, answerToMs: 1008 },
      { outcome: 'good', sentMs: 2000, answerFromMs: 2008, answerToMs: 2008 },
      { outcome: 'good', sentMs: 3000, answerFromMs: 3009, answerToMs: 3011 },
    ]);
  });

  test('has the time of the response, not of the handshake or of tickets before it', () => {
    const held = conversation(3, 3000, [
      [1, '>', hello],
      [764, '<', serverFlight],
      [768, '>', Buffer.concat([finished, request])],
      [770, '<', tickets],
      [814, '<', Buffer.concat([tlsRecord(23, 179), goodbye])],
    ]);
    expect(attempts(question, good(1, 1000), good(2, 2000), held).at(-1)).toEqual({
      outcome: 'good',
      sentMs: 3000,
      answerFromMs: 3814,
      answerToMs: 3814,
    });
  });

  test('is bad with only tickets, half a record, another answer, or a handshake that hangs', () => {
    const found = attempts(
      question,
      good(1, 1000),
      good(2, 2000),
      conversation(3, 3000, [...asks, [20, '<', 'RST']]),
      conversation(4, 4000, [...asks, [8, '<', tlsRecord(23, 179).subarray(0, 90)], [20, '<', 'FIN']]),
      conversation(5, 5000, [...asks, [8, '<', tlsRecord(23, 300)], [20, '<', 'FIN']]),
      conversation(6, 6000, [
        [1, '>', hello],
        [899, '>', 'FIN'],
      ]),
    );
    expect(outcomes(found)).toEqual(['good', 'good', 'bad', 'bad', 'bad', 'bad']);
  });

  test('is ignored if the request differs, for example on a kept connection', () => {
    const kept = conversation(9, 500, [
      [1, '>', hello],
      [2, '<', serverFlight],
      [3, '>', Buffer.concat([finished, keptRequest])],
      [8, '<', tlsRecord(23, 300)],
    ]);
    expect(attempts(question, good(1, 1000), good(2, 2000), kept)).toHaveLength(2);
  });
});

describe('lines over one connection', () => {
  const question: Question = { protocol: 'line', answer: /^ack \d+$/ };

  test('are one attempt each; the first one starts at the SYN', () => {
    const found = attempts(
      question,
      conversation(1, 1000, [
        [2, '>', 'keep-alive\n'],
        [3, '<', 'ack 1\n'],
        [200, '>', 'keep-alive\n'],
        [203, '<', 'ack '],
        [204, '<', '2\n'],
        [400, '>', 'keep-alive\n'],
        [403, '<', 'error\n'],
      ]),
    );
    expect(found).toEqual([
      { outcome: 'good', sentMs: 1000, answerFromMs: 1003, answerToMs: 1003 },
      { outcome: 'good', sentMs: 1200, answerFromMs: 1204, answerToMs: 1204 },
      { outcome: 'bad', sentMs: 1400, downMs: 1403, badMs: 1403 },
    ]);
  });

  test('are bad if the server ends the connection before an answer or between two attempts', () => {
    const exchange: Parameters<typeof conversation>[2] = [
      [2, '>', 'keep-alive\n'],
      [3, '<', 'ack 1\n'],
    ];
    const found = attempts(
      question,
      conversation(1, 1000, [...exchange, [200, '>', 'keep-alive\n'], [201, '<', 'RST']]),
      conversation(2, 2000, [...exchange, [150, '<', 'FIN']]),
    );
    expect(found).toMatchObject([
      { outcome: 'good', sentMs: 1000 },
      { outcome: 'bad', sentMs: 1200, badMs: 1201 },
      { outcome: 'good', sentMs: 2000 },
      { outcome: 'bad', sentMs: 2150, badMs: 2150 },
    ]);
  });

  test('are ignored on a connection without a line', () => {
    expect(attempts(question, conversation(1, 1000, [[1, '>', 'FIN']]))).toEqual([]);
  });
});
