import type { Connection, Piece } from './connections.ts';
import { dataRecords } from './tls-records.ts';

/** What is asked of the server, and how a good answer is known. */
export type Question =
  /** HTTPS over TLS 1.3: an answer is as long as most answers in the capture; another status has another length. */
  | { readonly protocol: 'tls' }
  /** HTTP/1.1: an answer is whole and has status 200. `request` begins the request line, e.g. `GET /health `. */
  | { readonly protocol: 'http'; readonly request: string }
  /** A line and its answer, again and again over one connection. */
  | { readonly protocol: 'line'; readonly answer: RegExp };

/** A look at the server as its packets show it; all ms since the Unix epoch. */
export type Look =
  | {
      readonly outcome: 'good';
      readonly sentMs: number;
      /** First and last packet of the server's answer: of its response, not of a handshake before it. */
      readonly answerFromMs: number;
      readonly answerToMs: number;
    }
  /** Refused, reset, closed too early, answered badly or not in time: known at `badMs`. */
  | {
      readonly outcome: 'bad';
      readonly sentMs: number;
      /** The server was down by then: at `badMs`, or for a time-out at its sending. */
      readonly downMs: number;
      readonly badMs: number;
    };

/** A request and what came back. */
interface Exchange {
  readonly sentMs: number;
  /** undefined: no answer, or not to its end. */
  readonly answer: { readonly fromMs: number; readonly toMs: number; readonly good: boolean } | undefined;
  readonly clientEndMs: number;
  readonly serverEndMs: number;
}

/** A client that gives up has waited this share of the time-out at least: its timer began before the SYN. */
const nearlyAll = 0.95;
/** So late a client's timer may be, ms: on a busy machine. */
const timerLagMs = 50;

/**
 * The looks at a server, in the order in which they were sent. A new connection is one
 * look, from its SYN, whatever is asked over it afterwards: who keeps a connection sees
 * no listener. With `line`, each line is a look; the first one is sent with the SYN.
 *
 * Without an answer within `timeoutMs` it is bad; a good answer just after that counts if its client was still there, whose
 * timer may be late. A look that its client gave up before that says nothing: a client of less patience may look at the same
 * server.
 */
export function looksIn(
  connections: readonly Connection[],
  question: Question,
  { timeoutMs, untilMs }: { readonly timeoutMs: number; readonly untilMs: number },
): readonly Look[] {
  return exchangesOf(connections, question)
    .flatMap((exchange) => lookOf(exchange, timeoutMs, untilMs) ?? [])
    .sort((a, b) => a.sentMs - b.sentMs);
}

/** undefined: it says nothing. */
function lookOf(exchange: Exchange, timeoutMs: number, untilMs: number): Look | undefined {
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

/** Without those that ask for something else. */
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

/** Of a record's bytes: header, content type, tag. */
const recordOverhead = 22;
/** Content of an alert: the server's goodbye is no part of its answer. */
const alertBytes = 2;

/**
 * The client's first record of data ends its handshake, the second one asks. The server's
 * session tickets and its answer come after the former: as many bytes each time, in
 * however many records. These look alike, and tickets come first, at once, though the
 * answer may be held up: only the last record is surely the answer's. What most requests
 * ask is the question; one of another length, such as that of a client which keeps its
 * connection, is something else.
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

/** undefined: something else was asked. */
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

/** A reply to its end, by its length or its last chunk. */
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
  // No line ever went over it, or the server ended it between two looks.
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
