import { z } from 'zod';
import { shorten } from '../core/shorten.ts';
import type { DurationMs, WallMs } from '../core/time.ts';
import type { Answer } from '../http/http-client.ts';
import { retryAfterMs as retryAfterOf } from '../http/retry-after.ts';

/** `{"conflictingRequest": {"code": 409, "message": "..."}}` of Nova, `{"error": {...}}` of Keystone. */
const faultSchema = z.record(
  z.string(),
  z.looseObject({ message: z.string(), retryAfter: z.union([z.string(), z.number()]).optional() }),
);

/** `{"errors": [{"status": 406, "title": "...", "detail": "..."}]}`: how Nova refuses a microversion. */
const errorsSchema = z.looseObject({
  errors: z.array(z.looseObject({ title: z.string().optional(), detail: z.string().optional() })).min(1),
});

/** Describes an error answer: status, the fault's name and message, and the request id for the cloud's support. */
export function describeAnswer(answer: Answer): string {
  const fault = faultOf(answer);
  const said =
    fault === undefined
      ? answer.body === undefined
        ? 'without a JSON body, perhaps from a proxy'
        : 'with a body of unknown form'
      : `${fault.name === 'error' ? '' : `${fault.name}: `}${shorten(fault.message)}`;
  const request = requestIdOf(answer);
  return `${answer.status} ${said}${request === undefined ? '' : ` (${request})`}`;
}

/** The request id in the answer's headers. The second header is Nova's older name. */
export function requestIdOf(answer: Answer): string | undefined {
  const id = answer.headers['x-openstack-request-id'] ?? answer.headers['x-compute-request-id'];
  // The id is used in URLs and logs, so its characters are checked.
  return id !== undefined && /^[\w.:-]{1,100}$/.test(id) ? id : undefined;
}

/**
 * How long to wait before the next request, ms, for an answer of a rate limit (429, or Nova's 413 `overLimit`). The source is
 * `Retry-After` (in seconds, or as a date on the cloud's clock if the answer has a `Date`), else the body's `retryAfter`,
 * else 1 s. Undefined for any other answer.
 */
export function retryAfterMs(answer: Answer, wallMs: WallMs): DurationMs | undefined {
  const fault = faultOf(answer);
  if (answer.status !== 429 && !(answer.status === 413 && fault?.name === 'overLimit')) return undefined;
  const inBody = fault?.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
  return retryAfterOf({ ...inBody, ...answer.headers }, wallMs) ?? 1000;
}

function faultOf(
  answer: Answer,
): { readonly name: string; readonly message: string; readonly retryAfter?: string | number } | undefined {
  const [error] = errorsSchema.safeParse(answer.body).data?.errors ?? [];
  const words = error?.detail ?? error?.title;
  if (words !== undefined) return { name: 'error', message: words };
  const parsed = faultSchema.safeParse(answer.body);
  const [entry] = Object.entries(parsed.data ?? {});
  if (entry === undefined) return undefined;
  const [name, { message, retryAfter }] = entry;
  return { name, message, ...(retryAfter === undefined ? {} : { retryAfter }) };
}
