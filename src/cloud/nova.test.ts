import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../core/clock.ts';
import { runMs, wallMs } from '../core/time.ts';
import type { CloudConfig } from './clouds-config.ts';
import { createHttpClient } from '../http/http-client.ts';
import { createNovaServer } from './nova.ts';
import {
  perform,
  scriptedCloud,
  serverId,
  token,
  type Reply,
  type ScriptedCloud,
} from './testing/scripted-cloud.ts';

let cloud: ScriptedCloud;
beforeEach(async () => {
  cloud = await scriptedCloud();
});
afterEach(() => cloud.close());

const signal = new AbortController().signal;
const action = /^POST .*\/action$/;
const conflict: Reply = {
  status: 409,
  body: { conflictingRequest: { code: 409, message: "Cannot 'stop' it" } },
};
const unauthorized: Reply = {
  status: 401,
  body: { error: { code: 401, message: 'Unauthorized', title: 'Unauthorized' } },
};
const html: Reply = { status: 503, body: '<html><body>503 Service Unavailable</body></html>' };

/** A clock that only `sleep` advances; `slept` records the sleeps. */
function testClock(): Clock & { readonly slept: number[]; advance: (ms: number) => void } {
  let nowMs = 0;
  const slept: number[] = [];
  return {
    slept,
    advance: (ms) => void (nowMs += ms),
    nowMs: () => runMs(nowMs),
    // Years away from the cloud's clock.
    wallMs: () => wallMs(nowMs),
    sleep: (ms) => {
      slept.push(ms);
      nowMs += ms;
      return Promise.resolve();
    },
  };
}

function web(options: Partial<CloudConfig> & { id?: string; clock?: Clock; timeoutMs?: number } = {}) {
  const { id = serverId, clock = testClock(), timeoutMs = 1000, ...settings } = options;
  const config: CloudConfig = {
    name: 'lab',
    source: 'clouds.yaml',
    authUrl: `${cloud.url}/identity/v3`,
    credentials: {
      kind: 'password',
      user: { name: 'drill', domain: { id: 'default' } },
      password: 'hunter2',
      project: { name: 'drills', domain: { name: 'Default' } },
    },
    interface: 'public',
    trust: { verify: true },
    ...settings,
  };
  return createNovaServer({ config, http: createHttpClient(config.trust, timeoutMs), clock, retryMs: 1 }, id);
}

/** The cloud executes the action, then its answer is lost. */
const lost = (reply: Reply, body: unknown): Reply => ({
  ...reply,
  effect: () => void perform(cloud.server, cloud.actions, body),
});

