import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** An answer of the scripted cloud. The body is JSON unless it is a string. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The real effect of the request, whatever the answer is. */
  readonly effect?: () => void;
  /** `hang`: no answer. `endless`: a body without an end. `reset`: the connection breaks. */
  readonly manner?: 'hang' | 'endless' | 'reset';
}

export type Handler = (request: {
  readonly path: string;
  readonly body: unknown;
  readonly headers: IncomingMessage['headers'];
}) => Reply;

/** For tests: Keystone and Nova on one loopback port, with one server that executes actions at once. */
export interface ScriptedCloud {
  readonly url: string;
  /** `METHOD path` of each request, with decoded queries. */
  readonly requests: readonly string[];
  /** Bodies of the action requests, in order. */
  readonly posts: readonly unknown[];
  /** Bodies of the token requests, in order. */
  readonly logins: readonly unknown[];
  /** Headers of the last request to Nova. */
  readonly lastHeaders: IncomingMessage['headers'];
  /** The server in answers to `GET /servers/{id}`. */
  readonly server: Record<string, unknown>;
  readonly actions: { action: string; request_id: string; start_time: string }[];
  /** Replaces the answers to the next requests whose `METHOD path` matches, in this order, one reply for each request. */
  next(pattern: RegExp, ...replies: readonly Reply[]): void;
  /** Replaces all answers to matching requests. */
  always(pattern: RegExp, handler: Handler): void;
  close(): Promise<void>;
}

export const serverId = '11111111-2222-4333-8444-555555555555';

/** Starts the scripted cloud. */
export async function scriptedCloud(): Promise<ScriptedCloud> {
  const requests: string[] = [];
  const posts: unknown[] = [];
  const logins: unknown[] = [];
  const queue: { pattern: RegExp; reply: Reply }[] = [];
  const fixed: { pattern: RegExp; handler: Handler }[] = [];
  let lastHeaders: IncomingMessage['headers'] = {};
  const actions: ScriptedCloud['actions'] = [];
  const server: Record<string, unknown> = {
    id: serverId,
    name: 'web-1',
    status: 'ACTIVE',
    'OS-EXT-STS:task_state': null,
    'OS-EXT-STS:power_state': 1,
    locked: false,
  };
  let url = '';

  const own: Handler = ({ path, body }) => {
    if (path === '/identity/v3/auth/tokens') return token(url);
    if (path === '/compute/v2.1/') {
      return { body: { version: { id: 'v2.1', status: 'CURRENT', version: '2.96', min_version: '2.1' } } };
    }
    if (path.startsWith('/compute/v2.1/servers?')) {
      return { body: { servers: [{ id: serverId, name: 'web-1' }] } };
    }
    if (path === `/compute/v2.1/servers/${serverId}`) return { body: { server } };
    if (path === `/compute/v2.1/servers/${serverId}/os-instance-actions`)
      return { body: { instanceActions: actions } };
    if (path === `/compute/v2.1/servers/${serverId}/action`) return perform(server, actions, body);
    return { status: 404, body: { itemNotFound: { code: 404, message: `nothing at ${path}` } } };
  };

  const listener = createServer((request, response) => {
    void answer(request, response);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const path = request.url ?? '';
    const line = `${request.method} ${decodeURIComponent(path)}`;
    requests.push(line);
    if (path.endsWith('/action')) posts.push(body);
    if (path.endsWith('/auth/tokens')) logins.push(body);
    else lastHeaders = request.headers;
    const at = queue.findIndex(({ pattern }) => pattern.test(line));
    const [queued] = at === -1 ? [] : queue.splice(at, 1);
    const handler = fixed.find(({ pattern }) => pattern.test(line))?.handler ?? own;
    const reply = queued?.reply ?? handler({ path, body, headers: request.headers });
    reply.effect?.();
    write(response, reply);
  };
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return {
    url,
    requests,
    posts,
    logins,
    get lastHeaders() {
      return lastHeaders;
    },
    server,
    actions,
    next: (pattern, ...replies) => void queue.push(...replies.map((reply) => ({ pattern, reply }))),
    always: (pattern, handler) => void fixed.unshift({ pattern, handler }),
    close: async () => {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

/** A token reply; `overrides` go into the token. */
export function token(url: string, overrides: Readonly<Record<string, unknown>> = {}): Reply {
  const compute = { interface: 'public', region: 'north', region_id: 'north', url: `${url}/compute/v2.1` };
  return {
    status: 201,
    headers: { 'x-subject-token': 'token-1' },
    body: {
      token: {
        issued_at: '2026-01-01T00:00:00.000000Z',
        expires_at: '2026-01-01T01:00:00.000000Z',
        catalog: [
          { type: 'compute_legacy', endpoints: [{ ...compute, url: `${url}/legacy` }] },
          {
            type: 'compute',
            endpoints: [{ ...compute, interface: 'internal', url: `${url}/inside` }, compute],
          },
        ],
        ...overrides,
      },
    },
  };
}

/** Executes an action at once: answer 202, a recorded action, and a changed server. */
export function perform(
  server: Record<string, unknown>,
  actions: ScriptedCloud['actions'],
  body: unknown,
): Reply {
  const [name = ''] = Object.keys(body as object);
  const id = `req-${actions.length + 1}`;
  actions.unshift({
    action: name.replace('os-', ''),
    request_id: id,
    start_time: '2026-01-01T00:00:05.000000',
  });
  if (name === 'os-stop') server['status'] = 'SHUTOFF';
  if (name === 'os-start') server['status'] = 'ACTIVE';
  return { status: 202, headers: { 'x-openstack-request-id': id } };
}

function write(response: ServerResponse, reply: Reply): void {
  if (reply.manner === 'hang') return;
  if (reply.manner === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const text =
    reply.body === undefined ? '' : typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
  const type = typeof reply.body === 'string' ? 'text/html' : 'application/json';
  response.writeHead(reply.status ?? 200, { 'content-type': type, ...reply.headers });
  if (reply.manner !== 'endless') {
    response.end(text);
    return;
  }
  const more = (): void => {
    while (!response.destroyed && response.write('x'.repeat(65_536)));
  };
  response.on('drain', more);
  more();
}
