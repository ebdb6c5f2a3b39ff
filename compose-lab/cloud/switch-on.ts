// Switches on every server that the cloud has switched off. Otherwise `lab up` would start the container without the cloud, and
// the cloud would switch it off again. `lab up` runs this in the cloud's container, with its environment.
//
//   node switch-on.ts
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCloudConfig } from './config.ts';

/** Time limit, ms: the service may have just started, and a guest may still shut down before it can start. */
const withinMs = 90_000;

process.loadEnvFile(process.env['FIREDRILL_CLOUD_SECRETS'] ?? '');
const config = parseCloudConfig(
  readFileSync(process.env['FIREDRILL_CLOUD_CONFIG'] ?? '', 'utf8'),
  process.env,
);
const url = process.env['FIREDRILL_CLOUD_URL'] ?? '';
const end = performance.now() + withinMs;

async function call(path: string, body?: unknown, token?: string): Promise<Response> {
  return fetch(`${url}${path}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { 'x-auth-token': token }),
    },
    signal: AbortSignal.timeout(10_000),
  });
}

async function logIn(): Promise<string> {
  const domain = { id: 'default' };
  const user = { name: config.user, password: config.password, domain };
  const identity = { methods: ['password'], password: { user } };
  const scope = { project: { name: config.project, domain } };
  for (;;) {
    try {
      const answer = await call('/identity/v3/auth/tokens', { auth: { identity, scope } });
      if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
      return answer.headers.get('x-subject-token') ?? '';
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(200);
    }
  }
}

interface Server {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly 'OS-EXT-STS:task_state': string | null;
}

const token = await logIn();
const asked = new Set<string>();
for (;;) {
  const answer = await call('/compute/v2.1/servers/detail', undefined, token);
  const { servers } = (await answer.json()) as { servers: readonly Server[] };
  const busy = servers.filter((server) => server['OS-EXT-STS:task_state'] !== null);
  // Each server is started once. If it stays off, it has no container, and `lab up` creates a new one.
  const off = servers.filter(
    (server) => server.status === 'SHUTOFF' && !busy.includes(server) && !asked.has(server.id),
  );
  for (const { id, name } of off) {
    asked.add(id);
    const started = await call(`/compute/v2.1/servers/${id}/action`, { 'os-start': null }, token);
    process.stdout.write(`${name}: ${started.status === 202 ? 'switching on' : await started.text()}\n`);
  }
  if (off.length === 0 && busy.length === 0) {
    process.stdout.write(
      `the cloud has ${servers.map(({ name, status }) => `${name} ${status}`).join(', ')}\n`,
    );
    break;
  }
  if (performance.now() > end) throw new Error(`still busy: ${busy.map((server) => server.name).join(', ')}`);
  await sleep(200);
}
