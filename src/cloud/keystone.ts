import pRetry from 'p-retry';
import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { DrillError, isUnreachable } from '../core/errors.ts';
import { type DurationMs, earlier, later, type RunMs } from '../core/time.ts';
import { describeAnswer, retryAfterMs } from './api-error.ts';
import type { CloudConfig, Named } from './clouds-config.ts';
import type { Answer, HttpClient } from '../http/http-client.ts';

/** A valid token, and the compute endpoint of its catalog. */
export interface Login {
  readonly token: string;
  /** Without a slash at the end. */
  readonly computeUrl: string;
  /** The endpoint's region, for messages. */
  readonly region: string;
}

/** Keeps one token and renews it before it expires. */
export interface Session {
  /**
   * The present token, or a new one.
   * @throws DrillError `fault-failed` when Keystone refuses the credentials, `host-unreachable` when it gives no
   * usable answer, `invalid-input` when the catalog has no compute endpoint as configured
   */
  login(signal: AbortSignal): Promise<Login>;
  /** Drops a token that a service refused: it was revoked, or a clock was set. */
  forget(login: Login): void;
}

/** Dependencies of sessions and compute clients. */
export interface CloudDeps {
  readonly config: CloudConfig;
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Pause before the first retry of an idempotent request, ms; it doubles with each retry. */
  readonly retryMs: DurationMs;
}

/** A token is renewed this long before it expires, so that it does not expire during a request. */
const renewEarlyMs = 60_000;
/** The longest `Retry-After` that is waited for; a drill does not wait longer. */
export const longestPauseMs = 30_000;
/** Retries of idempotent requests. */
export const retries = 2;

const tokenSchema = z.looseObject({
  token: z.looseObject({
    issued_at: z.iso.datetime({ offset: true }).optional(),
    expires_at: z.iso.datetime({ offset: true }),
    project: z.looseObject({ id: z.string() }).optional(),
    catalog: z
      .array(
        z.looseObject({
          type: z.string(),
          name: z.string().nullish(),
          endpoints: z.array(
            z.looseObject({
              interface: z.string(),
              url: z.string(),
              region: z.string().nullish(),
              region_id: z.string().nullish(),
            }),
          ),
        }),
      )
      .default([]),
  }),
});
type Token = z.output<typeof tokenSchema>['token'];

/** Keystone's response to a user who needs more than one authentication method. */
const receiptSchema = z.looseObject({
  receipt: z.looseObject({ methods: z.array(z.string()).default([]) }),
  required_auth_methods: z.array(z.array(z.string())).default([]),
});

/** A session with the cloud's Keystone; nothing is sent before the first `login`. */
export function createSession(deps: CloudDeps): Session {
  const { config, clock } = deps;
  let current: { readonly login: Login; readonly untilMs: RunMs } | undefined;
  return {
    async login(signal) {
      if (current !== undefined && clock.nowMs() < current.untilMs) return current.login;
      const askedMs = clock.nowMs();
      const answer = await requestToken(deps, signal);
      const token = answer.headers['x-subject-token'];
      const parsed = tokenSchema.safeParse(answer.body);
      if (token === undefined || !parsed.success) {
        const lacks =
          token === undefined
            ? 'no X-Subject-Token header'
            : 'a body that is not a token of the Identity API';
        throw new DrillError(
          'host-unreachable',
          `cloud ${config.name}: Keystone at ${config.authUrl} answered with ${lacks}`,
          {
            hint: `Set auth_url in ${config.source} to the root URL of a Keystone v3 API.`,
          },
        );
      }
      const { issued_at, expires_at } = parsed.data.token;
      // Both times are on the cloud's clock, so an offset of this machine's clock does not matter. Without
      // `issued_at` the token's life is unknown, so it serves this request only.
      const lifeMs =
        issued_at === undefined ? 0 : Math.max(0, Date.parse(expires_at) - Date.parse(issued_at));
      const login = { token, ...computeEndpoint(config, parsed.data.token) };
      current = { login, untilMs: earlier(later(askedMs, lifeMs), Math.min(renewEarlyMs, lifeMs / 4)) };
      return login;
    },
    forget(login) {
      if (current?.login.token === login.token) current = undefined;
    },
  };
}

