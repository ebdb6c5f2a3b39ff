import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failure, message, int32, postgresServer } from '../../src/net/testing/postgres-server.ts';
import type { Listening } from '../../src/net/testing/servers.ts';
import { createBench } from '../firedrill.ts';

// Secrets that nobody else has, by each way that a target may name one; everything that is told them says them again.
const canary = (name: string): string => `canary-${name}-${randomBytes(9).toString('base64url')}`;
const canaries = {
  environment: canary('env'),
  file: canary('file'),
  header: canary('header'),
  cloud: canary('cloud'),
};
const all = Object.values(canaries);
/** What reporters are told by the environment alone. */
const receivers = {
  otlp: canary('otlp'),
  grafana: canary('grafana'),
  webhook: canary('webhook'),
  signing: canary('signing'),
  slack: canary('slack'),
};

const bench = createBench();
const files = join(bench.out, '..', 'canary');

/** Says all that it was ever told: headers, body and all of the canaries. */
const web = createServer((request, response) => {
  const { authorization = '' } = request.headers;
  if (request.url === '/value') response.end(JSON.stringify({ said: `${authorization} ${all.join(' ')}` }));
  else if (request.url === '/health') response.end('fine');
  else if (request.method === 'POST')
    // Whoever is told of a drill says all that they know, until their words are cut.
    response
      .writeHead(400)
      .end(`${request.url ?? ''} ${authorization} ${Object.values(receivers).join(' ')} `.repeat(20));
  // Cut by the limits of messages somewhere within a secret, wherever that is.
  else response.writeHead(500).end(JSON.stringify({ said: all.join(' ').repeat(20) }));
});
/** A cloud whose Keystone repeats what it was sent. */
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
  // Asks for the password in clear, and says in its error what it got.
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
steady: { require: [{ probe: web }], for: 200ms, within: 10s }
`,
  );
  const scenario = (name: string, fault: string): string =>
    put(
      `${name}.yaml`,
      `name: ${name}
title: Everything that is told a secret says it again
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

/** Canaries in a text, whole or so much of one that it is no chance. */
function sung(text: string, canariesOf: Readonly<Record<string, string>> = canaries): string[] {
  return Object.entries(canariesOf).flatMap(([name, secret]) =>
    text.includes(secret.slice(0, `canary-${name}`.length + 6)) || text.includes(secret.slice(-10))
      ? [name]
      : [],
  );
}

describe('secrets that everything repeats', () => {
  test.each(['quiet', 'command', 'cloud'])(
    'are in nothing that a drill prints or keeps: %s',
    async (name) => {
      const out = join(bench.out, name);
      const args = ['run', join(files, `${name}.yaml`), '--target', join(files, 'target.yaml'), '--out', out];
      const { stdout, stderr } = await bench.startWith(
        { CANARY: canaries.environment },
        ...args,
        '--all-probes',
      );
      const kept = [...contents(out), ...contents(bench.state)];
      const log = kept.find(([path]) => path.endsWith('events.ndjson'))?.[1] ?? '';
      // They were said, or nothing is shown here.
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
    },
  );

  test('are kept out also where only probes that do not run refer to them', async () => {
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

  test('are in nothing that reporters say, whatever they are answered', async () => {
    const out = join(bench.out, 'reporters');
    const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
    const told = {
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
      told,
      ...args,
      ...reporters,
      '--reporter',
      'chaostoolkit',
    );
    for (const name of names)
      expect(stderr).toMatch(new RegExp(`^reporter ${name} failed .*answered 400: .*\\[secret\\]`, 'm'));
    const kept = [...contents(out), ...contents(bench.state)];
    expect(kept.map(([path]) => path.replace(/.*\//, ''))).toContain('journal.json');
    for (const [path, text] of [...kept, ['stdout', stdout], ['stderr', stderr]] as const)
      expect(sung(text, receivers), path).toEqual([]);
    const without = await bench.startWith(told, ...args);
    expect(exitCode, stderr).toBe(without.exitCode);
    // The probes say them as well: without the reporters they are nobody's secrets.
    expect(contents(out).flatMap(([, text]) => sung(text, receivers))).not.toEqual([]);
  });

  test('are in nothing that watch, plan and validate print or keep', async () => {
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
