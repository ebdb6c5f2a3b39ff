import type { Connection, Piece } from './connections.ts';
import { dataRecords } from './tls-records.ts';

/** The request of an attempt, and the criterion of a good answer. */
export type Question =
  /** HTTPS over TLS 1.3: a good answer has the byte count of most answers in the capture, because another status has another length. */
  | { readonly protocol: 'tls' }
  /** HTTP/1.1: a good answer is complete and has status 200. `request` is the start of the request line, for example `GET /health `. */
  | { readonly protocol: 'http'; readonly request: string }
  /** Lines and their answers over one connection. */
  | { readonly protocol: 'line'; readonly answer: RegExp };

/** An attempt on the server, from its packets. All times in ms since the Unix epoch. */
export type Attempt =
  | {
      readonly outcome: 'good';
      readonly sentMs: number;
      /** First and last packet of the server's response, without the handshake. */
      readonly answerFromMs: number;
      readonly answerToMs: number;
    }
  /** Refused, reset, closed too early, a bad answer, or no answer in time. `badMs` is the time of that result. */
  | {
      readonly outcome: 'bad';
      readonly sentMs: number;
      /** The server was down at this time: `badMs`, or for a timeout the send time. */
      readonly downMs: number;
      readonly badMs: number;
    };

/** A request and its answer. */
interface Exchange {
  readonly sentMs: number;
  /** undefined: no answer, or an incomplete one. */
  readonly answer: { readonly fromMs: number; readonly toMs: number; readonly good: boolean } | undefined;
  readonly clientEndMs: number;
  readonly serverEndMs: number;
}

/** A client that gives up has waited at least this share of the timeout, because its timer starts before the SYN. */
const nearlyAll = 0.95;
/** Maximum lateness of a client's timer on a busy machine, ms. */
const timerLagMs = 50;

/**
 * The attempts on a server, in the order in which they were sent. A new connection is one attempt from its SYN on; later
 * requests on it are ignored, because they do not test the listener. With `line`, each line is an attempt; the first one
 * starts at the SYN.
 *
 * Without an answer within `timeoutMs` an attempt is bad. A good answer just after that counts if the client still waited,
 * because its timer may be late. An attempt that the client ended earlier is ignored, because another client with a shorter
 * timeout may use the same server.
 */
export function attemptsIn(
  connections: readonly Connection[],
  question: Question,
  { timeoutMs, untilMs }: { readonly timeoutMs: number; readonly untilMs: number },
): readonly Attempt[] {
  return exchangesOf(connections, question)
    .flatMap((exchange) => attemptOf(exchange, timeoutMs, untilMs) ?? [])
    .sort((a, b) => a.sentMs - b.sentMs);
}

/** undefined: the exchange is ignored. */
function attemptOf(exchange: Exchange, timeoutMs: number, untilMs: number): Attempt | undefined {
  const { sentMs, answer, clientEndMs, serverEndMs } = exchange;
  const lateMs = sentMs + timeoutMs;
  const takenMs = Math.max(lateMs, Math.min(clientEndMs, lateMs + timerLagMs));
  if (answer?.good === true && answer.toMs <= takenMs)
    return { outcome: 'good', sentMs, answerFromMs: answer.fromMs, answerToMs: answer.toMs };
  if (answer?.good === false && answer.toMs <= lateMs)
    return { outcome: 'bad', sentMs, downMs: answer.toMs, badMs: answer.toMs };
  if (serverEndMs <= Math.min(clientEndMs, lateMs))
    return { outcome: 'bad', sentMs, downMs: serverEndMs, badMs: serverEndMs };
  const waitedMs = Math.min(clientEndMs, untilMs) - sentMs;
  if (waitedMs < nearlyAll * timeoutMs) return undefined;
  return { outcome: 'bad', sentMs, downMs: sentMs, badMs: Math.min(sentMs + waitedMs, lateMs) };
}

/** The exchanges with the given request. */
function exchangesOf(connections: readonly Connection[], question: Question): readonly Exchange[] {
  switch (question.protocol) {
    case 'tls':
      return tlsExchanges(connections);
    case 'http':
      return connections.flatMap((connection) => httpExchange(connection, question.request) ?? []);
    case 'line':
      return connections.flatMap((connection) => lineExchanges(connection, question.answer));
  }
}

function ends({ clientEnd, serverEnd }: Connection): Pick<Exchange, 'clientEndMs' | 'serverEndMs'> {
  return { clientEndMs: clientEnd?.atMs ?? Infinity, serverEndMs: serverEnd?.atMs ?? Infinity };
}