describe('signing in', () => {
  test('with a password and a project', async () => {
    await expect(web().state(signal)).resolves.toEqual({ status: 'ACTIVE', taskState: null });
    expect(cloud.logins).toEqual([
      {
        auth: {
          identity: {
            methods: ['password'],
            password: { user: { name: 'drill', domain: { id: 'default' }, password: 'hunter2' } },
          },
          scope: { project: { name: 'drills', domain: { name: 'Default' } } },
        },
      },
    ]);
  });

  test('with an application credential, without a scope', async () => {
    const secret = 's3cret';
    await web({ credentials: { kind: 'application-credential', credential: { id: 'ac-1' }, secret } }).state(
      signal,
    );
    const credential = { name: 'drill', user: { id: 'u-1' } };
    await web({ credentials: { kind: 'application-credential', credential, secret } }).state(signal);
    expect(cloud.logins).toEqual([
      {
        auth: {
          identity: { methods: ['application_credential'], application_credential: { id: 'ac-1', secret } },
        },
      },
      {
        auth: {
          identity: {
            methods: ['application_credential'],
            application_credential: { ...credential, secret },
          },
        },
      },
    ]);
  });

  test('reports refused credentials without showing them', async () => {
    cloud.always(/auth\/tokens/, () => unauthorized);
    const failure = await web()
      .state(signal)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'fault-failed',
      message: expect.stringContaining('refuses the credentials: 401'),
    });
    expect(JSON.stringify(failure)).not.toContain('hunter2');
    expect(cloud.logins).toHaveLength(1);
  });

  test.each([
    ['as Keystone names it', { methods: ['password'] }, [['password', 'totp']], 'totp'],
    [
      'one way of several',
      { methods: ['password'] },
      [
        ['password', 'totp'],
        ['password', 'x', 'y'],
      ],
      'totp, or x and y',
    ],
    ['without its rules', {}, undefined, 'a second factor'],
    ['by its header alone', undefined, undefined, 'a second factor'],
  ])('names the second factor that Keystone asks for: %s', async (_, receipt, rules, words) => {
    cloud.always(/auth\/tokens/, () => ({
      status: 401,
      headers: { 'openstack-auth-receipt': 'gAAA' },
      body: { receipt, ...(rules === undefined ? {} : { required_auth_methods: rules }) },
    }));
    await expect(web().state(signal)).rejects.toMatchObject({
      code: 'fault-failed',
      message: expect.stringContaining(`requires a further authentication method: ${words}`),
      hint: expect.stringContaining('Use an application credential'),
    });
    expect(cloud.logins).toHaveLength(1);
  });

  test('scopes a token to a trust', async () => {
    const user = { id: 'u' };
    await web({ credentials: { kind: 'password', user, password: 'p', trustId: 't' } }).state(signal);
    expect(cloud.logins).toMatchObject([{ auth: { scope: { 'OS-TRUST:trust': { id: 't' } } } }]);
  });

  test('does not keep a token without the time of its issue: its life is unknown', async () => {
    const server = web();
    await server.state(signal);
    await server.state(signal);
    expect(cloud.logins).toHaveLength(1);
    cloud.always(/auth\/tokens/, () => token(cloud.url, { issued_at: undefined }));
    const other = web();
    await other.state(signal);
    await other.state(signal);
    expect(cloud.logins).toHaveLength(3);
  });

  test('treats an answer without X-Subject-Token as unusable', async () => {
    cloud.always(/auth\/tokens/, () => ({ ...token(cloud.url), headers: {} }));
    await expect(web().state(signal)).rejects.toMatchObject({
      code: 'host-unreachable',
      message: expect.stringContaining('no X-Subject-Token'),
    });
  });

  test('retries while Keystone answers with an error page', async () => {
    cloud.next(/auth\/tokens/, html);
    await expect(web().state(signal)).resolves.toMatchObject({ status: 'ACTIVE' });
    cloud.always(/auth\/tokens/, () => html);
    await expect(web().state(signal)).rejects.toMatchObject({
      code: 'host-unreachable',
      message: expect.stringContaining('503 without a JSON body'),
    });
  });

  test('renews a token before it expires, by the cloud’s clock', async () => {
    const clock = testClock();
    const server = web({ clock });
    await server.state(signal);
    clock.advance(58 * 60_000);
    await server.state(signal);
    expect(cloud.logins).toHaveLength(1);
    clock.advance(61_000);
    await server.state(signal);
    expect(cloud.logins).toHaveLength(2);
  });
});

describe('the catalog', () => {
  const endpoint = (region: string) => ({ interface: 'public', region, url: `${cloud.url}/compute/v2.1` });

  test.each<[string, unknown, Partial<CloudConfig>, string]>([
    [
      'without compute',
      [{ type: 'compute_legacy', endpoints: [] }],
      {},
      'no service of type compute; it has compute_legacy',
    ],
    ['of a token without a project', undefined, {}, 'no service of type compute; it has no services'],
    [
      'without the region',
      ['north'],
      { region: 'south' },
      'no compute endpoint in region south; known: north',
    ],
    ['without the interface', ['north'], { interface: 'admin' }, 'no admin compute endpoint; known: public'],
    [
      'with multiple regions, and none configured',
      ['north', 'south'],
      {},
      'compute in multiple regions: north, south',
    ],
  ])('%s', async (_, services, settings, what) => {
    const regions = Array.isArray(services) && services.every((region) => typeof region === 'string');
    const catalog = regions ? [{ type: 'compute', endpoints: services.map(endpoint) }] : services;
    cloud.always(/auth\/tokens/, () => token(cloud.url, { catalog }));
    await expect(web(settings).state(signal)).rejects.toMatchObject({
      code: 'invalid-input',
      message: `cloud lab: the catalog has ${what}`,
    });
  });

  test('selects the endpoint of the region and interface', async () => {
    await expect(web({ region: 'north' }).state(signal)).resolves.toMatchObject({ status: 'ACTIVE' });
    cloud.always(/inside/, ({ path }) =>
      path.endsWith('/')
        ? { body: { version: { id: 'v2.1', version: '2.79', min_version: '2.1' } } }
        : { body: { server: { ...cloud.server, status: 'SHUTOFF' } } },
    );
    await expect(web({ interface: 'internal' }).state(signal)).resolves.toMatchObject({ status: 'SHUTOFF' });
  });
});

