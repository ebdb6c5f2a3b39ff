import { createHmac } from 'node:crypto';
import { DrillError } from '../core/errors.ts';
import type { Summary } from '../core/summary.ts';
import { endpoint, needed, secretsOf, setting } from './lib/endpoint.ts';
import { outbox } from './lib/outbox.ts';
import type { FinishedDrill, ReporterKind } from './reporter.ts';

const urlName = 'FIREDRILL_WEBHOOK_URL';
const secretName = 'FIREDRILL_WEBHOOK_SECRET';
const prefix = 'whsec_';

/** The posted body, in the form that Standard Webhooks recommends. Fields may be added, but are never renamed. */
export interface Envelope {
  readonly schemaVersion: 1;
  readonly type: 'drill.finished';
  /** End of the drill. */
  readonly timestamp: string;
  readonly data: {
    /** Exit code for this drill alone. */
    readonly exitCode: number;
    readonly summary: Summary;
  };
}

/** Posts the summary of each drill as JSON, signed by the Standard Webhooks scheme if there is a secret. */
export const webhook: ReporterKind = {
  name: 'webhook',
  describe: `the summary of each drill as JSON, posted to ${urlName}; signed if ${secretName} is set`,
  create(_, { env, secret, signal }) {
    const text = needed(env, urlName, 'the URL of the webhook');
    const url = endpoint(text, { name: urlName, credential: true, env });
    for (const part of secretsOf(url)) secret(part);
    const own = setting(env, secretName);
    if (own !== undefined) secret(own);
    const key = own === undefined ? undefined : keyOf(own);
    return outbox((drill) => {
      const id = drill.summary.runId;
      const body = JSON.stringify(envelopeOf(drill));
      return [
        {
          call: () => {
            const timestamp = String(Math.floor(Date.now() / 1000));
            const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp };
            const signature =
              key === undefined ? {} : { 'webhook-signature': sign(key, `${id}.${timestamp}.${body}`) };
            return { method: 'POST', url: url.href, headers: { ...headers, ...signature }, body };
          },
          to: `the webhook (${urlName})`,
          // The receiver recognizes a repeated request by its id.
          repeatable: true,
        },
      ];
    }, signal);
  },
};

/** The envelope of a drill. */
export function envelopeOf({ summary, exitCode }: FinishedDrill): Envelope {
  return {
    schemaVersion: 1,
    type: 'drill.finished',
    timestamp: summary.endedAt,
    data: { exitCode, summary },
  };
}

/** The key of `whsec_` plus Base64, or of ASCII text. Libraries encode other texts differently. @throws DrillError `invalid-input` */
function keyOf(secret: string): Buffer {
  const coded = secret.startsWith(prefix) ? secret.slice(prefix.length) : undefined;
  if (coded === undefined ? /^[\u0020-\u007e]+$/.test(secret) : /^[\w+/-]+={0,2}$/.test(coded))
    return Buffer.from(coded ?? secret, coded === undefined ? 'ascii' : 'base64');
  throw new DrillError('invalid-input', `${secretName} is not a valid key`, {
    hint: `Set it to ${prefix} plus Base64, or to ASCII text.`,
  });
}

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
function sign(key: Buffer, text: string): string {
  return `v1,${createHmac('sha256', key).update(text).digest('base64')}`;
}
