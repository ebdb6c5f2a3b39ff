import type { PlannedProbe } from '../../../src/core/plan.ts';
import type { Question } from './looks.ts';

/** Where a probe asks what, for a reader of packets. */
export interface ProbeQuestion {
  /** `address:port` */
  readonly server: string;
  readonly question: Question;
  readonly timeoutMs: number;
}

/**
 * What to look for in a capture beside a probe.
 *
 * @throws Error for kinds and settings that packets alone do not tell of
 */
export function questionOf({ id, kind, params, timeoutMs }: PlannedProbe): ProbeQuestion {
  const p = params as Readonly<Record<string, unknown>>;
  if (kind === 'tcp-session')
    return {
      server: String(p.address),
      question: { protocol: 'line', answer: new RegExp(String(p.expect)) },
      timeoutMs,
    };
  if (kind !== 'http' || p.connection === 'kept-alive')
    throw new Error(`${id}: no packets are read for ${kind} probes, or for kept connections of http`);
  const url = new URL(String(p.url));
  const server = typeof p.connectTo === 'string' ? p.connectTo : url.host;
  const request = `${String(p.method)} ${url.pathname}${url.search} `;
  return {
    server,
    question: url.protocol === 'https:' ? { protocol: 'tls' } : { protocol: 'http', request },
    timeoutMs,
  };
}