describe('the compute endpoint', () => {
  test('is the configured one with the project filled in, independent of the catalog', async () => {
    cloud.always(/auth\/tokens/, () => token(cloud.url, { catalog: [], project: { id: 'abc' } }));
    cloud.always(/servers/, () => ({ body: { server: cloud.server } }));
    await web({ computeEndpoint: `${cloud.url}/compute/v2.1/%(project_id)s` }).state(signal);
    expect(cloud.requests.at(-1)).toBe(`GET /compute/v2.1/abc/servers/${serverId}`);
    await expect(web({ computeEndpoint: `${cloud.url}/%(user_id)s` }).state(signal)).rejects.toMatchObject({
      code: 'invalid-input',
      message: 'cloud lab: compute_endpoint_override has %(user_id)s, which firedrill cannot fill in',
    });
  });

  test('belongs to the first interface in the region', async () => {
    const at = (name: string, region: string, path: string) => ({
      interface: name,
      region,
      url: `${cloud.url}${path}`,
    });
    const endpoints = [at('internal', 'south', '/no'), at('public', 'north', '/compute/v2.1')];
    cloud.always(/auth\/tokens/, () => token(cloud.url, { catalog: [{ type: 'compute', endpoints }] }));
    const settings = { interface: ['internal', 'public'] as const, region: 'north' };
    await expect(web(settings).state(signal)).resolves.toMatchObject({ status: 'ACTIVE' });
  });

  test('belongs to the service of the configured type and name', async () => {
    const service = (type: string, name: string, path: string) => ({
      type,
      name,
      endpoints: [{ interface: 'public', region: 'north', url: `${cloud.url}${path}` }],
    });
    const catalog = [service('compute', 'nova', '/no'), service('compute', 'nova2', '/compute/v2.1')];
    cloud.always(/auth\/tokens/, () => token(cloud.url, { catalog }));
    await expect(web({ serviceName: 'nova2' }).state(signal)).resolves.toMatchObject({ status: 'ACTIVE' });
    await expect(web({ serviceName: 'nova3' }).state(signal)).rejects.toThrow(
      'no service of type compute with the name nova3; it has compute, compute',
    );
    await expect(web({ serviceType: 'compute_x' }).state(signal)).rejects.toThrow(
      'no service of type compute_x',
    );
  });
});

