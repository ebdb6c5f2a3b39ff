import { setTimeout as sleep } from 'node:timers/promises';
import pRetry, { AbortError } from 'p-retry';
import { durationWords } from '../../core/format-duration.ts';
import { DrillError, messageOf } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { type Answer, type Call, createHttpClient } from '../../http/http-client.ts';
import { retryAfterMs } from '../../http/retry-after.ts';

/** A request that tells somebody of a drill. */
export interface Post {
  /** Made anew for each try: it may hold the time. */
  readonly call: () => Call;
  /** Who is told, for messages. */
  readonly to: string;
  /** The receiver knows a second one for the same: it may be sent again when nobody knows what became of the first. */
  readonly repeatable: boolean;
  /** What a 2xx complains of all the same. */
  readonly complaint?: (answer: Answer) => string | undefined;
}

/** Not delivered. `mayPass`: sending it later does no harm, and may do. */
export class Undelivered extends DrillError {
  readonly mayPass: boolean;

  constructor(post: Post, why: string, mayPass: boolean) {
    super('host-unreachable', `${post.to}: ${why}`);
    this.name = 'Undelivered';
    this.mayPass = mayPass;
  }
}

/** What a try may wait for, ms. */
export interface Patience {
  /** From the first try to the end of the last. */
  readonly wholeMs: number;
  /** Before the second try; each pause is up to twice as long as drawn, and twice as long as the one before. */
  readonly pauseMs: number;
}

/** Four tries within ten seconds. */
export const patience: Patience = { wholeMs: 10_000, pauseMs: 500 };
const retries = 3;

/** "Come back later", by the OTLP specification; where a second request would do harm, those that surely did nothing. */
const passing: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const surelyIdle: ReadonlySet<number> = new Set([429, 503]);

const http = createHttpClient({ verify: true });

/**
 * Sends a request until it is answered well, `signal` aborts, or its time is over.
 * @throws Undelivered saying why; never what was sent
 */
export async function deliver(
  post: Post,
  signal: AbortSignal,
  { wholeMs, pauseMs } = patience,
): Promise<void> {
  const endMs = performance.now() + wholeMs;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(wholeMs))]);
  let failure = new Undelivered(post, `no answer within ${durationWords(wholeMs)}`, post.repeatable);
  const once = async (): Promise<void> => {
    const result = await http(post.call(), bounded);
    if (result.kind === 'silence') {
      if (bounded.aborted) throw failure;
      failure = new Undelivered(post, result.why, post.repeatable || result.unsent === true);
      if (!failure.mayPass) throw new AbortError(failure);
      throw failure;
    }
    if (result.status >= 200 && result.status < 300) {
      const complaint = post.complaint?.(result);
      if (complaint === undefined) return;
      throw new AbortError((failure = new Undelivered(post, complaint, false)));
    }
    const again = (post.repeatable ? passing : surelyIdle).has(result.status);
    failure = new Undelivered(post, wordsOf(result), again);
    if (!again) throw new AbortError(failure);
    const askedMs = retryAfterMs(result.headers, Date.now());
    if (askedMs !== undefined) {
      if (performance.now() + askedMs >= endMs) throw new AbortError(failure);
      await sleep(askedMs, undefined, { signal: bounded });
    }
    throw failure;
  };
  try {
    await pRetry(once, { retries, minTimeout: pauseMs, factor: 2, randomize: true, signal: bounded });
  } catch (error) {
    // What p-retry says when the time is over says nothing of the endpoint.
    if (bounded.aborted || error instanceof Undelivered) throw failure;
    throw new Undelivered(post, messageOf(error), false);
  }
}

const shownChars = 200;

function wordsOf({ status, text }: Answer): string {
  const said = text.trim();
  const what = said === '' ? '' : `: ${printable(said, shownChars)}`;
  return `answered ${status}${status >= 300 && status < 400 ? ', a redirect, which is not followed' : ''}${what}`;
}
