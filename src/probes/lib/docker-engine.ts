import { Agent, request } from 'node:http';
import { Duplex } from 'node:stream';
import type { CommandPipe, Host } from '../../core/host.ts';
import { ProbeTimeout } from '../../core/probe.ts';

/** One answering late, and one more. */
const mostAsked = 2;
/** A request that hung is waited for up to this many time-outs. */
const mostPatience = 16;
/** Longest answer that is read; a container's state is shorter. */
const maxBodyBytes = 4_194_304;

/** What the engine answered. */
export interface EngineAnswer {
  readonly status: number;
  readonly body: string;
}

/** A Docker engine's API over a kept connection. */
export interface DockerEngine {
  /** True while earlier requests are unanswered and no other is allowed. */
  isBusy(): boolean;
  /**
   * GET of a path. Rejects when the connection breaks, and with the signal's reason when that aborts. A request that was
   * given up at its time-out goes on for one more, so that an engine that is merely slow is not asked for a new connection
   * each time. Each further one that hangs goes on for twice as long, up to 16 time-outs: an engine that is frozen closes none
   * of its connections, and would come back to hundreds of them.
   */
  get(path: string, signal: AbortSignal): Promise<EngineAnswer>;
  close(): void;
}

/**
 * `docker system dial-stdio` connects its standard streams with the engine that the host's Docker CLI uses, whatever its
 * context: it is how the CLI itself reaches an engine over SSH. One process on the host serves all samples; the CLI
 * would be one for each.
 */
export function dockerEngine(pipe: NonNullable<Host['pipe']>, timeoutMs: number): DockerEngine {
  const agent = new Agent({ keepAlive: true, maxSockets: mostAsked });
  agent.createConnection = () => new PipeSocket(pipe(['docker', 'system', 'dial-stdio']));
  let asked = 0;
  let patience = 1;
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
        patience = 1;
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      });
      let late: NodeJS.Timeout | undefined;
      const onAbort = (): void => {
        reject(signal.reason as Error);
        if (!(signal.reason instanceof ProbeTimeout)) return void sent.destroy();
        late = setTimeout(() => sent.destroy(), timeoutMs * patience).unref();
        patience = Math.min(2 * patience, mostPatience);
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

/** A command's pipe as a connection of node:http, with those methods of a socket that its agent calls. */
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
