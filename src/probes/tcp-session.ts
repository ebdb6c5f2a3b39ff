import { connect, type Socket } from 'node:net';
import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import type { ProbeContext, ProbeKind, ProbeSession, ResolveName } from '../core/probe.ts';
import type { Observation, Phases } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import { nameLookup } from '../net/name-lookup.ts';
import { abortedBy, failureOf } from '../net/net-errors.ts';
import { hostPort, regex, requireHostPort, requireRegex } from '../net/text-params.ts';

const params = z.strictObject({
  address: hostPort.describe('host:port to connect to.'),
  send: z
    .string()
    .regex(/^[^\r\n]*$/, { error: 'expected one line without a line end' })
    .describe('Line to send for each sample. firedrill adds the line end (LF).'),
  expect: regex.describe('Regular expression that the next line from the server must match.'),
  greeting: regex
    .optional()
    .describe(
      'Regular expression for the last line of the server’s greeting. The probe sends nothing before that line. Without `greeting`, the first connection waits up to 250 ms for a greeting. If a greeting arrives, each later connection waits for its first line.',
    ),
});
type Params = z.output<typeof params>;

/** Longest unread input, in characters. More input than this is not a one-line answer. */
const lineLimit = 65_536;

/** Longest wait for a greeting while it is unknown whether the server sends one, ms. */
const greetingWithinMs = 250;

/** Sends a line and reads its answer over one connection, which it keeps for as long as it works. */
export const tcpSession: ProbeKind<Params> = {
  kind: 'tcp-session',
  summary:
    'A line and its answer over one kept TCP connection. When the connection breaks, the sample fails and the next sample opens another. The value is the number of connections so far. The recovery probe may use it only with `keptConnection: true`.',
  params,
  lane: 'network',
  needsHost: false,
  cost: () => ({ newConnections: 0, commands: 0, processes: 0 }),
  keepsSession: () => 'client',
  describe: (p) => `send "${p.send}" over one connection to ${p.address}`,
  open: async (p, ctx) => new Conversations(p, ctx),
};

/** An open connection. */
interface Connection {
  readonly socket: Socket;
  /** Received text that has not been read yet. */
  text: string;
  /** The failure after which no more text arrives. */
  broken: Observation | undefined;
  /** Called when text arrives or the connection breaks. */
  wake: () => void;
}

