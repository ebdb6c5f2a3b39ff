import type { FailCause } from '../../../src/core/sample.ts';
import type { SimulatedTime } from './simulated-time.ts';

/**
 * The treatment of requests by a service. Only `up` serves them.
 *
 * - `refuse`, `reset`: the connection fails at once.
 * - `error`: the service answers with a 5xx or a wrong body after `tookMs`.
 * - `drop`: a black hole. The client's SYN is lost; the client sends it again after 1 s, 3 s, and 7 s.
 * - `hang`: the service accepts requests and does not answer them. It answers them together when it is up again.
 */
export type Behavior =
  | { readonly kind: 'up'; readonly latencyMs: (nowMs: number) => number }
  | { readonly kind: 'refuse' | 'reset' | 'drop' | 'hang' }
  | { readonly kind: 'error'; readonly cause: FailCause; readonly tookMs: number };

/** The answer that a client gets. */
export type Reply =
  { readonly ok: true; readonly value?: string } | { readonly ok: false; readonly cause: FailCause };

/** The request met the service up or down at this time. */
export interface Evidence {
  readonly atMs: number;
  readonly isUp: boolean;
}

/** A request in progress. */
export interface Request {
  /** All states that the request met so far, in order of time. */
  readonly evidence: readonly Evidence[];
  /** The client gives up. */
  cancel(): void;
}

/** The service is up or down from this time on. */
export interface Change {
  readonly atMs: number;
  readonly isUp: boolean;
}

/** The times from the first SYN to its retransmissions, ms. */
const retransmissionsMs = [1000, 3000, 7000] as const;

interface OpenRequest {
  readonly evidence: Evidence[];
  readonly reply: (reply: Reply) => void;
  isOver: boolean;
  /** Cancels the service's work for this request. */
  cancelWork?: () => void;
}

/** A service with one behavior at a time. It records each change between up and down. */
export class Service {
  readonly #time: SimulatedTime;
  /** The network delay of one direction, ms. */
  readonly #wayMs: () => number;
  /** The value in the service's answer. */
  readonly #value: () => string | undefined;
  #behavior: Behavior;
  readonly #working = new Set<OpenRequest>();
  readonly #hanging = new Set<OpenRequest>();
  readonly #changes: Change[];

  constructor(
    time: SimulatedTime,
    behavior: Behavior,
    options: { readonly wayMs: () => number; readonly value?: () => string | undefined },
  ) {
    this.#time = time;
    this.#behavior = behavior;
    this.#wayMs = options.wayMs;
    this.#value = options.value ?? (() => undefined);
    this.#changes = [{ atMs: time.nowMs(), isUp: behavior.kind === 'up' }];
  }

  /** In order of time. Two successive changes differ in `isUp`. */
  get changes(): readonly Change[] {
    return this.#changes;
  }

  /** Changes the behavior now. */
  set(behavior: Behavior): void {
    const isUp = behavior.kind === 'up';
    if (this.#changes.at(-1)?.isUp !== isUp) this.#changes.push({ atMs: this.#time.nowMs(), isUp });
    this.#behavior = behavior;
    if (isUp) for (const request of take(this.#hanging)) this.#work(request, behavior.latencyMs);
    else this.#interrupt(behavior);
  }

  /** Sends a request now. Calls `reply` at most once, when the answer reaches the client. */
  request(reply: (reply: Reply) => void): Request {
    const request: OpenRequest = { evidence: [], reply, isOver: false };
    this.#send(request, this.#time.nowMs(), 0);
    return {
      evidence: request.evidence,
      cancel: () => {
        request.isOver = true;
        request.cancelWork?.();
        this.#working.delete(request);
        this.#hanging.delete(request);
      },
    };
  }

  #send(request: OpenRequest, firstMs: number, attempt: number): void {
    this.#time.at(
      this.#time.nowMs() + this.#wayMs(),
      () => {
        if (!request.isOver) this.#arrive(request, firstMs, attempt);
      },
      'io',
    );
  }

  #arrive(request: OpenRequest, firstMs: number, attempt: number): void {
    const behavior = this.#behavior;
    switch (behavior.kind) {
      case 'up':
        return this.#work(request, behavior.latencyMs);
      case 'refuse':
        return this.#fail(request, 'refused');
      case 'reset':
        return this.#fail(request, 'reset');
      case 'error':
        return this.#fail(request, behavior.cause, behavior.tookMs);
      case 'hang':
        this.#note(request, false);
        this.#hanging.add(request);
        return;
      case 'drop': {
        this.#note(request, false);
        const againMs = retransmissionsMs[attempt];
        if (againMs === undefined) return;
        this.#time.at(firstMs + againMs, () => {
          if (!request.isOver) this.#send(request, firstMs, attempt + 1);
        });
        return;
      }
    }
  }

  /** Fails the requests in progress, or lets them hang. */
  #interrupt(behavior: Exclude<Behavior, { kind: 'up' }>): void {
    const interrupted = take(this.#working);
    for (const request of interrupted) request.cancelWork?.();
    if (behavior.kind === 'hang' || behavior.kind === 'drop') {
      for (const request of interrupted) {
        this.#note(request, false);
        this.#hanging.add(request);
      }
      return;
    }
    const cause = behavior.kind === 'error' ? behavior.cause : 'reset';
    for (const request of [...interrupted, ...take(this.#hanging)]) this.#fail(request, cause);
  }

  #work(request: OpenRequest, latencyMs: (nowMs: number) => number): void {
    this.#working.add(request);
    const endMs = this.#time.nowMs() + latencyMs(this.#time.nowMs());
    request.cancelWork = this.#time.at(
      endMs,
      () => {
        this.#working.delete(request);
        this.#note(request, true);
        const value = this.#value();
        this.#reply(request, value === undefined ? { ok: true } : { ok: true, value });
      },
      'io',
    );
  }

  #fail(request: OpenRequest, cause: FailCause, tookMs = 0): void {
    this.#note(request, false);
    this.#reply(request, { ok: false, cause }, tookMs);
  }

  #reply(request: OpenRequest, reply: Reply, tookMs = 0): void {
    this.#time.at(
      this.#time.nowMs() + tookMs + this.#wayMs(),
      () => {
        if (request.isOver) return;
        request.isOver = true;
        request.reply(reply);
      },
      'io',
    );
  }

  #note(request: OpenRequest, isUp: boolean): void {
    request.evidence.push({ atMs: this.#time.nowMs(), isUp });
  }
}

/** Empties a set. Returns its items. */
function take<T>(set: Set<T>): readonly T[] {
  const items = [...set];
  set.clear();
  return items;
}