describe('a version document that cannot be read', () => {
  test.each<[string, Reply]>([
    ['not found', { status: 404, body: { itemNotFound: { code: 404, message: 'no' } } }],
    ['a gateway’s refusal', { status: 401, body: '<html>401</html>' }],
    ['a page', { status: 200, body: '<html>gateway</html>' }],
    ['a redirect', { status: 302, headers: { location: '/compute/v2.1' }, body: '' }],
    ['an error page', html],
    ['silence', { manner: 'reset' }],
    ['v2.0 only', { status: 300, body: { versions: [{ id: 'v2.0', status: 'CURRENT', links: [] }] } }],
  ])('leaves the endpoint of the catalog, and the configured microversion: %s', async (_, reply) => {
    cloud.always(/GET \/compute\/v2.1\/$/, () => reply);
    await expect(web().state(signal)).resolves.toEqual({ status: 'ACTIVE', taskState: null });
    expect(cloud.lastHeaders['openstack-api-version']).toBeUndefined();
    await web({ microversion: '2.60' }).state(signal);
    expect(cloud.lastHeaders['openstack-api-version']).toBe('compute 2.60');
  });

  test('is requested again only if it may be readable later', async () => {
    const asked = (): number => cloud.requests.filter((line) => line === 'GET /compute/v2.1/').length;
    cloud.always(/GET \/compute\/v2.1\/$/, () => ({ status: 404 }));
    const hidden = web();
    await hidden.state(signal);
    await hidden.state(signal);
    expect(asked()).toBe(1);
    cloud.always(/GET \/compute\/v2.1\/$/, () => html);
    const broken = web();
    await broken.state(signal);
    expect(asked()).toBe(4);
    await broken.state(signal);
    expect(asked()).toBe(7);
  });

  test('at an unversioned endpoint means v2.1', async () => {
    const endpoints = [{ interface: 'public', region: 'north', url: `${cloud.url}/compute` }];
    cloud.always(/auth\/tokens/, () => token(cloud.url, { catalog: [{ type: 'compute', endpoints }] }));
    cloud.always(/GET \/compute\/$/, () => ({ status: 404 }));
    await web().state(signal);
    expect(cloud.requests.at(-1)).toBe(`GET /compute/v2.1/servers/${serverId}`);
  });

  test('that lists versions at a versioned endpoint does not add a second version to the URL', async () => {
    cloud.always(/GET \/compute\/v2.1\/$/, () => ({
      body: { versions: [{ id: 'v2.1', version: '2.96', min_version: '2.1' }] },
    }));
    await web().state(signal);
    expect(cloud.requests.at(-1)).toBe(`GET /compute/v2.1/servers/${serverId}`);
    expect(cloud.lastHeaders['openstack-api-version']).toBe('compute 2.73');
  });
});

describe('the microversion', () => {
  const offers = (min_version: string, version: string): void =>
    cloud.always(/compute\/v2.1\/$/, () => ({ body: { version: { id: 'v2.1', min_version, version } } }));

  test('is the needed one, not the newest', async () => {
    await web().state(signal);
    expect(cloud.lastHeaders).toMatchObject({
      'openstack-api-version': 'compute 2.73',
      'x-auth-token': 'token-1',
    });
  });

  test('is the newest of an older server', async () => {
    offers('2.1', '2.38');
    await web().state(signal);
    expect(cloud.lastHeaders['openstack-api-version']).toBe('compute 2.38');
  });

  test('is omitted if the API has none', async () => {
    offers('', '');
    await web().state(signal);
    expect(cloud.lastHeaders['openstack-api-version']).toBeUndefined();
  });

  test('is the configured one, if the server has it', async () => {
    await web({ microversion: '2.90' }).state(signal);
    expect(cloud.lastHeaders['openstack-api-version']).toBe('compute 2.90');
    await expect(web({ microversion: '2.97' }).state(signal)).rejects.toMatchObject({
      code: 'invalid-input',
      message: 'cloud lab: the compute API of region north has microversions 2.1 to 2.96, not 2.97',
    });
  });

  test('refused with 406 in Nova’s own format is reported', async () => {
    const error = {
      status: 406,
      title: 'Not Acceptable',
      detail: 'Version 2.73 is not supported by the API.',
    };
    cloud.next(action, { status: 406, body: { errors: [error] } });
    await expect(web().stop(signal)).rejects.toThrow('406 Version 2.73 is not supported by the API.');
  });

  test('refused with 406 is reported, and not sent again', async () => {
    cloud.next(action, {
      status: 406,
      body: { computeFault: { code: 406, message: 'Version 2.73 is not supported' } },
    });
    await expect(web().stop(signal)).rejects.toMatchObject({
      code: 'fault-failed',
      message:
        'cloud lab: the compute API does not accept microversion 2.73: 406 computeFault: Version 2.73 is not supported',
    });
    expect(cloud.posts).toHaveLength(1);
  });

  test('is read before a project id in the URL, and at an unversioned endpoint', async () => {
    const at = (path: string) => [
      { type: 'compute', endpoints: [{ interface: 'public', region: 'north', url: `${cloud.url}${path}` }] },
    ];
    cloud.always(/servers/, () => ({ body: { server: cloud.server } }));
    cloud.always(/auth\/tokens/, () => token(cloud.url, { catalog: at('/compute/v2.1/abc') }));
    await web().state(signal);
    expect(cloud.requests.slice(-2)).toEqual([
      'GET /compute/v2.1/',
      `GET /compute/v2.1/abc/servers/${serverId}`,
    ]);
    cloud.always(/ \/compute\/$/, () => ({
      status: 300,
      body: {
        versions: [
          { id: 'v2.0', version: '', min_version: '' },
          { id: 'v2.1', version: '2.96', min_version: '2.1' },
        ],
      },
    }));
    cloud.always(/auth\/tokens/, () => token(cloud.url, { catalog: at('/compute/') }));
    await web().state(signal);
    expect(cloud.requests.slice(-2)).toEqual(['GET /compute/', `GET /compute/v2.1/servers/${serverId}`]);
  });
});

