import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type CloudConfig, hexId } from './config.ts';
import type { Call, Reply } from './http.ts';

/** URLs of the services, for the catalog. */
export interface Addresses {
  /** Keystone's root URL, without /v3. */
  readonly identity: string;
  /** Nova's endpoint, with its version. */
  readonly compute: string;
}

/** The owner of a token. */
export interface Bearer {
  readonly userId: string;
  /** Undefined if the token has no scope. */
  readonly projectId: string | undefined;
}

/** The Identity service: tokens for one user and one project. */
export interface Identity {
  handle: (call: Call) => Reply;
  /** The owner of a token; undefined for an invalid or expired one. */
  check(token: string | undefined): Bearer | undefined;
}

/** The content of a token. It is signed, so tokens need no storage and survive a restart. */
interface Claims {
  readonly method: 'password' | 'application_credential';
  readonly scoped: boolean;
  readonly issuedMs: number;
  readonly expiresMs: number;
  readonly audit: string;
}

const domain = { id: 'default', name: 'Default' };
const malformed =
  ' The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.';
const knownMethods = ['external', 'password', 'token', 'oauth1', 'mapped', 'application_credential'];

/** @param nowMs wall clock */
export function createIdentity(config: CloudConfig, addresses: Addresses, nowMs: () => number): Identity {
  const key = createHash('sha256').update(`${config.password}\n${config.credential.secret}`).digest();
  const userId = hexId('user', config.user);
  const projectId = hexId('project', config.project);
  const credentialId = hexId('credential', config.credential.name);
  const v3 = `${addresses.identity}/v3`;

  const unauthorized = (more: Record<string, unknown> = {}): Reply => ({
    status: 401,
    headers: { 'www-authenticate': `Keystone uri="${v3}"` },
    json: {
      error: {
        code: 401,
        message: 'The request you have made requires authentication.',
        title: 'Unauthorized',
        ...more,
      },
    },
  });

  const read = (token: string | undefined): Claims | undefined => {
    const [payload, signature] = (token ?? '').split('.');
    if (payload === undefined || signature === undefined || !equal(signature, sign(key, payload)))
      return undefined;
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims;
    return claims.expiresMs > nowMs() ? claims : undefined;
  };

  const describe = (claims: Claims): unknown => ({
    token: {
      methods: [claims.method],
      user: { domain, id: userId, name: config.user, password_expires_at: null },
      audit_ids: [claims.audit],
      expires_at: isoMicros(claims.expiresMs),
      issued_at: isoMicros(claims.issuedMs),
      ...(claims.scoped
        ? {
            project: { domain, id: projectId, name: config.project },
            is_domain: false,
            roles: ['reader', 'member'].map((name) => ({ id: hexId('role', name), name })),
            catalog: catalog(config.region, addresses),
          }
        : {}),
      ...(claims.method === 'application_credential'
        ? { application_credential: { id: credentialId, name: config.credential.name, restricted: true } }
        : {}),
    },
  });

  const isUser = (value: unknown): boolean => {
    const user = record(value);
    return user['id'] === userId || (user['name'] === config.user && isDomain(user['domain']));
  };
  const isProject = (value: unknown): boolean => {
    const project = record(value);
    return project['id'] === projectId || (project['name'] === config.project && isDomain(project['domain']));
  };

  const issue = (method: Claims['method'], scoped: boolean): Reply => {
    // Whole seconds, as in Keystone's tokens.
    const issuedMs = Math.floor(nowMs() / 1000) * 1000;
    const audit = randomBytes(16).toString('base64url');
    const claims = { method, scoped, issuedMs, expiresMs: issuedMs + config.tokenLifeMs, audit };
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    return {
      status: 201,
      headers: { 'x-subject-token': `${payload}.${sign(key, payload)}` },
      json: describe(claims),
    };
  };

  const authenticate = (body: string): Reply => {
    let parsed: unknown;
    try {
      parsed = JSON.parse(body);
    } catch {
      return badRequest(`Expecting to find valid JSON in request body.${malformed}`);
    }
    const auth = record(parsed)['auth'];
    if (auth === undefined) return badRequest(`Expecting to find auth in request body.${malformed}`);
    const { identity, scope } = record(auth);
    const methods = record(identity)['methods'];
    if (!Array.isArray(methods)) {
      return badRequest("Invalid input for field 'identity': 'methods' is a required property");
    }
    const lacking = methods.map(String).find((method) => record(identity)[method] === undefined);
    if (lacking !== undefined) return badRequest(`Expecting to find ${lacking} in identity.${malformed}`);
    if (methods.some((method) => !knownMethods.includes(String(method)))) {
      const message = 'Attempted to authenticate with an unsupported method.';
      return unauthorized({ identity: { methods: knownMethods }, message });
    }
    if (methods.join() === 'password') {
      const user = record(record(record(identity)['password'])['user']);
      if (user['id'] === undefined && user['domain'] === undefined)
        return badRequest(`Expecting to find domain in user.${malformed}`);
      if (!isUser(user) || !equal(String(user['password']), config.password)) return unauthorized();
      if (scope === undefined) return issue('password', false);
      return isProject(record(scope)['project']) ? issue('password', true) : unauthorized();
    }
    if (methods.join() === 'application_credential') {
      const given = record(record(identity)['application_credential']);
      const { id } = given;
      if (typeof id === 'string' && id !== credentialId) {
        return error(404, 'Not Found', `Could not find Application Credential: ${id}.`);
      }
      const known =
        id === credentialId || (given['name'] === config.credential.name && isUser(given['user']));
      if (!known || !equal(String(given['secret']), config.credential.secret)) return unauthorized();
      if (scope === undefined) return issue('application_credential', true);
      const message =
        'Error authenticating with application credential: Application credentials cannot request a scope.';
      return unauthorized({ identity: {}, message });
    }
    return unauthorized();
  };

  const show = (call: Call): Reply => {
    const token = call.headers['x-subject-token'];
    const claims = read(token);
    if (read(call.headers['x-auth-token']) === undefined) return unauthorized();
    if (claims === undefined || token === undefined)
      return error(404, 'Not Found', 'Could not find token, None.');
    return { status: 200, headers: { 'x-subject-token': token }, json: describe(claims) };
  };

  const route = (call: Call): Reply => {
    const path = call.path.replace(/\/+$/, '');
    const version = {
      id: 'v3.14',
      status: 'stable',
      updated: '2020-04-07T00:00:00Z',
      links: [{ rel: 'self', href: `${v3}/` }],
      'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
    };
    if (call.method === 'GET' && path === '')
      return { status: 300, headers: { location: `${v3}/` }, json: { versions: { values: [version] } } };
    if (call.method === 'GET' && path === '/v3') return { status: 200, json: { version } };
    if (path === '/v3/auth/tokens' && call.method === 'POST') return authenticate(call.body);
    if (path === '/v3/auth/tokens' && call.method === 'GET') return show(call);
    return notFoundPage;
  };

  return {
    handle(call) {
      const reply = route(call);
      return {
        ...reply,
        headers: { ...reply.headers, vary: 'X-Auth-Token', 'x-openstack-request-id': call.requestId },
      };
    },
    check(token) {
      const claims = read(token);
      return claims === undefined ? undefined : { userId, projectId: claims.scoped ? projectId : undefined };
    },
  };
}

function catalog(region: string, { identity, compute }: Addresses): unknown {
  const service = (type: string, name: string, url: string, interfaces: readonly string[]): unknown => ({
    endpoints: interfaces.map((side) => ({
      id: hexId('endpoint', `${type} ${side}`),
      interface: side,
      region_id: region,
      url,
      region,
    })),
    id: hexId('service', type),
    type,
    name,
  });
  return [
    service('compute', 'nova', compute, ['public', 'internal']),
    service('identity', 'keystone', `${identity}/v3/`, ['public', 'internal', 'admin']),
  ];
}

function error(code: number, title: string, message: string): Reply {
  return { status: code, json: { error: { code, message, title } } };
}

function badRequest(message: string): Reply {
  return error(400, 'Bad Request', message);
}

const notFoundPage: Reply = {
  status: 404,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  text: `<!doctype html>
<html lang=en>
<title>404 Not Found</title>
<h1>Not Found</h1>
<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>
`,
};

function isDomain(value: unknown): boolean {
  const { id, name } = record(value);
  return id === domain.id || name === domain.name;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function sign(key: Buffer, payload: string): string {
  return createHmac('sha256', key).update(payload).digest('base64url');
}

function equal(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function isoMicros(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
