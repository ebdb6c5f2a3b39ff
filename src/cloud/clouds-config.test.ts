import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readCloudConfig } from './clouds-config.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

const file = (name: string): string => join(folder, name);
const write = (name: string, text: string): string => {
  mkdirSync(dirname(file(name)), { recursive: true });
  writeFileSync(file(name), text);
  return file(name);
};
const environment = (env: Record<string, string> = {}) => ({ env, cwd: file('work'), home: file('home') });
const read = (cloud: string, options: { cloudsFile?: string; env?: Record<string, string> } = {}) =>
  readCloudConfig(cloud, options.cloudsFile, environment(options.env));

/** A clouds.yaml with one cloud `lab`. Its project name shows which file was read. */
const clouds = (project: string): string => `
clouds:
  lab:
    auth:
      auth_url: https://keystone.example/identity/
      username: drill
      password: 007
      project_name: ${project}
      user_domain_name: Users
      project_domain_id: p-dom
    region_name: north
`;

describe('clouds.yaml', () => {
  test('has user, project, and domains; a password of digits keeps its zeros', () => {
    const cloudsFile = write('own.yaml', clouds('drills'));
    expect(read('lab', { cloudsFile })).toEqual({
      name: 'lab',
      source: cloudsFile,
      authUrl: 'https://keystone.example/identity/v3',
      credentials: {
        kind: 'password',
        user: { name: 'drill', domain: { name: 'Users' } },
        password: '007',
        project: { name: 'drills', domain: { id: 'p-dom' } },
      },
      region: 'north',
      interface: 'public',
      trust: { verify: true },
    });
  });

  test('is searched in the documented order', () => {
    const found = (env?: Record<string, string>): unknown => {
      const { credentials } = read('lab', env === undefined ? {} : { env });
      return 'project' in credentials && 'name' in credentials.project ? credentials.project.name : '';
    };
    expect(() => found()).toThrow('cloud lab: there is no clouds.yaml');
    write('home/.config/openstack/clouds.yaml', clouds('home'));
    expect(found()).toBe('home');
    write('work/clouds.yaml', clouds('work'));
    expect(found()).toBe('work');
    const named = write('elsewhere/my-clouds.yaml', clouds('named'));
    expect(found({ OS_CLIENT_CONFIG_FILE: named })).toBe('named');
    expect(found({ OS_CLIENT_CONFIG_FILE: file('nosuch.yaml') })).toBe('work');
    expect(read('lab', { cloudsFile: write('target/c.yaml', clouds('target')) }).credentials).toMatchObject({
      project: { name: 'target' },
    });
  });

  test('gets its secrets from secure.yaml, which wins key by key', () => {
    const cloudsFile = write('own/clouds.yaml', clouds('drills').replace(/ +password:.*\n/, ''));
    expect(() => read('lab', { cloudsFile })).toThrow(`${cloudsFile}: missing clouds.lab.auth.password`);
    write('home/.config/openstack/secure.yaml', 'clouds: { lab: { auth: { password: from-home } } }');
    expect(read('lab', { cloudsFile }).credentials).toMatchObject({ password: 'from-home' });
    const parallel = write('own/secure.yaml', 'clouds: { lab: { auth: { password: beside } } }');
    expect(read('lab', { cloudsFile })).toMatchObject({
      source: `${cloudsFile} with ${parallel}`,
      credentials: { password: 'beside', user: { name: 'drill' } },
    });
    const env = { OS_CLIENT_SECURE_FILE: write('s.yaml', 'clouds: { lab: { auth: { password: named } } }') };
    expect(read('lab', { cloudsFile, env }).credentials).toMatchObject({ password: 'named' });
  });

  const entry = (text: string) => read('lab', { cloudsFile: write('own.yaml', `clouds: { lab: ${text} }`) });

  test.each([
    ['v3applicationcredential', ', auth_type: v3applicationcredential'],
    ['no auth_type', ''],
  ])('takes an application credential by id: %s', (_, type) => {
    const auth =
      'auth_url: "http://k:5000/v3", application_credential_id: ac, application_credential_secret: s';
    expect(entry(`{ auth: { ${auth} }${type} }`)).toMatchObject({
      authUrl: 'http://k:5000/v3',
      credentials: { kind: 'application-credential', credential: { id: 'ac' }, secret: 's' },
    });
  });

  test('accepts an application credential by name only with its user', () => {
    const auth = 'auth_url: "http://k", application_credential_name: ac, application_credential_secret: s';
    expect(() => entry(`{ auth: { ${auth} } }`)).toThrow('missing clouds.lab.auth.user_id');
    expect(entry(`{ auth: { ${auth}, user_id: u } }`).credentials).toMatchObject({
      credential: { name: 'ac', user: { id: 'u' } },
    });
  });

  const base = 'auth_url: "http://k/v2.0", username: u, password: p, project_id: x';

  test('supports older and shorter key names, merge keys, and the default domain', () => {
    expect(
      entry(`{ auth: { ${base} }, endpoint_type: internalURL, regions: [{ name: south }, north] }`),
    ).toMatchObject({
      authUrl: 'http://k/v3',
      interface: 'internal',
      region: 'south',
      credentials: { user: { name: 'u', domain: { id: 'default' } }, project: { id: 'x' } },
    });
    expect(entry(`{ ${base}, user-domain-id: d, compute_api_version: 2 }`)).toMatchObject({
      credentials: { user: { name: 'u', domain: { id: 'd' } } },
    });
    const cloudsFile = write(
      'm.yaml',
      `base: &b { ${base} }\nclouds: { lab: { auth: { <<: *b, password: q } } }`,
    );
    expect(read('lab', { cloudsFile }).credentials).toMatchObject({ password: 'q', project: { id: 'x' } });
  });

  test('sets the microversion, the verification of the server, and its CA', () => {
    expect(entry(`{ auth: { ${base} }, compute_api_version: "2.79" }`).microversion).toBe('2.79');
    expect(entry(`{ auth: { ${base} }, verify: False }`).trust).toEqual({ verify: false });
    expect(entry(`{ auth: { ${base} }, insecure: true, verify: true }`).trust).toEqual({ verify: false });
    const pem = '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n';
    write('ca.pem', pem);
    expect(entry(`{ auth: { ${base} }, cacert: ca.pem }`).trust).toEqual({ verify: true, ca: pem });
  });

  test.each([
    ['{ auth: hunter2 }', 'clouds.lab.auth: has the wrong form'],
    [`{ auth: { ${base} }, auth_type: hunter2 }`, 'clouds.lab.auth_type: expected password, v3password, or'],
    [`{ auth: { ${base}, password: { a: hunter2 } } }`, 'not valid YAML (DUPLICATE_KEY)'],
    [
      '{ auth: { auth_url: "http://k", password: [hunter2] } }',
      'clouds.lab.auth.password: has the wrong form',
    ],
    ['{ auth: { auth_url: hunter2 } }', 'clouds.lab.auth.auth_url: expected an http(s) URL'],
    ['{ auth: { username: u } }', 'missing clouds.lab.auth.auth_url'],
    [
      '{ auth: { auth_url: "http://k", username: u, password: hunter2 } }',
      'missing clouds.lab.auth.project_name',
    ],
    ['{ auth: { auth_url: "http://k" } }', 'missing clouds.lab.auth.username'],
    [
      `{ auth: { ${base} }, interface: hunter2 }`,
      'clouds.lab.interface: expected public, internal, or admin',
    ],
    [`{ auth: { ${base} }, verify: hunter2 }`, 'clouds.lab.verify: expected true, false, or a file of CAs'],
    [`{ auth: { ${base} }, compute_api_version: hunter2 }`, 'clouds.lab.compute_api_version: expected 2, or'],
    [`{ auth: { ${base} }, cacert: nosuch.pem }`, 'clouds.lab.cacert: ENOENT'],
    [`{ auth: { ${base} }, cacert: own.yaml }`, 'own.yaml holds no PEM certificate'],
    ['{ auth: { password: *hunter2 } }', 'an alias or a merge key refers to nothing'],
    ['[hunter2]', 'clouds: expected a map of clouds, each a map'],
  ])('names file and key, and no secret: %s', (text, message) => {
    const failure = ((): unknown => {
      try {
        return entry(text);
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toMatchObject({ code: 'invalid-input', message: expect.stringContaining(message) });
    expect(String(failure)).toContain(file('own.yaml'));
    expect(String(failure)).not.toContain('hunter2');
  });

  test('lists the known clouds in the error', () => {
    const cloudsFile = write('own.yaml', clouds('drills'));
    expect(() => read('constructor', { cloudsFile })).toThrow('clouds has no constructor; known: lab');
    expect(() => read('lab', { cloudsFile: file('nosuch.yaml') })).toThrow('cannot read');
  });
});

describe('clouds.yaml, as openstacksdk reads it', () => {
  /** An entry as lines, not as a flow map. */
  const entry = (text: string, env: Record<string, string> = {}) =>
    read('lab', { cloudsFile: write('own/clouds.yaml', `clouds:\n  lab:\n    ${text.trim()}\n`), env });
  const user = 'auth_url: "http://k", username: u, password: p';
  const auth = `auth: { ${user}, project_id: x }`;

  test.each([
    ['~', 'region_name: ~'],
    ['null', 'region_name: null'],
    ['nothing', 'region_name:'],
  ])('takes a value of %s for none, but a text in quotes for a text', (_, line) => {
    const config = entry(`${auth}\n    ${line}\n    cacert: null\n    verify: Null`);
    expect(config.region).toBeUndefined();
    expect(config.trust).toEqual({ verify: true });
    expect(entry(`${auth}\n    region_name: "null"`).region).toBe('null');
    expect(
      entry('auth: { auth_url: "http://k", username: u, password: "null", project_id: ~, project_name: n }')
        .credentials,
    ).toMatchObject({ password: 'null', project: { name: 'n' } });
  });

  test.each([
    ['region_name: [north, south]', 'north'],
    ['region_name: "north, south"', 'north'],
    ['regions: [south, north]', 'south'],
    ['regions: [{ name: south, values: { compute_api_version: "2.79" } }]', 'south'],
    ['region_name: north\n    regions: [south]', 'south'],
    ['region_name: north\n    compute_region_name: south', 'south'],
  ])('of several regions it takes the first one: %s', (line, region) => {
    expect(entry(`${auth}\n    ${line}`).region).toBe(region);
  });

  test('lets the values of a region override the others', () => {
    const values = '{ auth: { auth_url: "http://south" }, compute-default-microversion: "2.79" }';
    expect(entry(`${auth}\n    regions: [{ name: south, values: ${values} }]`)).toMatchObject({
      authUrl: 'http://south/v3',
      microversion: '2.79',
      credentials: { user: { name: 'u' } },
    });
  });

  test.each([
    '',
    '# nothing yet\n',
    'clouds:\n',
    'clouds: { lab: { auth: { password: } } }\n',
    'clouds: { lab: }\n',
    'other: { lab: 1 }\n',
  ])('gets along with a secure.yaml that says nothing: %j', (text) => {
    write('own/secure.yaml', text);
    expect(entry(auth).credentials).toMatchObject({ password: 'p' });
  });

  test('allows other clouds that are empty, and an entry that is only in secure.yaml', () => {
    const cloudsFile = write('own/clouds.yaml', 'clouds: { lab: , other: , third: [] }');
    write('own/secure.yaml', `clouds: { lab: { ${auth} } }`);
    expect(read('lab', { cloudsFile }).credentials).toMatchObject({ password: 'p' });
  });

  test('finds the file in XDG_CONFIG_HOME, and in JSON', () => {
    write(
      'xdg/openstack/clouds.json',
      JSON.stringify({ clouds: { lab: { auth: { auth_url: 'http://x' } } } }),
    );
    expect(() => read('lab', { env: { XDG_CONFIG_HOME: file('xdg') } })).toThrow(
      `${file('xdg/openstack/clouds.json')}: missing clouds.lab.auth.username`,
    );
  });

  test.each([
    ['default_domain: d', { id: 'd' }],
    ['default_domain_id: d', { id: 'd' }],
    ['default_domain_name: D', { name: 'D' }],
    ['domain_name: D', { name: 'D' }],
  ])('takes the domain of user and project from %s', (line, domain) => {
    const { credentials } = entry(`auth: { ${user}, project_name: n }\n    ${line}`);
    expect(credentials).toMatchObject({ user: { domain }, project: { domain } });
  });

  test('has the compute endpoint, the interfaces, and the name of the service', () => {
    const lines = [
      'compute_endpoint_override: "https://nova.{region_name}.example/v2.1/%(project_id)s"',
      'region_name: north',
      'interface: public',
      'compute_interface: [internalURL, public]',
      'compute_service_type: compute_x',
      'compute_service_name: nova',
    ];
    expect(entry([auth, ...lines].join('\n    '))).toMatchObject({
      computeEndpoint: 'https://nova.north.example/v2.1/%(project_id)s',
      interface: ['internal', 'public'],
      serviceType: 'compute_x',
      serviceName: 'nova',
    });
  });

  test('replaces other keys in auth_url, which may end with the path of tokens', () => {
    const line =
      'auth: { auth_url: "http://{region_name}/id/v3/auth/tokens/", username: u, password: p, project_id: x }';
    expect(entry(`${line}\n    region_name: north`).authUrl).toBe('http://north/id/v3');
    expect(() => entry(line)).toThrow('{region_name} refers to a key that is not set');
  });

  test.each(['latest', '2.latest', '2.0', 'v2'])(
    'takes microversion %s for none in particular',
    (version) => {
      expect(entry(`${auth}\n    compute_api_version: "${version}"`).microversion).toBeUndefined();
    },
  );

  test('accepts a token for a trust, not for a trust and a project', () => {
    expect(entry(`auth: { ${user}, trust_id: t }`).credentials).toMatchObject({ trustId: 't' });
    expect(() => entry(`auth: { ${user}, project_id: x, trust_id: t }`)).toThrow(
      'clouds.lab.auth.trust_id: a token is scoped to a trust or to a project, not to both',
    );
  });

  test('reads files of certificates in the home folder, next to it, or in the working folder', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n';
    write('home/a.pem', pem);
    write('work/b.pem', pem);
    expect(entry(`${auth}\n    cacert: ~/a.pem`).trust).toEqual({ verify: true, ca: pem });
    expect(entry(`${auth}\n    cacert: b.pem`).trust).toEqual({ verify: true, ca: pem });
    expect(entry(`${auth}\n    verify: ~/a.pem`).trust).toEqual({ verify: true, ca: pem });
    expect(entry(`${auth}\n    cacert: nosuch.pem\n    verify: false`).trust).toEqual({ verify: false });
  });

  test('has the client’s certificate and its key, in one file or in two', () => {
    const made = write('own/made.pem', '');
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const names = ['-keyout', 'key.pem', '-out', 'cert.pem', '-subj', '/CN=drill'];
    execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, ...names], {
      cwd: dirname(made),
      stdio: 'pipe',
    });
    const [cert, own] = ['cert.pem', 'key.pem'].map((name) => readFileSync(file(`own/${name}`), 'utf8'));
    const both = `${cert}${own}`;
    write('own/both.pem', both);
    expect(entry(`${auth}\n    cert: cert.pem\n    key: key.pem`).trust).toEqual({
      verify: true,
      cert,
      key: own,
    });
    expect(entry(`${auth}\n    cert: both.pem`).trust).toEqual({ verify: true, cert: both, key: both });
    expect(() => entry(`${auth}\n    cert: cert.pem`)).toThrow('cert: the file has no private key in PEM');
    expect(() => entry(`${auth}\n    key: key.pem`)).toThrow('key: `key` is set without `cert`');
    const other = 'ecparam -genkey -name prime256v1 -noout -out other.pem'.split(' ');
    execFileSync('openssl', other, { cwd: dirname(made), stdio: 'pipe' });
    expect(() => entry(`${auth}\n    cert: cert.pem\n    key: other.pem`)).toThrow(
      'cannot use this certificate with its key',
    );
  });

  test.each([
    ['profile: ovh', 'profile: vendor profiles are not supported'],
    ['cloud: ovh', 'profile: vendor profiles are not supported'],
    ['auth_plugin: v3oidcpassword', 'auth_type: expected password, v3password, or'],
    [
      'auth_type: v3multifactor\n    auth_methods: [v3password, v3totp]',
      'auth_methods: a multi-factor login is not supported',
    ],
    ['passcode: "000000"', 'auth.passcode: a passcode is valid for one login only'],
    ['auth_token: abc', 'auth.token: a token may expire before the heal'],
    ['system_scope: all', 'auth.system_scope: a system-scoped token cannot list servers'],
    ['regoin_name: north', 'regoin_name: this key is not supported; did you mean region_name?'],
    ['compute_max_version: "2.9"', 'compute_max_version: this key is not supported'],
  ])('names what is not supported: %s', (line, message) => {
    expect(() => entry(`${auth}\n    ${line}`)).toThrow(`${file('own/clouds.yaml')}: clouds.lab.${message}`);
  });

  test('refuses an unsupported key of `auth`, and a domain without a project', () => {
    expect(() => entry(`auth: { ${user}, project_id: x, identity_provider: i }`)).toThrow(
      'clouds.lab.auth.identity_provider: this key is not supported',
    );
    expect(() => entry(`auth: { ${user}, domain_id: d }`)).toThrow(
      'clouds.lab.auth.domain_id: a domain-scoped token cannot list servers',
    );
  });

  test.each([
    'networks: [{ name: public, routes_externally: true }]',
    'identity_api_version: 3',
    'volume_api_version: "3"',
    'image_endpoint_override: "http://glance"',
    'compute_connect_retries: 3',
    'api_timeout: 90',
    'floating_ip_source: None',
    'has_network: false',
    'x-note: ours',
  ])('passes over what is for other programs: %s', (line) => {
    expect(entry(`${auth}\n    ${line}`).credentials).toMatchObject({ password: 'p' });
  });
});