describe('finding the server', () => {
  test('by name: Nova’s filter is a regular expression', async () => {
    cloud.always(/servers\?/, () => ({
      body: {
        servers: [
          { id: 'other', name: 'WEB.1' },
          { id: serverId, name: 'web.1' },
        ],
      },
    }));
    const server = web({ id: 'web.1' });
    await server.state(signal);
    await server.state(signal);
    expect(cloud.requests.filter((line) => line.includes('?'))).toEqual([
      String.raw`GET /compute/v2.1/servers?name=^web\.1$`,
    ]);
  });

  test('refuses a name that multiple servers have', async () => {
    cloud.always(/servers\?/, () => ({
      body: {
        servers: [
          { id: 'a', name: 'web-1' },
          { id: 'b', name: 'web-1' },
        ],
      },
    }));
    await expect(web({ id: 'web-1' }).stop(signal)).rejects.toMatchObject({
      code: 'invalid-input',
      message: 'server web-1 of cloud lab: 2 servers have that name: a, b',
    });
    expect(cloud.posts).toEqual([]);
  });

  test('does not report a missing server while a cell is down', async () => {
    const body = { servers: [{ id: 'x', status: 'UNKNOWN' }] };
    cloud.always(/servers\?/, () => ({ body }));
    await expect(web({ id: 'web-1' }).state(signal)).rejects.toMatchObject({
      code: 'host-unreachable',
      message:
        'server web-1 of cloud lab: cannot find it by name: a cell is down, so servers are listed without names (1)',
    });
  });

  test('refuses a name that no server has', async () => {
    await expect(web({ id: 'web-9' }).state(signal)).rejects.toMatchObject({ code: 'invalid-input' });
  });

  test('reports a missing server', async () => {
    const id = '99999999-2222-4333-8444-555555555555';
    await expect(web({ id }).stop(signal)).rejects.toMatchObject({
      code: 'fault-failed',
      message: expect.stringContaining('the cloud does not have it: 404 itemNotFound'),
    });
    expect(cloud.posts).toHaveLength(1);
  });
});