/** Bytes of a record in addition to its content: header, content type, tag. */
const recordOverhead = 22;
/** Content length of an alert: the server's close_notify is not part of its answer. */
const alertBytes = 2;

/**
 * The client's first data record ends its handshake, and the second one is the request. After the first, the server sends
 * session tickets and its answer: the same number of bytes each time, in any number of records. Tickets and answers cannot
 * be distinguished. Tickets come first and immediately, but the answer may be held: only the last record certainly belongs
 * to it. The most common request length is the question. Another length, as of a client that keeps its connection, is not.
 */
function tlsExchanges(connections: readonly Connection[]): readonly Exchange[] {
  const read = connections.map((connection) => {
    const [handshake, request, next] = dataRecords(connection.fromClient);
    const records = dataRecords(connection.fromServer).filter(
      ({ wholeMs, bytes }) =>
        wholeMs >= (handshake?.wholeMs ?? Infinity) &&
        wholeMs < (next?.wholeMs ?? Infinity) &&
        bytes !== alertBytes + recordOverhead,
    );
    const bytes = records.reduce((sum, record) => sum + record.bytes - recordOverhead, 0);
    return { connection, asked: request?.bytes, bytes, last: records.at(-1) };
  });
  const question = mostCommon(read.flatMap(({ asked }) => asked ?? []));
  const wholeBytes = mostCommon(read.flatMap(({ asked, bytes }) => (asked === question ? bytes : [])));
  return read.flatMap(({ connection, asked, bytes, last }) => {
    if (asked !== undefined && asked !== question) return [];
    const isWhole = asked !== undefined && bytes === wholeBytes && last !== undefined;
    const answer = isWhole ? { fromMs: last.beganMs, toMs: last.wholeMs, good: true } : undefined;
    return { sentMs: connection.synMs, answer, ...ends(connection) };
  });
}

function mostCommon(values: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** undefined: the request differs. */
function httpExchange(connection: Connection, request: string): Exchange | undefined {
  const { fromClient, fromServer, synMs } = connection;
  const asked = fromClient[0];
  if (asked !== undefined && !asked.bytes.toString('latin1').startsWith(request)) return undefined;
  const [fromMs] = fromServer.map(({ atMs }) => atMs);
  let text = '';
  for (const { atMs, bytes } of fromServer) {
    text += bytes.toString('latin1');
    if (fromMs === undefined || !isWholeReply(text)) continue;
    const good = text.startsWith('HTTP/1.1 200 ');
    return { sentMs: synMs, answer: { fromMs, toMs: atMs, good }, ...ends(connection) };
  }
  return { sentMs: synMs, answer: undefined, ...ends(connection) };
}

/** Whether a reply is complete, by its length or its last chunk. */
function isWholeReply(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return false;
  const length = /^content-length: *(\d+)/im.exec(text.slice(0, head))?.[1];
  return length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length >= head + 4 + Number(length);
}

function lineExchanges(connection: Connection, good: RegExp): readonly Exchange[] {
  const { clientEndMs, serverEndMs } = ends(connection);
  const requests = linesOf(connection.fromClient);
  const answers = linesOf(connection.fromServer);
  const exchanges = requests.map(({ atMs }, index): Exchange => {
    const sentMs = index === 0 ? connection.synMs : atMs;
    const nextMs = requests[index + 1]?.atMs ?? Infinity;
    const answer = answers.find((line) => line.atMs >= atMs && line.atMs < nextMs);
    return {
      sentMs,
      answer: answer && { fromMs: answer.atMs, toMs: answer.atMs, good: good.test(answer.text) },
      clientEndMs: Math.min(clientEndMs, nextMs),
      serverEndMs,
    };
  });
  const last = exchanges.at(-1);
  // The connection had no line, or the server ended it between two attempts.
  if (last === undefined || (last.answer !== undefined && serverEndMs < clientEndMs)) {
    const sentMs = last === undefined ? connection.synMs : serverEndMs;
    exchanges.push({ sentMs, answer: undefined, clientEndMs, serverEndMs });
  }
  return exchanges;
}

function linesOf(pieces: readonly Piece[]): readonly { readonly atMs: number; readonly text: string }[] {
  const lines: { atMs: number; text: string }[] = [];
  let held = '';
  for (const { atMs, bytes } of pieces) {
    const [first = '', ...rest] = (held + bytes.toString('utf8')).split('\n');
    const parts = [first, ...rest];
    held = parts.pop() ?? '';
    lines.push(...parts.map((text) => ({ atMs, text })));
  }
  return lines;
}
