import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { createServer } from '../../src/cloud/catalog.ts';
import type { CloudServer } from '../../src/core/cloud.ts';

/** A cloud that the contract is held against: one user, one project, an application credential, two servers. */
export interface CloudUnderTest {
  /** Keystone's v3 root. */
  readonly identityUrl: string;
  readonly region: string;
  readonly user: string;
  readonly password: string;
  readonly project: string;
  readonly credential: { readonly id: string; readonly name: string; readonly secret: string };
  /** The first one's name is the beginning of the second one's. Both are ACTIVE at first. */
  readonly servers: readonly [string, string];
}

/** An answer with all that it says. */
export interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed where it is JSON. */
  readonly body: unknown;
  readonly text: string;
}

/** What a raw request is made of. */
export interface RawRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly text?: string;
}

// A connection each: the small server in front of the real services closes them.
const dispatcher = new Agent({ pipelining: 0 });

/** One request, as it is: none of the project's own client is in between. */
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

/** Looks again and again until it is so. @throws Error with what was seen last, after `withinMs` */
export async function until<T>(
  look: () => Promise<T>,
  isSo: (seen: T) => boolean,
  withinMs = 60_000,
): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (performance.now() > end) throw new Error(`it stays like this: ${JSON.stringify(seen)}`);
    await sleep(100);
  }
}

/** The project's client for servers of a cloud, configured by a clouds.yaml of its own. */
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
      if (made === undefined) throw new Error('the host has a server');
      return made;
    },
    remove() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
