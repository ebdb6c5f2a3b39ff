import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readCloudConfig } from './clouds-config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firedrill-clouds-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string): string => join(folder, name);
const write = (name: string, text: string): string => {
  mkdirSync(dirname(file(name)), { recursive: true });
  writeFileSync(file(name), text);
  return file(name);
};
const surroundings = (env: Record<string, string> = {}) => ({ env, cwd: file('work'), home: file('home') });
const read = (cloud: string, options: { cloudsFile?: string; env?: Record<string, string> } = {}) =>
  readCloudConfig(cloud, options.cloudsFile, surroundings(options.env));

/** A clouds.yaml with one cloud `lab`, whose project tells where it came from. */
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
  test('gives user, project and domains; a password of digits keeps its zeros', () => {
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

  test('is looked for in the documented order', () => {
    const found = (env?: Record<string, string>): unknown => {
      const { credentials } = read('lab', env === undefined ? {} : { env });
      return credentials.kind === 'password' && 'name' in credentials.project ? credentials.project.name : '';
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
    const beside = write('own/secure.yaml', 'clouds: { lab: { auth: { password: beside } } }');
    expect(read('lab', { cloudsFile })).toMatchObject({
      source: `${cloudsFile} with ${beside}`,
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

  test('takes an application credential by name only with its user', () => {
    const auth = 'auth_url: "http://k", application_credential_name: ac, application_credential_secret: s';
    expect(() => entry(`{ auth: { ${auth} } }`)).toThrow('missing clouds.lab.auth.user_id');
    expect(entry(`{ auth: { ${auth}, user_id: u } }`).credentials).toMatchObject({
      credential: { name: 'ac', user: { id: 'u' } },
    });
  });

  const base = 'auth_url: "http://k/v2.0", username: u, password: p, project_id: x';

  test('knows older and shorter spellings, merge keys, and the default domain', () => {
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

  test('says which microversion, and whether and by which CA the server is verified', () => {
    expect(entry(`{ auth: { ${base} }, compute_api_version: "2.79" }`).microversion).toBe('2.79');
    expect(entry(`{ auth: { ${base} }, verify: False }`).trust).toEqual({ verify: false });
    expect(entry(`{ auth: { ${base} }, insecure: true, verify: true }`).trust).toEqual({ verify: false });
    const pem = '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n';
    write('ca.pem', pem);
    expect(entry(`{ auth: { ${base} }, cacert: ca.pem }`).trust).toEqual({ verify: true, ca: pem });
  });

  test.each([
    ['{ auth: hunter2 }', 'clouds.lab.auth: has the wrong form'],
    [`{ auth: { ${base} }, auth_type: hunter2 }`, 'clouds.lab.auth_type: expected password, v3password or'],
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
    [`{ auth: { ${base} }, interface: hunter2 }`, 'clouds.lab.interface: expected public, internal or admin'],
    [`{ auth: { ${base} }, verify: hunter2 }`, 'clouds.lab.verify: expected true or false'],
    [`{ auth: { ${base} }, compute_api_version: hunter2 }`, 'clouds.lab.compute_api_version: expected 2, or'],
    [`{ auth: { ${base} }, cacert: nosuch.pem }`, 'clouds.lab.cacert: ENOENT'],
    [`{ auth: { ${base} }, cacert: own.yaml }`, 'own.yaml holds no PEM certificate'],
    ['{ auth: { password: *hunter2 } }', 'its aliases or merge keys lead nowhere'],
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

  test('names the clouds there are', () => {
    const cloudsFile = write('own.yaml', clouds('drills'));
    expect(() => read('constructor', { cloudsFile })).toThrow('clouds has no constructor; known: lab');
    expect(() => read('lab', { cloudsFile: file('nosuch.yaml') })).toThrow('cannot read');
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

  test('is the OS_* variables; empty ones are not there', () => {
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

  test('names the variable that is missing or wrong', () => {
    expect(() => read('openrc', { env: { ...env, OS_AUTH_URL: '' } })).toThrow('missing OS_AUTH_URL');
    expect(() => read('openrc', { env: { ...env, OS_INTERFACE: 'x' } })).toThrow(
      'the OS_* variables: OS_INTERFACE: expected public, internal or admin',
    );
  });
});
