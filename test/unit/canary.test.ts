import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failure, message, int32, postgresServer } from '../../src/net/testing/postgres-server.ts';
import type { Listening } from '../../src/net/testing/servers.ts';
import { createBench } from '../firedrill.ts';

// One unique secret per way in which a target can refer to a secret. Every receiver of a secret repeats it.
const canary = (name: string): string => `canary-${name}-${randomBytes(9).toString('base64url')}`;
const canaries = {
  environment: canary('env'),
  file: canary('file'),
  header: canary('header'),
  cloud: canary('cloud'),
};
const all = Object.values(canaries);
/** Secrets that reporters read from the environment. */
const receivers = {
  otlp: canary('otlp'),
  grafana: canary('grafana'),
  webhook: canary('webhook'),
  signing: canary('signing'),
  slack: canary('slack'),
};

const bench = createBench();
const files = join(bench.out, '..', 'canary');

/** Answers with the authorization header that it received and with all canaries. */
const web = createServer((request, response) => {
  const { authorization = '' } = request.headers;
  if (request.url === '/value') response.end(JSON.stringify({ said: `${authorization} ${all.join(' ')}` }));
  else if (request.url === '/health') response.end('fine');
  else if (request.method === 'POST')
    // A receiver of a drill repeats all secrets, until a limit cuts its answer.
    response
      .writeHead(400)
      .end(`${request.url ?? ''} ${authorization} ${Object.values(receivers).join(' ')} `.repeat(20));
  // The limits of messages cut this answer within a secret.
  else response.writeHead(500).end(JSON.stringify({ said: all.join(' ').repeat(20) }));
});
/** A Keystone that repeats each request in its error. */
const keystone = createServer((request, response) => {
  request.setEncoding('utf8');
  let text = '';
  request.on('data', (more: string) => (text += more));
  request.on('end', () =>
    response
      .writeHead(401, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: { code: 401, message: text } })),
  );
});
let database: Listening | undefined;

function put(name: string, text: string): string {
  const path = join(files, name);
  writeFileSync(path, text);
  return path;
}

beforeAll(async () => {
  mkdirSync(files, { recursive: true });
  for (const server of [web, keystone]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }
  // It requests the password in clear text and repeats it in its error.
  database = await postgresServer(
    (socket) => {
      socket.write(message('R', int32(3)));
      socket.on('data', (data) => {
        if (data[0] !== 'p'.charCodeAt(0)) return;
        const password = data.toString('utf8', 5, data.length - 1);
        socket.end(
          failure('FATAL', '28P01', `${'x'.repeat(250)} no such password: ${password} ${all.join(' ')}`),
        );
      });
    },
    () => undefined,
  );
  put('password', `${canaries.file}\n`);
  put('header', canaries.header);
  const port = (server: typeof web): number => (server.address() as AddressInfo).port;
  put(
    'clouds.yaml',
    `clouds:
  made-up:
    auth: { auth_url: 'http://127.0.0.1:${port(keystone)}/v3', username: u, password: ${canaries.cloud}, project_name: p, user_domain_name: d, project_domain_name: d }
`,
  );
  const url = `http://127.0.0.1:${port(web)}`;
  const dsn = `postgresql://app@${database.address}/app`;
  put(
    'target.yaml',
    `name: canary
environment: test
hosts:
  here: { transport: local, server: { cloud: made-up, cloudsFile: clouds.yaml, id: a } }
probes:
  - { id: web, kind: http, url: '${url}/health', interval: 200ms }
  - { id: told, kind: http, url: '${url}/value', value: said, headers: { Authorization: { file: header } }, interval: 200ms }
  - { id: body, kind: http, url: '${url}/broken', value: said, interval: 200ms }
  - { id: by-file, kind: sql, dsn: '${dsn}', password: { file: password }, query: select 1, interval: 200ms }
  - { id: by-environment, kind: sql, dsn: '${dsn}', password: { env: CANARY }, query: select 1, interval: 200ms }
  - { id: command, kind: exec, on: here, argv: [sh, -c, 'cat ${files}/password ${files}/header ${files}/clouds.yaml; echo "$CANARY"'], interval: 200ms }
  - { id: aside, kind: exec, on: here, argv: [sh, -c, 'echo "$TOLD"'], interval: 200ms }
  - { id: failing, kind: exec, on: here, argv: [sh, -c, 'echo "$CANARY" >&2; cat ${files}/clouds.yaml ${files}/header >&2; exit 3'], interval: 200ms }
steady: { require: [{ probe: web }], for: 200ms, within: 4m }
`,
  );
  const scenario = (name: string, fault: string): string =>
    put(
      `${name}.yaml`,
      `name: ${name}
title: Every receiver of a secret repeats it
faults:
  - ${fault}
recovery: { probe: web, within: 5s, stableFor: 300ms, quietFor: 300ms }
redundancy: { require: [{ probe: told, is: nothing }], for: 100ms, within: 500ms }
checks: [{ kind: finally, condition: { probe: told, is: nothing } }]
`,
    );
  scenario(
    'command',
    `{ kind: command, on: here, run: [sh, -c, 'echo "$CANARY" >&2; cat ${files}/password >&2; exit 1'] }`,
  );
  scenario('cloud', '{ kind: server.stop, on: here }');
  scenario('quiet', "{ kind: command, on: here, run: ['true'] }");
});
afterAll(async () => {
  web.close();
  keystone.close();
  await database?.close();
  bench.remove();
});