describe('an action', () => {
  test('sends the request of the API and returns its request id', async () => {
    const server = web();
    await expect(server.stop(signal)).resolves.toEqual({ requestId: 'req-1' });
    await expect(server.start(signal)).resolves.toEqual({ requestId: 'req-2' });
    await server.reboot('SOFT', signal);
    await server.reboot('HARD', signal);
    expect(cloud.posts).toEqual([
      { 'os-stop': null },
      { 'os-start': null },
      { reboot: { type: 'SOFT' } },
      { reboot: { type: 'HARD' } },
    ]);
  });

  test('reads the request id from the older header', async () => {
    cloud.next(action, { status: 202, headers: { 'x-compute-request-id': 'req-old' } });
    await expect(web().stop(signal)).resolves.toEqual({ requestId: 'req-old' });
  });

  test('logs in again if the token is refused', async () => {
    cloud.next(action, unauthorized);
    await expect(web().stop(signal)).resolves.toEqual({ requestId: 'req-1' });
    expect([cloud.posts.length, cloud.logins.length]).toEqual([2, 2]);
  });

  test('fails if a new token is also refused', async () => {
    cloud.always(action, () => unauthorized);
    await expect(web().stop(signal)).rejects.toMatchObject({
      code: 'fault-failed',
      message: expect.stringContaining('refuses a new token'),
    });
    expect([cloud.posts.length, cloud.logins.length]).toEqual([2, 2]);
  });

  test('is done if the server already has the state', async () => {
    cloud.server['status'] = 'SHUTOFF';
    cloud.always(action, () => conflict);
    await expect(web().stop(signal)).resolves.toEqual({ requestId: undefined });
    expect(cloud.posts).toHaveLength(1);
  });

  test('is done if the server is changing to the state', async () => {
    cloud.server['OS-EXT-STS:task_state'] = 'powering-off';
    cloud.always(action, () => conflict);
    await expect(web().stop(signal)).resolves.toEqual({ requestId: undefined });
    expect(cloud.posts).toHaveLength(1);
  });

  test('waits for another task, then sends the request again', async () => {
    const clock = testClock();
    cloud.server['OS-EXT-STS:task_state'] = 'image_snapshot';
    cloud.next(action, conflict);
    cloud.always(/GET .*\/servers\/[^/]+$/, () => {
      if (clock.nowMs() >= 3000) cloud.server['OS-EXT-STS:task_state'] = null;
      return { body: { server: cloud.server } };
    });
    await expect(web({ clock }).stop(signal)).resolves.toEqual({ requestId: 'req-1' });
    expect(clock.slept).toEqual([1000, 1000, 1000]);
    expect(cloud.posts).toHaveLength(2);
  });

  test('waits for another task for a limited time', async () => {
    cloud.server['OS-EXT-STS:task_state'] = 'migrating';
    cloud.always(action, () => conflict);
    const clock = testClock();
    await expect(web({ clock }).stop(signal)).rejects.toMatchObject({
      code: 'fault-failed',
      message:
        'server 11111111-2222-4333-8444-555555555555 of cloud lab: another task (migrating) still runs after 2 min',
    });
    expect(cloud.posts).toHaveLength(1);
  });

  test('stops after a limited time if other tasks come and go', async () => {
    cloud.always(action, () => conflict);
    const clock = testClock();
    cloud.always(/GET .*\/servers\/[^/]+$/, () => {
      clock.advance(20_000);
      const task = (clock.nowMs() / 20_000) % 2 === 1 ? 'migrating' : null;
      return { body: { server: { ...cloud.server, 'OS-EXT-STS:task_state': task } } };
    });
    await expect(web({ clock }).stop(signal)).rejects.toMatchObject({ code: 'fault-failed' });
    expect(cloud.posts.length).toBeLessThan(6);
  });

  test('reports a locked server', async () => {
    Object.assign(cloud.server, { locked: true, locked_reason: 'audit' });
    cloud.always(action, () => conflict);
    await expect(web().stop(signal)).rejects.toMatchObject({
      code: 'fault-failed',
      message: expect.stringContaining("it is locked (audit): 409 conflictingRequest: Cannot 'stop' it"),
    });
    expect(cloud.posts).toHaveLength(1);
  });

  test('fails after a conflict without a reason', async () => {
    cloud.server['status'] = 'PAUSED';
    cloud.always(action, () => conflict);
    await expect(web().stop(signal)).rejects.toMatchObject({
      code: 'fault-failed',
      message: expect.stringContaining('its status is PAUSED, and the cloud refused the request: 409'),
    });
    expect(cloud.posts).toHaveLength(2);
  });

  const slowDown = { overLimit: { code: 413, message: 'slow down', retryAfter: '7' } };
  test.each<[string, Reply, number]>([
    ['429 with seconds', { status: 429, headers: { 'retry-after': '12' } }, 12_000],
    [
      '429 with a date, by the cloud’s clock',
      {
        status: 429,
        headers: { date: 'Thu, 01 Jan 2026 09:00:00 GMT', 'retry-after': 'Thu, 01 Jan 2026 09:00:09 GMT' },
      },
      9000,
    ],
    ['413 overLimit with the time in its body', { status: 413, body: slowDown }, 7000],
    ['429 without a time', { status: 429 }, 1000],
  ])('comes back as it is told: %s', async (_, reply, pauseMs) => {
    const clock = testClock();
    cloud.next(action, reply);
    await expect(web({ clock }).stop(signal)).resolves.toEqual({ requestId: 'req-1' });
    expect(clock.slept).toEqual([pauseMs]);
    expect(cloud.posts).toHaveLength(2);
  });

  test('refuses a pause of an hour, and too many pauses', async () => {
    cloud.next(action, { status: 429, headers: { 'retry-after': '3600' } });
    await expect(web().stop(signal)).rejects.toMatchObject({
      code: 'host-unreachable',
      message: expect.stringContaining('requires a pause of 60 min'),
    });
    expect(cloud.posts).toHaveLength(1);
    cloud.always(action, () => ({ status: 429 }));
    await expect(web().stop(signal)).rejects.toMatchObject({ code: 'host-unreachable' });
    expect(cloud.posts).toHaveLength(7);
  });

  test('that is forbidden or malformed is refused at once', async () => {
    cloud.next(action, { status: 403, body: { forbidden: { code: 403, message: 'Policy' } } });
    await expect(web().stop(signal)).rejects.toMatchObject({ code: 'fault-failed' });
    cloud.next(action, { status: 413, body: '<html>too large</html>' });
    await expect(web().stop(signal)).rejects.toMatchObject({ code: 'fault-failed' });
    expect(cloud.posts).toHaveLength(2);
  });
});