/** Requests a token. A second token does no harm, so the request is retried if its outcome is unknown. */
async function requestToken(deps: CloudDeps, signal: AbortSignal): Promise<Answer> {
  const { config, http, clock } = deps;
  const url = `${config.authUrl}/auth/tokens`;
  const where = `cloud ${config.name}: Keystone at ${config.authUrl}`;
  const once = async (): Promise<Answer> => {
    const answer = await http(
      { method: 'POST', url, headers: {}, body: { auth: authRequest(config) } },
      signal,
    );
    if (answer.kind === 'silence') {
      throw new DrillError('host-unreachable', `${where} gives no usable answer: ${answer.why}`);
    }
    if (answer.status === 201) return answer;
    const pauseMs = retryAfterMs(answer, clock.wallMs());
    if (answer.status >= 500 || pauseMs !== undefined) {
      if (pauseMs !== undefined && pauseMs <= longestPauseMs) await clock.sleep(pauseMs, signal);
      throw new DrillError('host-unreachable', `${where} gives no usable answer: ${describeAnswer(answer)}`);
    }
    const missing = answer.status === 401 ? missingMethods(answer) : undefined;
    if (missing !== undefined) {
      throw new DrillError('fault-failed', `${where} requires a further authentication method: ${missing}`, {
        hint: `Use an application credential in ${config.source}: it needs no second factor.`,
      });
    }
    if (answer.status === 401) {
      throw new DrillError('fault-failed', `${where} refuses the credentials: ${describeAnswer(answer)}`, {
        hint: `Correct the user, the project, and the domains, or the application credential, in ${config.source}.`,
      });
    }
    throw new DrillError('fault-failed', `${where} gives no token: ${describeAnswer(answer)}`, {
      hint: `Set auth_url in ${config.source} to the root URL of a Keystone v3 API.`,
    });
  };
  return pRetry(once, {
    retries,
    minTimeout: deps.retryMs,
    shouldRetry: ({ error }) => mayRetry(error, signal),
  });
}

/** The further authentication methods that Keystone requires of a user; undefined if it requires none. */
function missingMethods(answer: Answer): string | undefined {
  const parsed = receiptSchema.safeParse(answer.body);
  if (!parsed.success)
    return answer.headers['openstack-auth-receipt'] === undefined ? undefined : 'a second factor';
  const { receipt, required_auth_methods: rules } = parsed.data;
  const lacks = rules.map((rule) => rule.filter((method) => !receipt.methods.includes(method)).join(' and '));
  return lacks.filter(Boolean).join(', or ') || 'a second factor';
}

/** Whether to retry: only if there was no usable answer, and the caller has not aborted. */
export function mayRetry(error: unknown, signal: AbortSignal): boolean {
  return isUnreachable(error) && !signal.aborted;
}

function authRequest({ credentials }: CloudConfig): unknown {
  switch (credentials.kind) {
    case 'password': {
      const { user, password } = credentials;
      return {
        identity: { methods: ['password'], password: { user: { ...named(user), password } } },
        scope:
          'trustId' in credentials
            ? { 'OS-TRUST:trust': { id: credentials.trustId } }
            : { project: named(credentials.project) },
      };
    }
    case 'application-credential': {
      const { credential, secret } = credentials;
      // An application credential is bound to its project. Keystone refuses an explicit scope.
      return {
        identity: {
          methods: ['application_credential'],
          application_credential:
            'id' in credential
              ? { id: credential.id, secret }
              : { name: credential.name, user: named(credential.user), secret },
        },
      };
    }
  }
}

function named(thing: Named): Record<string, unknown> {
  return 'id' in thing ? { id: thing.id } : { name: thing.name, domain: thing.domain };
}

