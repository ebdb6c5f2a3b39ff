import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, type Client, type CloudUnderTest, createClient, type Raw, until } from './cloud-under-test.ts';

const { signal } = new AbortController();
const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const hexId = /^[0-9a-f]{32}$/;
const requestId = /^req-[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const none = '00000000-0000-4000-8000-000000000000';
const loginNeeded = 'The request you have made requires authentication.';

interface Server {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly locked?: boolean;
  readonly 'OS-EXT-STS:task_state': string | null;
  readonly 'OS-EXT-STS:vm_state': string;
  readonly 'OS-EXT-STS:power_state': number;
}

interface InstanceAction {
  readonly action: string;
  readonly request_id: string;
  readonly start_time: string;
  readonly events: readonly {
    readonly event: string;
    readonly finish_time: string | null;
    readonly result: string;
  }[];
}

/**
 * The behavior of Keystone v3 and Nova on which firedrill relies. The same tests run against the real services and the lab's
 * cloud. Keystone 27 and Nova 31 pass all of them.
 */
export function describeContract(start: () => Promise<CloudUnderTest>, stop: () => Promise<void>): void {
  describe('like Keystone 27 and Nova 31', () => {
    let cloud: CloudUnderTest;
    let client: Client;
    let computeUrl: string;
    let token: string;
    let serverId: string;

    beforeAll(async () => {
      cloud = await start();
      client = createClient(cloud);
      const login = await ask({
        method: 'POST',
        url: `${cloud.identityUrl}/auth/tokens`,
        json: byPassword({}),
      });
      expect(login.status, login.text).toBe(201);
      token = login.headers['x-subject-token'] ?? '';
      const { catalog } = (login.body as { token: { catalog: Service[] } }).token;
      const compute = catalog.find((service) => service.type === 'compute');
      computeUrl = compute?.endpoints.find((endpoint) => endpoint.interface === 'public')?.url ?? '';
      const { servers } = (await nova('/servers')).body as { servers: Server[] };
      serverId = servers.find((server) => server.name === cloud.servers[0])?.id ?? '';
    });

    afterAll(async () => {
      client?.remove();
      await stop();
    });

    interface Service {
      readonly type: string;
      readonly endpoints: readonly { readonly interface: string; readonly url: string }[];
    }

    const inDefault = (entity: string) => ({ name: entity, domain: { id: 'default' } });

    function byPassword({
      user = {},
      project = inDefault(cloud.project),
    }: {
      user?: object;
      project?: object | null;
    }) {
      const given = { ...inDefault(cloud.user), password: cloud.password, ...user };
      return {
        auth: {
          identity: { methods: ['password'], password: { user: given } },
          ...(project === null ? {} : { scope: { project } }),
        },
      };
    }

    const byCredential = (credential: object, scope?: object) => ({
      auth: {
        identity: { methods: ['application_credential'], application_credential: credential },
        ...(scope === undefined ? {} : { scope }),
      },
    });

    const login = (json: unknown) => ask({ method: 'POST', url: `${cloud.identityUrl}/auth/tokens`, json });

    /** A request to Nova with the token; firedrill's own client uses microversion 2.73. */
    function nova(path: string, version: string | undefined = '2.73', more: object = {}): Promise<Raw> {
      const headers = {
        'x-auth-token': token,
        ...(version === undefined ? {} : { 'openstack-api-version': `compute ${version}` }),
      };
      return ask({ url: `${computeUrl}${path}`, headers, ...more });
    }

    const act = (json: unknown, id = serverId, version?: string) =>
      nova(`/servers/${id}/action`, version, { method: 'POST', json });

    const show = async (version?: string) =>
      ((await nova(`/servers/${serverId}`, version)).body as { server: Server }).server;

    const settled = (status: string) =>
      until(show, (server) => server.status === status && server['OS-EXT-STS:task_state'] === null);

    const actionOf = async (id: string, version?: string) =>
      (
        (await nova(`/servers/${serverId}/os-instance-actions/${id}`, version)).body as {
          instanceAction: InstanceAction;
        }
      ).instanceAction;

    /** Nova finishes an action shortly after the server reaches its state. */
    const finished = (id: string) =>
      until(
        () => actionOf(id),
        (action) => action?.events?.length > 0 && action.events.every((event) => event.finish_time !== null),
      );

    function expectFault(answer: Raw, status: number, name: string, message: unknown): void {
      expect(answer.status, answer.text).toBe(status);
      expect(answer.body).toEqual({ [name]: { code: status, message } });
      expect(answer.headers['content-type']).toBe('application/json; charset=UTF-8');
      expect(answer.headers['x-openstack-request-id']).toMatch(requestId);
    }

    describe('Keystone', () => {
      const version = {
        id: expect.stringMatching(/^v3\.\d+$/) as string,
        status: 'stable',
        updated: expect.stringMatching(/Z$/) as string,
        links: [{ rel: 'self', href: expect.stringMatching(/\/v3\/$/) as string }],
        'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
      };

      test('lists its versions without a token', async () => {
        const root = await ask({ url: cloud.identityUrl.replace(/v3$/, '') });
        expect(root.status).toBe(300);
        expect(root.body).toEqual({ versions: { values: [version] } });
        expect(root.headers['location']).toMatch(/\/v3\/$/);
        for (const url of [cloud.identityUrl, `${cloud.identityUrl}/`]) {
          expect((await ask({ url })).body).toEqual({ version });
        }
      });

      const domain = { id: 'default', name: 'Default' };
      const tokenOf = (method: string) => ({
        methods: [method],
        user: {
          domain,
          id: expect.stringMatching(hexId) as string,
          name: cloud.user,
          password_expires_at: null,
        },
        audit_ids: [expect.any(String)],
        issued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z$/) as string,
        expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z$/) as string,
      });
      const scoped = () => ({
        project: { domain, id: expect.stringMatching(hexId) as string, name: cloud.project },
        is_domain: false,
        roles: expect.arrayContaining([
          { id: expect.stringMatching(hexId) as string, name: 'member' },
        ]) as unknown,
        catalog: expect.any(Array) as unknown,
      });

      test('gives a token for a password and a project', async () => {
        const answer = await login(byPassword({}));
        expect(answer.status).toBe(201);
        expect(answer.headers['x-subject-token']).toMatch(/^\S{50,}$/);
        expect(answer.headers['vary']).toBe('X-Auth-Token');
        expect(answer.headers['x-openstack-request-id']).toMatch(requestId);
        expect(answer.body).toEqual({ token: { ...tokenOf('password'), ...scoped() } });
        const { issued_at, expires_at } = (
          answer.body as { token: { issued_at: string; expires_at: string } }
        ).token;
        expect(Date.parse(expires_at) - Date.parse(issued_at)).toBe(3_600_000);
      });

      test('has a compute endpoint for each interface and region in the catalog', async () => {
        const { catalog } = ((await login(byPassword({}))).body as { token: { catalog: Service[] } }).token;
        const compute = catalog.filter((service) => service.type === 'compute');
        const endpoint = (side: string) => ({
          id: expect.stringMatching(hexId) as string,
          interface: side,
          region: cloud.region,
          region_id: cloud.region,
          url: expect.stringMatching(/\/v2\.1$/) as string,
        });
        expect(compute).toEqual([
          {
            id: expect.stringMatching(hexId) as string,
            type: 'compute',
            name: 'nova',
            endpoints: expect.arrayContaining([endpoint('public'), endpoint('internal')]) as unknown,
          },
        ]);
        expect(catalog.map((service) => service.type)).toContain('identity');
      });

      test('accepts the domain by name, and user and project by id', async () => {
        const named = await login(byPassword({ user: { domain: { name: 'Default' } } }));
        expect(named.status, named.text).toBe(201);
        const { user, project } = (named.body as { token: { user: { id: string }; project: { id: string } } })
          .token;
        const given = { id: user.id, password: cloud.password };
        const auth = {
          identity: { methods: ['password'], password: { user: given } },
          scope: { project: { id: project.id } },
        };
        expect((await login({ auth })).status).toBe(201);
      });

      test('gives a token for an application credential, by id or by name and user', async () => {
        const { id, name, secret } = cloud.credential;
        for (const given of [
          { id, secret },
          { name, secret, user: inDefault(cloud.user) },
        ]) {
          const answer = await login(byCredential(given));
          expect(answer.status, answer.text).toBe(201);
          expect(answer.body).toEqual({
            token: {
              ...tokenOf('application_credential'),
              ...scoped(),
              application_credential: { id, name, restricted: true },
            },
          });
        }
      });

      test('gives a token without project, roles, and catalog if the request has no scope', async () => {
        const answer = await login(byPassword({ project: null }));
        expect(answer.body).toEqual({ token: tokenOf('password') });
      });

      test('refuses all wrong credentials with the same answer', async () => {
        const secret = 'not-this';
        for (const wrong of [
          byPassword({ user: { password: secret } }),
          byPassword({ user: { name: 'nobody' } }),
          byPassword({ project: inDefault('nothing') }),
          byCredential({ id: cloud.credential.id, secret }),
        ]) {
          const answer = await login(wrong);
          expect(answer.status).toBe(401);
          expect(answer.body).toEqual({ error: { code: 401, title: 'Unauthorized', message: loginNeeded } });
          expect(answer.headers['www-authenticate']).toMatch(/^Keystone uri="http.*\/v3"$/);
          expect(answer.headers['x-subject-token']).toBeUndefined();
        }
      });

      test('refuses an unknown application credential, and one with a scope', async () => {
        const id = '0'.repeat(32);
        expect((await login(byCredential({ id, secret: 'x' }))).body).toEqual({
          error: { code: 404, title: 'Not Found', message: `Could not find Application Credential: ${id}.` },
        });
        const { credential, project } = cloud;
        const scoped = byCredential(
          { id: credential.id, secret: credential.secret },
          { project: inDefault(project) },
        );
        const answer = await login(scoped);
        expect(answer.status).toBe(401);
        expect(answer.body).toMatchObject({
          error: {
            message:
              'Error authenticating with application credential: Application credentials cannot request a scope.',
          },
        });
      });

      test("reports a request's error", async () => {
        const assumed =
          'The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.';
        const url = `${cloud.identityUrl}/auth/tokens`;
        const cases: readonly [Raw, number, string][] = [
          [await login({}), 400, `Expecting to find auth in request body. ${assumed}`],
          [
            await ask({ method: 'POST', url, text: '{' }),
            400,
            `Expecting to find valid JSON in request body. ${assumed}`,
          ],
          [
            await login(byPassword({ user: { domain: undefined } })),
            400,
            `Expecting to find domain in user. ${assumed}`,
          ],
          [
            await login({ auth: { identity: { methods: ['magic'] } } }),
            400,
            `Expecting to find magic in identity. ${assumed}`,
          ],
          [
            await login({ auth: { identity: { methods: ['magic'], magic: {} } } }),
            401,
            'Attempted to authenticate with an unsupported method.',
          ],
        ];
        for (const [answer, status, message] of cases) {
          expect(answer.status).toBe(status);
          expect(answer.body).toMatchObject({ error: { code: status, message } });
        }
      });

      test("reports a token's owner", async () => {
        const answer = await ask({
          url: `${cloud.identityUrl}/auth/tokens`,
          headers: { 'x-auth-token': token, 'x-subject-token': token },
        });
        expect(answer.status).toBe(200);
        expect(answer.headers['x-subject-token']).toBe(token);
        expect(answer.body).toEqual({ token: { ...tokenOf('password'), ...scoped() } });
      });

      test('answers an unknown path with an HTML page', async () => {
        const answer = await ask({ url: `${cloud.identityUrl}/nothing`, headers: { 'x-auth-token': token } });
        expect(answer.status).toBe(404);
        expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
        expect(answer.text).toContain('<h1>Not Found</h1>');
      });
    });

    describe('Nova without a token', () => {
      test('lists its versions', async () => {
        const about = {
          id: 'v2.1',
          status: 'CURRENT',
          version: expect.stringMatching(/^2\.\d+$/) as string,
          min_version: '2.1',
          updated: '2013-07-23T11:33:21Z',
        };
        const self = { rel: 'self', href: `${computeUrl}/` };
        const root = await ask({ url: computeUrl.replace(/v2\.1$/, '') });
        expect(root.status).toBe(200);
        expect(root.body).toEqual({
          versions: [
            {
              id: 'v2.0',
              status: 'SUPPORTED',
              version: '',
              min_version: '',
              updated: '2011-01-21T11:33:21Z',
              links: [{ rel: 'self', href: `${computeUrl.replace(/\.1$/, '')}/` }],
            },
            { ...about, links: [self] },
          ],
        });
        for (const path of ['', '/']) {
          expect((await ask({ url: `${computeUrl}${path}` })).body).toEqual({
            version: {
              ...about,
              links: [self, { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' }],
              'media-types': [
                { base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' },
              ],
            },
          });
        }
      });

      test('is refused by the middleware in front of it, before all other checks', async () => {
        const headers: Record<string, string>[] = [
          {},
          { 'x-auth-token': 'nonsense' },
          { 'x-auth-token': 'nonsense', 'openstack-api-version': 'compute 2.999' },
        ];
        for (const sent of headers) {
          const answer = await ask({ url: `${computeUrl}/servers/${none}`, headers: sent });
          expect(answer.status).toBe(401);
          expect(answer.body).toEqual({ error: { code: 401, title: 'Unauthorized', message: loginNeeded } });
          expect(answer.headers['www-authenticate']).toMatch(/^Keystone uri="http/);
          expect(answer.headers['x-openstack-request-id']).toMatch(requestId);
          expect(answer.headers['openstack-api-version']).toBeUndefined();
        }
      });

      test('refuses a token without a project', async () => {
        const unscoped = (await login(byPassword({ project: null }))).headers['x-subject-token'] ?? '';
        const answer = await ask({ url: `${computeUrl}/servers`, headers: { 'x-auth-token': unscoped } });
        const message = "Policy doesn't allow os_compute_api:servers:index to be performed.";
        expectFault(answer, 403, 'forbidden', message);
      });
    });

    describe('microversions', () => {
      test('are echoed; the oldest is the default', async () => {
        const newest = ((await ask({ url: `${computeUrl}/` })).body as { version: { version: string } })
          .version.version;
        const cases: readonly [Record<string, string>, string][] = [
          [{}, '2.1'],
          [{ 'openstack-api-version': 'compute 2.73' }, '2.73'],
          [{ 'x-openstack-nova-api-version': '2.60' }, '2.60'],
          [{ 'openstack-api-version': 'compute latest' }, newest],
          [{ 'openstack-api-version': 'identity 3.7' }, '2.1'],
          [{ 'openstack-api-version': '2.73' }, '2.1'],
        ];
        for (const [headers, version] of cases) {
          const answer = await ask({
            url: `${computeUrl}/servers`,
            headers: { 'x-auth-token': token, ...headers },
          });
          expect(answer.status).toBe(200);
          expect(answer.headers).toMatchObject({
            'content-type': 'application/json',
            'openstack-api-version': `compute ${version}`,
            'x-openstack-nova-api-version': version,
            vary: 'OpenStack-API-Version, X-OpenStack-Nova-API-Version',
          });
          expect(answer.headers['x-compute-request-id']).toMatch(requestId);
          expect(answer.headers['x-openstack-request-id']).toBe(answer.headers['x-compute-request-id']);
        }
      });

      test.for(['2.999', '2.0', '3.0'])('refuses %s with 406', async (version) => {
        const answer = await nova('/servers', version);
        const message: unknown = expect.stringMatching(
          `^Version ${version} is not supported by the API\\. Minimum is 2\\.1 and maximum is 2\\.\\d+\\.$`,
        );
        expectFault(answer, 406, 'computeFault', message);
        expect(answer.headers['openstack-api-version']).toBe(`compute ${version}`);
      });

      test('refuses an invalid microversion with 400', async () => {
        const message = 'API Version String x is of invalid format. Must be of format MajorNum.MinorNum.';
        expectFault(await nova('/servers', 'x'), 400, 'badRequest', message);
      });
    });

    describe('servers', () => {
      const bookmark = (path: string) => `${computeUrl.replace(/\/v2\.1$/, '')}${path}`;
      const links = (id: string) => [
        { rel: 'self', href: `${computeUrl}/servers/${id}` },
        { rel: 'bookmark', href: bookmark(`/servers/${id}`) },
      ];

      test('are listed with id, name, and links', async () => {
        const { servers } = (await nova('/servers')).body as { servers: Server[] };
        expect(servers.map((server) => server.name).sort()).toEqual(cloud.servers);
        for (const server of servers) {
          expect(server.id).toMatch(uuid);
          expect(server).toEqual({ id: server.id, name: server.name, links: links(server.id) });
        }
      });

      test('are found by an unanchored, case-insensitive regular expression', async () => {
        const [one, other] = cloud.servers;
        const found = async (path: string, query: Record<string, string>) => {
          const answer = await nova(`${path}?${new URLSearchParams(query).toString()}`);
          return (answer.body as { servers: Server[] }).servers.map((server) => server.name).sort();
        };
        for (const path of ['/servers', '/servers/detail']) {
          expect(await found(path, { name: one.toUpperCase() })).toEqual([one, other]);
          expect(await found(path, { name: `^${one}$` })).toEqual([one]);
          expect(await found(path, { name: 'nothing-like-it' })).toEqual([]);
          expect(await found(path, { status: 'active' })).toEqual([one, other]);
          expect(await found(path, { status: 'SHUTOFF' })).toEqual([]);
        }
      });

      test('are not searched by an invalid parameter', async () => {
        const wrongName = "Invalid input for query parameters name. Value: [. '[' is not a 'regex'";
        expectFault(await nova('/servers?name=['), 400, 'badRequest', wrongName);
        expectFault(await nova('/servers?status=foo'), 400, 'badRequest', 'Invalid status value');
        expect((await nova('/servers?foo=bar', '2.73')).status).toBe(200);
        const unknown = "'foo' does not match any of the regexes: '^_'";
        expectFault(await nova('/servers?foo=bar', '2.75'), 400, 'badRequest', unknown);
      });

      test('come in pages', async () => {
        const first = (await nova('/servers?limit=1')).body as {
          servers: Server[];
          servers_links: { href: string }[];
        };
        expect(first.servers).toHaveLength(1);
        const next = first.servers_links[0]?.href ?? '';
        expect(next).toBe(`${computeUrl}/servers?limit=1&marker=${first.servers[0]?.id}`);
        const second = (await nova(next.slice(computeUrl.length))).body as { servers: Server[] };
        expect([...first.servers, ...second.servers].map((server) => server.name).sort()).toEqual(
          cloud.servers,
        );
      });

      const oldest = [
        'OS-DCF:diskConfig',
        'OS-EXT-AZ:availability_zone',
        'OS-EXT-STS:power_state',
        'OS-EXT-STS:task_state',
        'OS-EXT-STS:vm_state',
        'OS-SRV-USG:launched_at',
        'OS-SRV-USG:terminated_at',
        'accessIPv4',
        'accessIPv6',
        'addresses',
        'config_drive',
        'created',
        'flavor',
        'hostId',
        'id',
        'image',
        'key_name',
        'links',
        'metadata',
        'name',
        'os-extended-volumes:volumes_attached',
        'progress',
        'status',
        'tenant_id',
        'updated',
        'user_id',
      ];
      const since: readonly [number, readonly string[]][] = [
        [9, ['locked']],
        [19, ['description']],
        [26, ['tags']],
        [63, ['trusted_image_certificates']],
        [71, ['server_groups']],
        [73, ['locked_reason']],
        [90, ['OS-EXT-SRV-ATTR:hostname']],
        [96, ['pinned_availability_zone']],
        [100, ['scheduler_hints']],
      ];
      test.for([1, 8, 9, 18, 19, 25, 26, 46, 47, 62, 63, 70, 71, 72, 73, 89, 90, 95, 96, 97, 98, 99, 100])(
        'have the fields of microversion 2.%i',
        async (minor) => {
          const server = (await show(`2.${minor}`)) as unknown as Record<string, unknown>;
          const fields = [
            ...oldest,
            ...since.flatMap(([from, names]) => (minor >= from ? names : [])),
          ].sort();
          expect(Object.keys(server).sort()).toEqual(fields);
          const { servers } = (await nova('/servers/detail', `2.${minor}`)).body as { servers: object[] };
          // Lists omit server groups.
          expect(Object.keys(servers[0] ?? {}).sort()).toEqual(
            fields.filter((field) => field !== 'server_groups'),
          );
          const flavor = Object.keys(server['flavor'] as object).sort();
          expect(flavor).toEqual(
            minor < 47
              ? ['id', 'links']
              : ['disk', 'ephemeral', 'extra_specs', 'original_name', 'ram', 'swap', 'vcpus'],
          );
          const image = Object.keys(server['image'] as object).sort();
          expect(image).toEqual(minor < 98 ? ['id', 'links'] : ['id', 'links', 'properties']);
        },
      );

      test('have a status', async () => {
        const server = await show('2.73');
        const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string;
        expect(server).toMatchObject({
          id: serverId,
          name: cloud.servers[0],
          status: 'ACTIVE',
          'OS-EXT-STS:vm_state': 'active',
          'OS-EXT-STS:task_state': null,
          'OS-EXT-STS:power_state': 1,
          'OS-SRV-USG:launched_at': expect.stringMatching(/T\d\d:\d\d:\d\d\.000000$/) as string,
          created: time,
          updated: time,
          progress: 0,
          locked: false,
          locked_reason: null,
          tenant_id: expect.stringMatching(hexId) as string,
          user_id: expect.stringMatching(hexId) as string,
          hostId: expect.stringMatching(/^[0-9a-f]{56}$/) as string,
          links: links(serverId),
        });
      });

      test('are not found by an unknown id, or by name', async () => {
        for (const id of [none, cloud.servers[0]]) {
          const message = `Instance ${id} could not be found.`;
          expectFault(await nova(`/servers/${id}`), 404, 'itemNotFound', message);
          expectFault(await nova(`/servers/${id}/os-instance-actions`), 404, 'itemNotFound', message);
        }
        const reboot = await act({ reboot: { type: 'SOFT' } }, none);
        expectFault(reboot, 404, 'itemNotFound', `Instance ${none} could not be found.`);
        for (const action of ['os-stop', 'os-start']) {
          const answer = await act({ [action]: null }, none);
          expectFault(answer, 404, 'itemNotFound', `Instance ${none} has no mapping to a cell.`);
        }
      });

      test('are also found under their project, but not under another one', async () => {
        const { tenant_id } = (await show()) as unknown as { tenant_id: string };
        const { servers } = (await nova(`/${tenant_id}/servers`)).body as { servers: { links: unknown[] }[] };
        expect(servers[0]?.links[0]).toMatchObject({
          href: expect.stringContaining(`/v2.1/${tenant_id}/servers/`) as string,
        });
        const other = '0'.repeat(32);
        const message = `Malformed request URL: URL's project_id '${other}' doesn't match Context's project_id '${tenant_id}'`;
        expectFault(await nova(`/${other}/servers`), 400, 'badRequest', message);
      });

      test('an unknown path gets an answer without a fault', async () => {
        for (const [method, path] of [
          ['GET', '/nothing'],
          ['DELETE', '/servers'],
          ['GET', '/servers/'],
        ]) {
          const answer = await nova(path ?? '', '2.73', { method });
          expect(answer.status).toBe(404);
          expect(answer.headers['content-type']).toBe('text/plain; charset=UTF-8');
          expect(answer.text).toBe('404 Not Found\n\nThe resource could not be found.\n\n   ');
          expect(answer.headers['x-compute-request-id']).toMatch(requestId);
        }
        const accepting = (accept: string) =>
          ask({ url: `${computeUrl}/nothing`, headers: { 'x-auth-token': token, accept } });
        expect((await accepting('application/json')).body).toEqual({
          message: 'The resource could not be found.<br /><br />\n\n\n',
          code: '404 Not Found',
          title: 'Not Found',
        });
        const page = await accepting('*/*');
        expect(page.headers['content-type']).toBe('text/html; charset=UTF-8');
        expect(page.text).toContain('<h1>404 Not Found</h1>');
      });
    });

    describe('invalid actions', () => {
      test.for([[{}], [{ 'os-stop': null, 'os-start': null }], [[]]])('refuses %j', async ([body]) => {
        expectFault(await act(body), 400, 'badRequest', 'Malformed request body');
      });

      test('refuses invalid JSON and other content types', async () => {
        const path = `/servers/${serverId}/action`;
        for (const text of ['', '{'])
          expectFault(
            await nova(path, '2.73', { method: 'POST', text }),
            400,
            'badRequest',
            'Malformed request body',
          );
        const headers = { 'x-auth-token': token, 'content-type': 'application/xml' };
        const xml = await ask({ method: 'POST', url: `${computeUrl}${path}`, headers, text: '<os-stop/>' });
        expectFault(xml, 415, 'badMediaType', 'Unsupported Content-Type');
      });

      test.for<readonly [unknown, string]>([
        [{ foo: null }, 'There is no such action: foo'],
        [
          { reboot: { type: 'WARM' } },
          "Invalid input for field/attribute type. Value: WARM. 'WARM' is not one of ['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft']",
        ],
        [
          { reboot: {} },
          "Invalid input for field/attribute reboot. Value: {}. 'type' is a required property",
        ],
        [
          { reboot: null },
          "Invalid input for field/attribute reboot. Value: None. None is not of type 'object'",
        ],
        [
          { reboot: { type: 'HARD', x: 1 } },
          "Invalid input for field/attribute reboot. Value: {'type': 'HARD', 'x': 1}. Additional properties are not allowed ('x' was unexpected)",
        ],
        [
          { lock: { foo: 'x' } },
          "Invalid input for field/attribute lock. Value: {'foo': 'x'}. Additional properties are not allowed ('foo' was unexpected)",
        ],
      ])('refuses %j', async ([body, message]) => {
        expectFault(await act(body), 400, 'badRequest', message);
      });
    });

    describe('power', () => {
      function expectAccepted(answer: Raw): string {
        expect(answer.status, answer.text).toBe(202);
        expect(answer.text).toBe('');
        expect(answer.headers['content-type']).toBe('application/json');
        expect(answer.headers['x-compute-request-id']).toMatch(requestId);
        expect(answer.headers['x-openstack-request-id']).toBe(answer.headers['x-compute-request-id']);
        return answer.headers['x-openstack-request-id'] ?? '';
      }

      const refusal = (action: string, state: string): unknown =>
        expect.stringMatching(`^Cannot '${action}' instance ${serverId} while it is in (?:${state})$`);

      test('stops and starts a server, and lists both actions', async () => {
        expectFault(
          await act({ 'os-start': null }),
          409,
          'conflictingRequest',
          refusal('start', 'vm_state active'),
        );

        const stopped = expectAccepted(await act({ 'os-stop': null }));
        const again = await act({ 'os-stop': null });
        const either = refusal('stop', 'task_state powering-off|vm_state stopped');
        expectFault(again, 409, 'conflictingRequest', either);
        const off = await settled('SHUTOFF');
        expect(off).toMatchObject({ 'OS-EXT-STS:vm_state': 'stopped', 'OS-EXT-STS:power_state': 4 });
        expect(off).not.toHaveProperty('progress');

        const message = refusal('stop', 'vm_state stopped');
        expectFault(await act({ 'os-stop': null }), 409, 'conflictingRequest', message);
        const softly = await act({ reboot: { type: 'SOFT' } });
        expectFault(softly, 409, 'conflictingRequest', refusal('reboot', 'vm_state stopped'));

        // Microversion 2.1 accepts an object instead of null.
        const started = expectAccepted(await act({ 'os-start': {} }, serverId, '2.1'));
        const on = await settled('ACTIVE');
        expect(on).toMatchObject({
          'OS-EXT-STS:vm_state': 'active',
          'OS-EXT-STS:power_state': 1,
          progress: 0,
        });

        for (const [id, action] of [
          [stopped, 'stop'],
          [started, 'start'],
        ] as const) {
          const { events, ...about } = await finished(id);
          const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000$/) as string;
          expect(about).toEqual({
            action,
            instance_uuid: serverId,
            request_id: id,
            user_id: expect.stringMatching(hexId) as string,
            project_id: expect.stringMatching(hexId) as string,
            start_time: time,
            updated_at: time,
            message: null,
          });
          expect(events).toEqual([
            {
              event: `compute_${action}_instance`,
              start_time: time,
              finish_time: time,
              result: 'Success',
              hostId: expect.stringMatching(/^[0-9a-f]{56}$/) as string,
            },
          ]);
          expect(Math.abs(Date.now() - Date.parse(`${about.start_time}Z`))).toBeLessThan(120_000);
        }
        const { instanceActions } = (await nova(`/servers/${serverId}/os-instance-actions`)).body as {
          instanceActions: InstanceAction[];
        };
        // Newest first; refused actions are not listed.
        expect(instanceActions.map((action) => action.action)).toEqual(['start', 'stop', 'create']);
        expect(instanceActions.map((action) => action.request_id).slice(0, 2)).toEqual([started, stopped]);
        expect(instanceActions[0]).not.toHaveProperty('events');
      });

      test('has the action fields of each microversion', async () => {
        const { instanceActions } = (await nova(`/servers/${serverId}/os-instance-actions`)).body as {
          instanceActions: InstanceAction[];
        };
        const id = instanceActions[0]?.request_id ?? '';
        const action = [
          'action',
          'instance_uuid',
          'message',
          'project_id',
          'request_id',
          'start_time',
          'user_id',
        ];
        const event = ['event', 'finish_time', 'result', 'start_time'];
        const cases: readonly [string, readonly string[], readonly string[]][] = [
          ['2.1', action, []],
          ['2.50', action, []],
          ['2.51', [...action, 'events'], event],
          ['2.58', [...action, 'events', 'updated_at'], event],
          ['2.62', [...action, 'events', 'updated_at'], [...event, 'hostId']],
          ['2.84', [...action, 'events', 'updated_at'], [...event, 'hostId']],
        ];
        for (const [version, actionFields, eventFields] of cases) {
          const seen = await actionOf(id, version);
          expect(Object.keys(seen).sort(), version).toEqual(actionFields.toSorted());
          const event = Object.keys(seen.events?.[0] ?? {}).sort();
          expect(event, version).toEqual(eventFields.toSorted());
        }
        const unknown = `req-${none}`;
        const answer = await nova(`/servers/${serverId}/os-instance-actions/${unknown}`);
        expectFault(answer, 404, 'itemNotFound', `Action ${unknown} not found`);
        const first = (await nova(`/servers/${serverId}/os-instance-actions?limit=1`, '2.58')).body as {
          instanceActions: unknown[];
          links: unknown[];
        };
        expect(first.instanceActions).toHaveLength(1);
        expect(first.links).toEqual([
          { rel: 'next', href: `${computeUrl}/servers/${serverId}/os-instance-actions?limit=1&marker=${id}` },
        ]);
      });

      test.for([
        ['SOFT', /^(REBOOT reboot(ing|_pending|_started)|ACTIVE null) active$/],
        ['hard', /^(HARD_REBOOT reboot(ing|_pending|_started)_hard|ACTIVE null) active$/],
      ] as const)('reboots a server (%s)', async ([type, underWay]) => {
        const id = expectAccepted(await act({ reboot: { type } }));
        const seen = await show();
        // The reboot may have ended already.
        const states = [seen.status, seen['OS-EXT-STS:task_state'], seen['OS-EXT-STS:vm_state']];
        expect(states.map(String).join(' ')).toMatch(underWay);
        expect('progress' in seen).toBe(seen.status === 'ACTIVE');
        await settled('ACTIVE');
        expect(await finished(id)).toMatchObject({
          action: 'reboot',
          events: [{ event: 'compute_reboot_instance', result: 'Success' }],
        });
      });

      test('switches a stopped server on with a hard reboot', async () => {
        expectAccepted(await act({ 'os-stop': null }));
        await settled('SHUTOFF');
        expectAccepted(await act({ reboot: { type: 'HARD' } }));
        expect(await settled('ACTIVE')).toMatchObject({ 'OS-EXT-STS:power_state': 1 });
      });

      test('does not change a locked server', async () => {
        expectAccepted(await act({ lock: { locked_reason: 'in use' } }));
        expect(await show()).toMatchObject({ locked: true, locked_reason: 'in use', status: 'ACTIVE' });
        const message = `Instance ${serverId} is locked`;
        for (const action of [{ 'os-stop': null }, { 'os-start': null }, { reboot: { type: 'HARD' } }])
          expectFault(await act(action), 409, 'conflictingRequest', message);
        expectAccepted(await act({ unlock: null }));
        expect(await show()).toMatchObject({ locked: false, locked_reason: null });
        // Before 2.73 there is no reason: it is ignored.
        expectAccepted(await act({ lock: { locked_reason: 'in use' } }, serverId, '2.72'));
        expect(await show()).toMatchObject({ locked: true, locked_reason: null });
        expectAccepted(await act({ unlock: null }));
      });
    });

    describe('firedrill’s client', () => {
      const idle = { taskState: null };

      test.for(['password', 'credential', 'named-credential'] as const)(
        'sees a server by name and by id (%s)',
        async (which) => {
          for (const id of [cloud.servers[0], serverId]) {
            expect(await client.server(which, id).state(signal)).toEqual({ status: 'ACTIVE', ...idle });
          }
        },
      );

      test('stops a server; a second stop has no effect', async () => {
        const server = client.server('password', cloud.servers[0]);
        const { requestId } = await server.stop(signal);
        expect(requestId).toMatch(/^req-/);
        // The server is already stopping, so nothing is left to do.
        expect(await server.stop(signal)).toEqual({ requestId: undefined });
        await until(
          () => server.state(signal),
          (state) => state.taskState === null,
        );
        expect(await server.state(signal)).toEqual({ status: 'SHUTOFF', ...idle });
        expect(await server.stop(signal)).toEqual({ requestId: undefined });
        const times = await until(
          () => server.action(requestId ?? '', signal),
          (action) => action !== undefined && action.finishMs !== null,
        );
        expect(times?.finishMs).toBeGreaterThanOrEqual(times?.startMs ?? Infinity);
        expect(Math.abs(Date.now() - (times?.startMs ?? 0))).toBeLessThan(120_000);
      });

      test('starts it; a second start has no effect', async () => {
        const server = client.server('credential', serverId);
        expect((await server.start(signal)).requestId).toMatch(/^req-/);
        expect(await server.start(signal)).toEqual({ requestId: undefined });
        await settled('ACTIVE');
        expect(await server.start(signal)).toEqual({ requestId: undefined });
      });

      test.for(['SOFT', 'HARD'] as const)('reboots it (%s)', async (type) => {
        const server = client.server('password', serverId);
        const { requestId } = await server.reboot(type, signal);
        await settled('ACTIVE');
        const done = await until(
          () => server.action(requestId ?? '', signal),
          (action) => action !== undefined && action.finishMs !== null,
        );
        expect(done?.startMs).toBeLessThanOrEqual(done?.finishMs ?? 0);
      });

      test('returns undefined for an unknown action', async () => {
        expect(await client.server('password', serverId).action(`req-${none}`, signal)).toBeUndefined();
      });

      test('reports that a server is locked, with the reason', async () => {
        expect((await act({ lock: { locked_reason: 'in use' } })).status).toBe(202);
        await expect(client.server('password', serverId).stop(signal)).rejects.toMatchObject({
          code: 'fault-failed',
          message: expect.stringMatching(
            /locked \(in use\).*409 conflictingRequest: Instance .* is locked/,
          ) as string,
        });
        expect((await act({ unlock: null })).status).toBe(202);
        expect(await show()).toMatchObject({ status: 'ACTIVE', locked: false });
      });

      test("reports its configuration's errors", async () => {
        await expect(client.server('mistyped', serverId).state(signal)).rejects.toMatchObject({
          code: 'fault-failed',
          message: expect.stringContaining(loginNeeded) as string,
        });
        await expect(client.server('elsewhere', serverId).state(signal)).rejects.toMatchObject({
          code: 'invalid-input',
          message: expect.stringContaining(
            `no compute endpoint in region Atlantis; known: ${cloud.region}`,
          ) as string,
        });
        await expect(client.server('password', 'nothing-like-it').state(signal)).rejects.toMatchObject({
          code: 'invalid-input',
        });
        await expect(client.server('password', none).state(signal)).rejects.toMatchObject({
          code: 'fault-failed',
          message: expect.stringContaining('404 itemNotFound') as string,
        });
      });
    });
  });
}
