import { Agent, request } from 'node:http';
import { Duplex } from 'node:stream';
import type { CommandPipe, Host } from '../../core/host.ts';
import { ProbeTimeout } from '../../core/probe.ts';
import type { DurationMs } from '../../core/time.ts';

/** Most concurrent requests: a late one, and one more. */
const mostAsked = 2;
/** A hanging request is kept for up to this many timeouts. */
const maxTimeoutFactor = 16;
/** Longest answer that is read, in characters. A container's state is shorter. */
const maxBodyBytes = 4_194_304;

/** The engine's answer. */
export interface EngineAnswer {
  readonly status: number;
  readonly body: string;
}

/** A Docker engine's API over a kept connection. */
export interface DockerEngine {
  /** True while the limit of unanswered requests is reached. */
  isBusy(): boolean;
  /**
   * Sends a GET. Rejects if the connection breaks, and with the signal's reason if the signal aborts. After
   * its timeout, a request continues for one more timeout, so that a slow engine does not get a new
   * connection for each sample. Each further hanging request continues for twice as long, up to 16 timeouts.
   * A frozen engine closes no connections, and would otherwise find hundreds of them when it continues.
   */
  get(path: string, signal: AbortSignal): Promise<EngineAnswer>;
  close(): void;
}

/**
 * `docker system dial-stdio` connects its standard streams to the engine that the host's Docker CLI uses, in
 * any context. The CLI itself reaches an engine over SSH this way. One process on the host serves all
 * samples, but the CLI would need one process per sample.
 */
export function dockerEngine(pipe: NonNullable<Host['pipe']>, timeoutMs: DurationMs): DockerEngine {
  const agent = new Agent({ keepAlive: true, maxSockets: mostAsked });
  agent.createConnection = () => new PipeSocket(pipe(['docker', 'system', 'dial-stdio']));
  let asked = 0;
  let timeoutFactor = 1;
  return {
    isBusy: () => asked >= mostAsked,
    async get(path, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<EngineAnswer>();
      asked += 1;
      const sent = request({ agent, host: 'docker', path }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
          if (body.length > maxBodyBytes)
            sent.destroy(new Error(`the engine's answer is longer than ${maxBodyBytes} bytes`));
        });
        timeoutFactor = 1;
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      });
      let late: NodeJS.Timeout | undefined;
      const onAbort = (): void => {
        reject(signal.reason as Error);
        if (!(signal.reason instanceof ProbeTimeout)) return void sent.destroy();
        late = setTimeout(() => sent.destroy(), timeoutMs * timeoutFactor).unref();
        timeoutFactor = Math.min(2 * timeoutFactor, maxTimeoutFactor);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      sent.on('error', reject);
      sent.on('close', () => {
        asked -= 1;
        clearTimeout(late);
        signal.removeEventListener('abort', onAbort);
        reject(new Error('the connection to the engine was closed'));
      });
      sent.end();
      return promise;
    },
    close: () => agent.destroy(),
  };
}

/** A command's pipe as a connection for node:http, with the socket methods that its agent calls. */
class PipeSocket extends Duplex {
  readonly #pipe: CommandPipe;

  constructor(pipe: CommandPipe) {
    super();
    this.#pipe = pipe;
    pipe.onData((bytes) => void this.push(bytes));
    pipe.onEnd((why) => void this.destroy(new Error(why)));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#pipe.write(chunk);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#pipe.close();
    done(error);
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
