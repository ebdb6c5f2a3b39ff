import { setTimeout as sleep } from 'node:timers/promises';
import pRetry, { AbortError } from 'p-retry';
import { durationText } from '../../core/format-duration.ts';
import { DrillError, messageOf } from '../../core/errors.ts';
import { messageText } from '../../core/message-text.ts';
import { type DurationMs, wallMs } from '../../core/time.ts';
import { type Answer, type Call, createHttpClient } from '../../http/http-client.ts';
import { retryAfterMs } from '../../http/retry-after.ts';

/** A request that reports a drill to an endpoint. */
export interface Post {
  /** Called for each attempt, because the request may contain the current time. */
  readonly call: () => Call;
  /** Name of the receiver for messages. */
  readonly to: string;
  /** The receiver recognizes a repeated request, so the request may be sent again if the outcome of the first is unknown. */
  readonly repeatable: boolean;
  /** The error in a 2xx answer, if it has one. */
  readonly problem?: (answer: Answer) => string | undefined;
}

/** Not delivered. `mayPass`: sending the request later is safe and may succeed. */
export class Undelivered extends DrillError {
  readonly mayPass: boolean;

  constructor(post: Post, why: string, mayPass: boolean) {
    super('host-unreachable', `${post.to}: ${why}`);
    this.name = 'Undelivered';
    this.mayPass = mayPass;
  }
}

/** Time limits of a delivery, ms. */
export interface DeliveryLimits {
  /** From the first attempt to the end of the last. */
  readonly wholeMs: DurationMs;
  /** Pause before the second attempt. Each pause doubles, times a random factor between 1 and 2. */
  readonly pauseMs: DurationMs;
}

/** Four attempts within 10 s. */
export const limits: DeliveryLimits = { wholeMs: 10_000, pauseMs: 500 };
const retries = 3;

/** Status codes to retry, from the OTLP specification. `surelyIdle`: codes of requests that certainly had no effect. */
const passing: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const surelyIdle: ReadonlySet<number> = new Set([429, 503]);

const http = createHttpClient({ verify: true });

/**
 * Sends a request until it gets a 2xx answer, `signal` aborts, or the time limit passes.
 * @throws Undelivered with the reason; its message never contains the request
 */
export async function deliver(post: Post, signal: AbortSignal, { wholeMs, pauseMs } = limits): Promise<void> {
  const endMs = performance.now() + wholeMs;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(wholeMs))]);
  let failure = new Undelivered(post, `no answer within ${durationText(wholeMs)}`, post.repeatable);
  const once = async (): Promise<void> => {
    const result = await http(post.call(), bounded);
    if (result.kind === 'silence') {
      if (bounded.aborted) throw failure;
      failure = new Undelivered(post, result.why, post.repeatable || result.unsent === true);
      if (!failure.mayPass) throw new AbortError(failure);
      throw failure;
    }
    if (result.status >= 200 && result.status < 300) {
      const problem = post.problem?.(result);
      if (problem === undefined) return;
      throw new AbortError((failure = new Undelivered(post, problem, false)));
    }
    const again = (post.repeatable ? passing : surelyIdle).has(result.status);
    failure = new Undelivered(post, wordsOf(result), again);
    if (!again) throw new AbortError(failure);
    const askedMs = retryAfterMs(result.headers, wallMs(Date.now()));
    if (askedMs !== undefined) {
      if (performance.now() + askedMs >= endMs) throw new AbortError(failure);
      await sleep(askedMs, undefined, { signal: bounded });
    }
    throw failure;
  };
  try {
    await pRetry(once, { retries, minTimeout: pauseMs, factor: 2, randomize: true, signal: bounded });
  } catch (error) {
    // After the time limit, p-retry's own error does not describe the endpoint.
    if (bounded.aborted || error instanceof Undelivered) throw failure;
    throw new Undelivered(post, messageOf(error), false);
  }
}

const shownChars = 200;

function wordsOf({ status, text }: Answer): string {
  const said = text.trim();
  const what = said === '' ? '' : `: ${messageText(said, shownChars)}`;
  return `answered ${status}${status >= 300 && status < 400 ? ' (redirects are not followed)' : ''}${what}`;
}
