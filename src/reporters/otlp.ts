import { DrillError } from '../core/errors.ts';
import { splitNameValue } from '../core/name-value.ts';
import { messageText } from '../core/message-text.ts';
import type { Answer, Call } from '../http/http-client.ts';
import { packageVersion } from '../installation.ts';
import { below, endpoint, longAsSecret, setting } from './lib/endpoint.ts';
import { traceOf } from './lib/otlp-trace.ts';
import { outbox } from './lib/outbox.ts';
import type { ReporterContext, ReporterKind } from './reporter.ts';

type Environment = ReporterContext['env'];

/**
 * Drills as OpenTelemetry traces, over OTLP/HTTP with JSON. The environment variables are those of the standard:
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export const otlp: ReporterKind = {
  name: 'otlp',
  describe: 'each drill as an OpenTelemetry trace over OTLP/HTTP, to URL or to OTEL_EXPORTER_OTLP_*',
  value: 'url',
  create(value, { env, secret, signal }) {
    const headers = headersOf(env);
    for (const [name, text] of Object.entries(headers)) {
      if (!isCredential(name, text)) continue;
      secret(text);
      secret(text.replace(/^\S+\s+/, ''));
    }
    const url = tracesUrl(value, env, Object.keys(headers).length > 0);
    const resource = resourceOf(env);
    return outbox((drill) => {
      const call: Call = {
        method: 'POST',
        url: url.href,
        headers,
        body: traceOf(drill, resource, packageVersion),
      };
      // A span that is sent again with the same ids is the same span.
      return [{ call: () => call, to: url.origin, repeatable: true, problem: rejected }];
    }, signal);
  },
};

/** The URL for traces. The value and the general variable are a base URL for all signals; the variable for traces is the full URL. */
function tracesUrl(value: string | undefined, env: Environment, credential: boolean): URL {
  const rules = { credential, env };
  if (value !== undefined) return ofBase(endpoint(value, { ...rules, name: '--reporter otlp' }));
  const protocolName = firstSet(env, ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL']);
  if (protocolName !== undefined && setting(env, protocolName) === 'grpc')
    throw new DrillError('invalid-input', `${protocolName} is grpc, but --reporter otlp uses OTLP/HTTP`, {
      hint: 'Pass the collector’s OTLP/HTTP endpoint: --reporter otlp=http://HOST:4318.',
    });
  const own = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
  const ownUrl = setting(env, own);
  if (ownUrl !== undefined) return endpoint(ownUrl, { ...rules, name: own });
  const all = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  return ofBase(endpoint(setting(env, all) ?? 'http://localhost:4318', { ...rules, name: all }));
}

function ofBase(base: URL): URL {
  return /\/v1\/traces\/?$/.test(base.pathname) ? base : below(base, 'v1/traces');
}

function firstSet(env: Environment, names: readonly string[]): string | undefined {
  return names.find((name) => setting(env, name) !== undefined);
}

function headersOf(env: Environment): Readonly<Record<string, string>> {
  const pairs = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'].flatMap((name) =>
    pairsOf(env, name).map(([header, value]) => {
      if (!/^[\w!#$%&'*+.^`|~-]+$/.test(header) || !/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value))
        throw malformed(name);
      return [header.toLowerCase(), value] as const;
    }),
  );
  return Object.fromEntries(pairs);
}

/** Whether a header is redacted: by its name, or by a long value. A short value, such as a tenant, may occur elsewhere. */
function isCredential(name: string, value: string): boolean {
  return /auth|cookie|key|pass|secret|sign|token/i.test(name) || value.length >= longAsSecret;
}

function resourceOf(env: Environment): Readonly<Record<string, string>> {
  const name = setting(env, 'OTEL_SERVICE_NAME');
  return {
    'service.name': 'firedrill',
    'service.version': packageVersion,
    ...Object.fromEntries(pairsOf(env, 'OTEL_RESOURCE_ATTRIBUTES')),
    ...(name === undefined ? {} : { 'service.name': name }),
  };
}

/** Parses `name=value,name=value`, percent-encoded. @throws DrillError `invalid-input` without the value in its message */
function pairsOf(env: Environment, name: string): readonly (readonly [string, string])[] {
  return (setting(env, name) ?? '')
    .split(',')
    .filter((pair) => pair.trim() !== '')
    .map((pair) => {
      const { name: key, value } = splitNameValue(pair);
      if (key === '' || value === undefined) throw malformed(name);
      try {
        return [decodeURIComponent(key.trim()), decodeURIComponent(value.trim())] as const;
      } catch {
        throw malformed(name);
      }
    });
}

function malformed(name: string): DrillError {
  return new DrillError('invalid-input', `${name} is malformed`, {
    hint: 'Write it as name=value,name=value, percent-encoded.',
  });
}

/** The error in an ExportTraceServiceResponse: a 200 may report rejected spans. */
function rejected({ body }: Answer): string | undefined {
  const partial = partOf(body, 'partialSuccess');
  const count = Number(partOf(partial, 'rejectedSpans') ?? 0);
  if (!(count > 0)) return undefined;
  const why = partOf(partial, 'errorMessage');
  return `${count} spans were rejected${typeof why === 'string' && why !== '' ? `: ${messageText(why, 200)}` : ''}`;
}

function partOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