describe('an action whose answer is lost', () => {
  const lostAnswers: [string, Reply][] = [
    ['502', { status: 502, body: '<html>Bad Gateway</html>' }],
    ['a timeout', { manner: 'hang' }],
    ['a broken connection', { manner: 'reset' }],
    ['an endless answer', { status: 202, manner: 'endless' }],
    ['a 200 of something else', { status: 200, body: '<html>Welcome</html>' }],
  ];

  test.each(lostAnswers)('%s: executed, found, and sent once', async (_, reply) => {
    const server = web({ timeoutMs: 1500 });
    cloud.next(action, lost(reply, { 'os-stop': null }));
    await expect(server.stop(signal)).resolves.toEqual({ requestId: 'req-1' });
    expect(cloud.posts).toHaveLength(1);
  });

  test('a finished reboot is found by its record', async () => {
    cloud.actions.push({ action: 'reboot', request_id: 'req-0', start_time: '2026-01-01T00:00:00' });
    cloud.next(action, lost({ status: 502 }, { reboot: { type: 'HARD' } }));
    await expect(web().reboot('HARD', signal)).resolves.toEqual({ requestId: 'req-2' });
    expect(cloud.posts).toHaveLength(1);
  });

  test('not executed: reported as unknown, and not sent again', async () => {
    cloud.actions.push({ action: 'stop', request_id: 'req-0', start_time: '2026-01-01T00:00:00' });
    cloud.next(action, html);
    await expect(web().stop(signal)).rejects.toMatchObject({
      code: 'host-unreachable',
      message: expect.stringContaining(
        'the outcome of the stop is unknown: 503 without a JSON body, perhaps from a proxy; after 15 s: the server is ACTIVE, task none',
      ),
    });
    expect(cloud.posts).toHaveLength(1);
  });

  test('without later answers: reported as unknown, and sent once', async () => {
    cloud.next(action, { manner: 'reset', effect: () => cloud.always(/GET .*servers/, () => html) });
    await expect(web().stop(signal)).rejects.toMatchObject({
      code: 'host-unreachable',
      message: expect.stringContaining('the outcome of the stop is unknown'),
    });
    expect(cloud.posts).toHaveLength(1);
  });

  test('without visible actions, the state decides', async () => {
    cloud.always(/os-instance-actions$/, () => ({
      status: 403,
      body: { forbidden: { code: 403, message: 'Policy' } },
    }));
    cloud.next(action, lost({ status: 504 }, { 'os-stop': null }));
    await expect(web().stop(signal)).resolves.toEqual({ requestId: undefined });
    expect(cloud.posts).toHaveLength(1);
  });
});