class Conversations implements ProbeSession {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #line: string;
  readonly #expect: RegExp;
  /** Matches the last line of the greeting. */
  readonly #greeting: RegExp | undefined;
  readonly #greetingWithinMs: number;
  /** Whether the server sends a greeting. Undefined until a connection has shown it. */
  #greets: boolean | undefined;
  readonly #clock: Clock;
  readonly #resolveName: ResolveName;
  #connection: Connection | undefined;
  #established = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(p: Params, { clock, resolveName, timeoutMs }: ProbeContext) {
    this.#target = requireHostPort(p.address);
    this.#line = `${p.send}\n`;
    this.#expect = requireRegex(p.expect);
    this.#greeting = p.greeting === undefined ? undefined : requireRegex(p.greeting);
    this.#greetingWithinMs = Math.min(greetingWithinMs, timeoutMs / 4);
    this.#clock = clock;
    this.#resolveName = resolveName;
  }

  async observe(signal: AbortSignal): Promise<Observation> {
    // One attempt at a time: an answer belongs to the line before it.
    const attempt = this.#turn.then(() => this.#attempt(signal));
    this.#turn = attempt;
    return attempt;
  }

  async close(): Promise<void> {
    this.#drop();
  }

  async #attempt(signal: AbortSignal): Promise<Observation> {
    if (signal.aborted) return abortedBy(signal);
    const seen = await this.#exchange(signal);
    // Otherwise a late or unexpected answer would be read as the answer to the next line.
    if (seen.status !== 'ok') this.#drop();
    return seen;
  }

  async #exchange(signal: AbortSignal): Promise<Observation> {
    const startMs = this.#clock.nowMs();
    const since = (): number => this.#clock.nowMs() - startMs;
    const phases: { -readonly [K in keyof Phases]: Phases[K] } = {};
    if (this.#connection === undefined) {
      this.#connection = await this.#connect(signal);
      if (this.#connection.broken === undefined) phases.connectMs = since();
      const missing = await this.#passGreeting(this.#connection, signal);
      if (missing !== undefined) return missing.status === 'fail' ? { ...missing, phases } : missing;
    }
    const connection = this.#connection;
    // Text that arrived after its attempt ended is not the answer to the line that is sent now.
    connection.text = '';
    if (connection.broken === undefined) connection.socket.write(this.#line);
    const answer = await this.#nextLine(connection, signal);
    if (typeof answer !== 'string') return answer.status === 'fail' ? { ...answer, phases } : answer;
    phases.firstByteMs = since();
    if (this.#expect.test(answer)) return { status: 'ok', value: String(this.#established), phases };
    const message = shorten(`the answer does not match ${this.#expect.source}: ${answer}`);
    return { status: 'fail', cause: 'bad-body', message, phases };
  }

  /** Reads the server's greeting. Returns a failure if a required greeting does not arrive. */
  async #passGreeting(connection: Connection, signal: AbortSignal): Promise<Observation | undefined> {
    if (this.#greeting !== undefined) return this.#awaitGreeting(this.#greeting, connection, signal);
    if (this.#greets === false || connection.broken !== undefined) return undefined;
    if (this.#greets === true) {
      const line = await this.#nextLine(connection, signal);
      return typeof line === 'string' ? undefined : line;
    }
    const within = AbortSignal.any([signal, AbortSignal.timeout(this.#greetingWithinMs)]);
    const line = await this.#nextLine(connection, within);
    if (typeof line === 'string') this.#greets = true;
    else if (connection.broken === undefined && !signal.aborted) this.#greets = false;
    return undefined;
  }

  async #awaitGreeting(
    greeting: RegExp,
    connection: Connection,
    signal: AbortSignal,
  ): Promise<Observation | undefined> {
    let said: string | undefined;
    for (;;) {
      const line = await this.#nextLine(connection, signal);
      if (typeof line !== 'string') {
        if (said === undefined || line.status === 'unknown') return line;
        const message = shorten(`the greeting does not match ${greeting.source}: ${said}`);
        return { status: 'fail', cause: 'bad-body', message };
      }
      if (greeting.test(line)) return undefined;
      said = line;
    }
  }

  /** A new connection: established, or broken with its failure. */
  async #connect(signal: AbortSignal): Promise<Connection> {
    const names = nameLookup(this.#resolveName);
    const socket = connect({ ...this.#target, noDelay: true, lookup: names.lookup });
    const connection: Connection = { socket, text: '', broken: undefined, wake: () => {} };
    const breaks = (why: Observation): void => {
      connection.broken ??= why;
      connection.wake();
    };
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    connection.wake = resolve;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      connection.text += text;
      if (connection.text.length > lineLimit) {
        breaks({
          status: 'fail',
          cause: 'bad-body',
          message: `received more than ${lineLimit} characters without a complete answer`,
        });
      }
      connection.wake();
    });
    socket.on('error', (error) => breaks(failureOf(error, 'reset')));
    socket.once('end', () => breaks(closed));
    socket.once('close', () => breaks(closed));
    socket.once('connect', () => {
      this.#established++;
      resolve();
    });
    const onAbort = (): void => breaks(abortedBy(signal, names));
    signal.addEventListener('abort', onAbort, { once: true });
    await settled;
    signal.removeEventListener('abort', onAbort);
    return connection;
  }

  async #nextLine(connection: Connection, signal: AbortSignal): Promise<string | Observation> {
    for (;;) {
      const [line, ...rest] = connection.text.split('\n');
      if (line !== undefined && rest.length > 0) {
        connection.text = rest.join('\n');
        return line.replace(/\r$/, '');
      }
      if (connection.broken !== undefined) return connection.broken;
      if (signal.aborted) return abortedBy(signal);
      const { promise, resolve } = Promise.withResolvers<void>();
      connection.wake = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
      await promise;
    }
  }

  #drop(): void {
    this.#connection?.socket.destroy();
    this.#connection = undefined;
  }
}

const closed: Observation = {
  status: 'fail',
  cause: 'reset',
  message: 'the server closed the connection',
};
