import type { PlannedProbe } from '../../../src/core/plan.ts';
import type { Question } from './attempts.ts';

/** A probe's server and request, to find its attempts in packets. */
export interface ProbeQuestion {
  /** `address:port` */
  readonly server: string;
  readonly question: Question;
  readonly timeoutMs: number;
}

/**
 * The server and request of a probe, to find its attempts in a parallel capture.
 *
 * @throws Error for probe kinds and settings that packets alone cannot check
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
    throw new Error(
      `${id}: packets cannot check ${kind} probes${kind === 'http' ? ' with kept connections' : ''}`,
    );
  const url = new URL(String(p.url));
  const server = typeof p.connectTo === 'string' ? p.connectTo : url.host;
  const request = `${String(p.method)} ${url.pathname}${url.search} `;
  return {
    server,
    question: url.protocol === 'https:' ? { protocol: 'tls' } : { protocol: 'http', request },
    timeoutMs,
  };
}