describe('reading the state', () => {
  const show = /GET .*\/servers\/[^/]+$/;

  test('is repeated after errors, and when a token expires in between', async () => {
    cloud.next(show, html, unauthorized, { manner: 'reset' });
    await expect(web().state(signal)).resolves.toEqual({ status: 'ACTIVE', taskState: null });
    expect(cloud.logins).toHaveLength(2);
  });

  test('obeys Retry-After a limited number of times', async () => {
    const clock = testClock();
    const later: Reply = { status: 429, headers: { 'retry-after': '3' } };
    cloud.next(/auth\/tokens/, later);
    cloud.next(show, later);
    await expect(web({ clock }).state(signal)).resolves.toMatchObject({ status: 'ACTIVE' });
    expect(clock.slept).toEqual([3000, 3000]);
    cloud.always(show, () => later);
    await expect(web().state(signal)).rejects.toMatchObject({ code: 'host-unreachable' });
  });

  test.each<[string, Reply, string]>([
    ['error pages', html, '503 without a JSON body, perhaps from a proxy'],
    ['silence', { manner: 'hang' }, 'no answer within 200 ms'],
    ['an endless body', { manner: 'endless' }, 'the answer is longer than 1048576 bytes'],
    ['no JSON', { status: 200, body: '{"server": ' }, 'the answer does not match the Compute API'],
    [
      'no task state',
      { status: 200, body: { server: { status: 'ACTIVE' } } },
      'shows its status (ACTIVE), but not OS-EXT-STS:task_state, so an action may be under way',
    ],
    [
      'a cell that is down',
      { status: 200, body: { server: { id: serverId, status: 'UNKNOWN', 'OS-EXT-STS:power_state': 0 } } },
      'its state is unknown: the cloud cannot reach its cell (status UNKNOWN)',
    ],
  ])('ends with no usable answer: %s', async (what, reply, why) => {
    cloud.always(show, () => reply);
    // Only the case without an answer may end at the timeout. On a slow machine, the others may take as long.
    await expect(web({ timeoutMs: what === 'silence' ? 200 : 60_000 }).state(signal)).rejects.toMatchObject({
      code: 'host-unreachable',
      message: expect.stringContaining(why),
    });
  });

  test('stops when the signal aborts', async () => {
    cloud.always(show, () => ({ manner: 'hang' }));
    const stop = new AbortController();
    cloud.next(show, { manner: 'hang', effect: () => stop.abort() });
    await expect(web({ timeoutMs: 60_000 }).state(stop.signal)).rejects.toMatchObject({
      code: 'host-unreachable',
      message: expect.stringContaining('cut short'),
    });
  });

  test('opens a connection for each request', async () => {
    const server = web();
    await server.state(signal);
    expect(cloud.lastHeaders.connection).toBe('close');
  });
});

describe('an instance action', () => {
  const recorded = (events: unknown): void =>
    cloud.always(/os-instance-actions\/req-1$/, () => ({
      body: { instanceAction: { action: 'stop', start_time: '2026-01-01T00:00:05.000000', events } },
    }));
  const startMs = Date.UTC(2026, 0, 1, 0, 0, 5);

  test('is undefined if it is not recorded yet', async () => {
    await expect(web().action('req-1', signal)).resolves.toBeUndefined();
  });

  test('runs until every event has ended; times are UTC', async () => {
    recorded([]);
    await expect(web().action('req-1', signal)).resolves.toEqual({ startMs, finishMs: null });
    recorded([
      { event: 'a', finish_time: '2026-01-01T00:00:09.000000' },
      { event: 'b', finish_time: null },
    ]);
    await expect(web().action('req-1', signal)).resolves.toEqual({ startMs, finishMs: null });
    recorded([{ event: 'a', finish_time: '2026-01-01T00:00:09.000000' }]);
    await expect(web().action('req-1', signal)).resolves.toEqual({ startMs, finishMs: startMs + 4000 });
  });
});
