import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { createServer } from '../../src/cloud/catalog.ts';
import type { CloudServer } from '../../src/core/cloud.ts';

/** A cloud that the contract tests: one user, one project, one application credential, two servers. */
export interface CloudUnderTest {
  /** Keystone's v3 root. */
  readonly identityUrl: string;
  readonly region: string;
  readonly user: string;
  readonly password: string;
  readonly project: string;
  readonly credential: { readonly id: string; readonly name: string; readonly secret: string };
  /** Names; the first is a prefix of the second. Both servers start ACTIVE. */
  readonly servers: readonly [string, string];
}

/** A complete HTTP answer. */
export interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; undefined if the text is not JSON. */
  readonly body: unknown;
  readonly text: string;
}

/** A raw HTTP request. */
export interface RawRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent unchanged. */
  readonly text?: string;
}

// One connection per request, because the small server in front of the real services closes connections.
const dispatcher = new Agent({ pipelining: 0 });

/** Sends one request without the project's own HTTP client. */
export async function ask({ method = 'GET', url, headers = {}, json, text }: RawRequest): Promise<Raw> {
  const body = text ?? (json === undefined ? null : JSON.stringify(json));
  const answer = await request(url, {
    dispatcher,
    method,
    headers: { ...(body === null ? {} : { 'content-type': 'application/json' }), ...headers },
    body,
    signal: AbortSignal.timeout(30_000),
  });
  const sent = await answer.body.text();
  return {
    status: answer.statusCode,
    headers: Object.fromEntries(
      Object.entries(answer.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
    ),
    body: parse(sent),
    text: sent,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Polls every 100 ms until `isSo`. @throws Error with the last state after `withinMs` */
export async function until<T>(
  attempt: () => Promise<T>,
  isSo: (seen: T) => boolean,
  withinMs = 60_000,
): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const seen = await attempt();
    if (isSo(seen)) return seen;
    if (performance.now() > end)
      throw new Error(`wait ${withinMs} ms for a state: the last one is ${JSON.stringify(seen)}`);
    await sleep(100);
  }
}

/** The project's client for a cloud's servers, with its own clouds.yaml. */
export interface Client {
  /** A server as the project's client sees it. */
  server(
    cloud: 'password' | 'credential' | 'named-credential' | 'mistyped' | 'elsewhere',
    id: string,
  ): CloudServer;
  remove(): void;
}

/** Writes the clouds.yaml. */
export function createClient(cloud: CloudUnderTest): Client {
  const folder = mkdtempSync(join(tmpdir(), 'firedrill-contract-'));
  const cloudsFile = join(folder, 'clouds.yaml');
  const { identityUrl, region, user, password, project, credential } = cloud;
  const auth = {
    auth_url: identityUrl,
    username: user,
    password,
    project_name: project,
    user_domain_name: 'Default',
    project_domain_id: 'default',
  };
  const { id, name, secret } = credential;
  const clouds = {
    password: { auth, region_name: region },
    credential: {
      auth_type: 'v3applicationcredential',
      auth: {
        auth_url: identityUrl,
        application_credential_id: id,
        application_credential_secret: secret,
      },
      interface: 'internal',
    },
    'named-credential': {
      auth_type: 'v3applicationcredential',
      auth: {
        auth_url: identityUrl,
        application_credential_name: name,
        application_credential_secret: secret,
        username: user,
        user_domain_id: 'default',
      },
    },
    mistyped: { auth: { ...auth, password: `${password}?` } },
    elsewhere: { auth, region_name: 'Atlantis' },
  };
  // JSON is YAML.
  writeFileSync(cloudsFile, JSON.stringify({ clouds }), { mode: 0o600 });
  return {
    server(which, server) {
      const host = {
        name: 'host',
        transport: { kind: 'local' },
        server: { cloud: which, cloudsFile, id: server },
      } as const;
      const made = createServer(host);
      if (made === undefined)
        throw new Error('create the server client: the host has a server, but got undefined');
      return made;
    },
    remove() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