/** The compute endpoint: the configured one, else the catalog's for type, name, interface, and region. */
function computeEndpoint(
  config: CloudConfig,
  { catalog, project }: Token,
): { readonly computeUrl: string; readonly region: string } {
  const { computeEndpoint: configured } = config;
  if (configured !== undefined)
    return {
      computeUrl: withoutSlash(withProject(config, configured, project?.id)),
      region: config.region ?? '',
    };
  const wrong = (what: string, hint: string): DrillError =>
    new DrillError('invalid-input', `cloud ${config.name}: the catalog has ${what}`, { hint });
  const offered = endpointsOffered(config, catalog, wrong);
  const regions = [...new Set(offered.map(regionOf))];
  const region = config.region ?? (regions.length === 1 ? regions[0] : undefined);
  if (region === undefined) {
    throw wrong(
      `compute in multiple regions: ${regions.join(', ')}`,
      `Set \`region_name\` in ${config.source}.`,
    );
  }
  const found = offered.find((endpoint) => regionOf(endpoint) === region);
  if (found === undefined) {
    throw wrong(
      `no compute endpoint in region ${region}; known: ${regions.join(', ')}`,
      `Correct \`region_name\` in ${config.source}.`,
    );
  }
  if (!/^https?:$/.test(URL.parse(found.url)?.protocol ?? '')) {
    throw wrong(
      `a compute endpoint that is not a URL: ${found.url}`,
      `Ask the administrators of the cloud to correct the catalog, or set compute_endpoint_override in ${config.source}.`,
    );
  }
  return { computeUrl: withoutSlash(found.url), region };
}

type Endpoint = Token['catalog'][number]['endpoints'][number];

/** The endpoints of the first configured interface that exists in the configured region. */
function endpointsOffered(
  config: CloudConfig,
  catalog: Token['catalog'],
  wrong: (what: string, hint: string) => DrillError,
): Endpoint[] {
  // The type must match exactly: `compute_legacy`, for example, is another API.
  const { serviceType = 'compute', serviceName } = config;
  const isRequested = ({ type, name }: Token['catalog'][number]): boolean =>
    type === serviceType && (serviceName === undefined || (name ?? serviceName) === serviceName);
  const endpoints = catalog.filter(isRequested).flatMap((service) => service.endpoints);
  if (endpoints.length === 0) {
    const types = catalog.map((service) => service.type).join(', ') || 'no services';
    throw wrong(
      `no service of type ${serviceType}${serviceName === undefined ? '' : ` with the name ${serviceName}`}; it has ${types}`,
      `Correct the project in ${config.source}; a token without a project has no catalog.`,
    );
  }
  const interfaces = [config.interface].flat();
  const byInterface = interfaces.map((name) => endpoints.filter((endpoint) => endpoint.interface === name));
  const inRegion = byInterface.find((some) =>
    some.some((endpoint) => config.region === undefined || regionOf(endpoint) === config.region),
  );
  const offered = inRegion ?? byInterface.find((some) => some.length > 0);
  if (offered !== undefined) return offered;
  const others = [...new Set(endpoints.map((endpoint) => endpoint.interface))].join(', ');
  throw wrong(
    `no ${interfaces.join(' or ')} compute endpoint; known: ${others}`,
    `Set \`interface\` in ${config.source} to a known one.`,
  );
}

function regionOf(endpoint: Endpoint): string {
  return endpoint.region_id ?? endpoint.region ?? '';
}

/** Replaces `%(project_id)s` in a configured endpoint, as keystoneauth does. */
function withProject(config: CloudConfig, url: string, projectId: string | undefined): string {
  return url.replaceAll(/[%$]\((\w+)\)s/g, (whole, key: string) => {
    if ((key === 'project_id' || key === 'tenant_id') && projectId !== undefined) return projectId;
    throw new DrillError(
      'invalid-input',
      `cloud ${config.name}: compute_endpoint_override has ${whole}, which firedrill cannot fill in`,
      { hint: `Replace it with its value in ${config.source}; firedrill fills in only %(project_id)s.` },
    );
  });
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