/** Files below a folder, with their bytes as text. */
function contents(folder: string): (readonly [path: string, text: string])[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path, readFileSync(path, 'latin1')] as const);
}

/** Names of the canaries in a text. It also finds a part of a canary that is too long for a coincidence. */
function sung(text: string, canariesOf: Readonly<Record<string, string>> = canaries): string[] {
  return Object.entries(canariesOf).flatMap(([name, secret]) =>
    text.includes(secret.slice(0, `canary-${name}`.length + 6)) || text.includes(secret.slice(-10))
      ? [name]
      : [],
  );
}

describe('a secret that every receiver repeats', () => {
  test.each(['quiet', 'command', 'cloud'])('is neither printed nor stored by a drill: %s', async (name) => {
    const out = join(bench.out, name);
    const args = ['run', join(files, `${name}.yaml`), '--target', join(files, 'target.yaml'), '--out', out];
    const { stdout, stderr } = await bench.startWith(
      { CANARY: canaries.environment },
      ...args,
      '--all-probes',
    );
    const kept = [...contents(out), ...contents(bench.state)];
    const log = kept.find(([path]) => path.endsWith('events.ndjson'))?.[1] ?? '';
    // The probes received the secrets; without them this test proves nothing.
    for (const probe of ['told', 'body', 'by-file', 'by-environment', 'command', 'failing']) {
      const said = log.split('\n').filter((line) => line.includes(`"probe":"${probe}`));
      expect(
        said.some((line) => line.includes('[secret]')),
        `${probe}: ${said[0] ?? stderr}`,
      ).toBe(true);
    }
    expect(kept.map(([path]) => path.replace(/.*\//, ''))).toEqual(
      expect.arrayContaining(['events.ndjson', 'samples.csv', 'summary.json', 'report.md']),
    );
    for (const [path, text] of [...kept, ['stdout', stdout], ['stderr', stderr]] as const) {
      expect(sung(text), path).toEqual([]);
    }
  });

  test('is redacted even if only probes that do not run refer to it', async () => {
    const out = join(bench.out, 'left-out');
    const args = ['run', join(files, 'command.yaml'), '--target', join(files, 'target.yaml'), '--out', out];
    const { stdout, stderr } = await bench.startWith({ CANARY: canaries.environment }, ...args);
    const kept = [...contents(out), ...contents(bench.state)];
    const log = kept.find(([path]) => path.endsWith('events.ndjson'))?.[1] ?? '';
    expect(log).toContain('"probesLeftOut":["body","by-file","by-environment"');
    expect(stderr).toContain('exited 1: [secret]');
    for (const [path, text] of [...kept, ['stdout', stdout], ['stderr', stderr]] as const)
      expect(sung(text), path).toEqual([]);
  });

  test('is not in any text of a reporter, even if an endpoint repeats it', async () => {
    const out = join(bench.out, 'reporters');
    const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
    const reported = {
      CANARY: canaries.environment,
      TOLD: Object.values(receivers).join(' '),
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${receivers.otlp}`,
      FIREDRILL_GRAFANA_URL: url,
      FIREDRILL_GRAFANA_TOKEN: receivers.grafana,
      FIREDRILL_WEBHOOK_URL: `${url}/hook/${receivers.webhook}`,
      FIREDRILL_WEBHOOK_SECRET: receivers.signing,
      FIREDRILL_SLACK_WEBHOOK_URL: `${url}/services/${receivers.slack}`,
    };
    const names = ['otlp', 'grafana', 'webhook', 'slack'];
    const target = join(files, 'target.yaml');
    const args = ['run', join(files, 'quiet.yaml'), '--target', target, '--out', out, '--all-probes'];
    const reporters = names.flatMap((name) => ['--reporter', name]);
    const { stdout, stderr, exitCode } = await bench.startWith(
      reported,
      ...args,
      ...reporters,
      '--reporter',
      'chaostoolkit',
    );
    for (const name of names)
      expect(stderr).toMatch(
        new RegExp(`^reporter ${name} stopped after an error: .*answered 400: .*\\[secret\\]`, 'm'),
      );
    const kept = [...contents(out), ...contents(bench.state)];
    expect(kept.map(([path]) => path.replace(/.*\//, ''))).toContain('journal.json');
    for (const [path, text] of [...kept, ['stdout', stdout], ['stderr', stderr]] as const)
      expect(sung(text, receivers), path).toEqual([]);
    const without = await bench.startWith(reported, ...args);
    expect(exitCode, stderr).toBe(without.exitCode);
    // The probes print them too: without the reporters, firedrill does not treat these values as secrets.
    expect(contents(out).flatMap(([, text]) => sung(text, receivers))).not.toEqual([]);
  });

  test('is neither printed nor stored by watch, plan, and validate', async () => {
    const target = join(files, 'target.yaml');
    const out = join(bench.out, 'watch');
    for (const args of [
      ['watch', '--target', target, '--for', '2s', '--json', '--out', out],
      ['plan', join(files, 'quiet.yaml'), '--target', target, '--json'],
      ['validate', join(files, 'quiet.yaml'), '--target', target],
    ]) {
      const { stdout, stderr } = await bench.startWith({ CANARY: canaries.environment }, ...args);
      expect(stdout, stderr).not.toBe('');
      expect(sung(stdout + stderr), args[0]).toEqual([]);
    }
    for (const [path, text] of contents(out)) expect(sung(text), path).toEqual([]);
  });
});