describe('openrc', () => {
  const env = {
    OS_AUTH_URL: 'http://k:5000',
    OS_USERNAME: 'u',
    OS_PASSWORD: 'hunter2',
    OS_PROJECT_NAME: 'drills',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_USER_DOMAIN_NAME: '',
    OS_REGION_NAME: 'north',
    OS_INTERFACE: 'internal',
    OS_IDENTITY_API_VERSION: '3',
  };

  test('is the OS_* variables, without empty ones', () => {
    expect(read('openrc', { env })).toEqual({
      name: 'openrc',
      source: 'the OS_* variables',
      authUrl: 'http://k:5000/v3',
      credentials: {
        kind: 'password',
        user: { name: 'u', domain: { id: 'default' } },
        password: 'hunter2',
        project: { name: 'drills', domain: { name: 'Default' } },
      },
      region: 'north',
      interface: 'internal',
      trust: { verify: true },
    });
  });

  test('can be an application credential', () => {
    const own = {
      OS_AUTH_URL: 'http://k:5000',
      OS_AUTH_TYPE: 'v3applicationcredential',
      OS_APPLICATION_CREDENTIAL_ID: 'ac',
      OS_APPLICATION_CREDENTIAL_SECRET: 's',
    };
    expect(read('openrc', { env: own }).credentials).toEqual({
      kind: 'application-credential',
      credential: { id: 'ac' },
      secret: 's',
    });
  });

  test('ignores variables of other programs, but not those that change the login', () => {
    const others = { OS_CLOUD: 'lab', OS_NO_CACHE: '1', OS_MADE_UP: 'x', OS_VOLUME_API_VERSION: '3' };
    expect(read('openrc', { env: { ...env, ...others } }).region).toBe('north');
    expect(() => read('openrc', { env: { ...env, OS_TOKEN: 'abc' } })).toThrow(
      'the OS_* variables: OS_TOKEN: a token may expire before the heal',
    );
  });

  test('names a missing or wrong variable in the error', () => {
    expect(() => read('openrc', { env: { ...env, OS_AUTH_URL: '' } })).toThrow('missing OS_AUTH_URL');
    expect(() => read('openrc', { env: { ...env, OS_INTERFACE: 'x' } })).toThrow(
      'the OS_* variables: OS_INTERFACE: expected public, internal, or admin',
    );
  });
});
