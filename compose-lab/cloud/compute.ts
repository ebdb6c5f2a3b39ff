import { createHash } from 'node:crypto';
import { type CloudConfig, hexId, uuid } from './config.ts';
import type { Call, Reply } from './http.ts';
import type { Bearer, Identity } from './identity.ts';
import { type Action, type Asker, Conflict, type Instance, type Instances } from './instances.ts';

/** The newest microversion: that of Nova 31. */
const newest = 100;
const oldest = 1;
const zone = 'nova';

/** An error answer. */
class Fault extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** nova.api.openstack.wsgi.Fault */
const faultNames: Readonly<Record<number, string>> = {
  400: 'badRequest',
  403: 'forbidden',
  404: 'itemNotFound',
  409: 'conflictingRequest',
  413: 'overLimit',
  415: 'badMediaType',
};

export interface ComputeDeps {
  readonly config: CloudConfig;
  readonly identity: Identity;
  /** Keystone's root URL, for answers to requests without a token. */
  readonly identityUrl: string;
  /** This service's root URL, without its version. */
  readonly url: string;
  readonly instances: Instances;
}

/** The Compute API, version 2.1 with its microversions, for existing servers: show, list, power, lock. */
export function createCompute(deps: ComputeDeps): (call: Call) => Reply {
  const { identity, url, instances } = deps;

  const authorized = (call: Call, root: string): Reply => {
    const bearer = identity.check(call.headers['x-auth-token']);
    if (bearer === undefined) return unauthorized(deps.identityUrl);
    const minor = microversion(call);
    if (minor === undefined) {
      const version = requestedVersion(call) ?? '';
      return fault(
        400,
        `API Version String ${version} is of invalid format. Must be of format MajorNum.MinorNum.`,
      );
    }
    const version = typeof minor === 'string' ? minor : `2.${minor}`;
    const headers = {
      'openstack-api-version': `compute ${version}`,
      'x-openstack-nova-api-version': version,
      vary: 'OpenStack-API-Version, X-OpenStack-Nova-API-Version',
    };
    const answer = (reply: Reply): Reply => ({ ...reply, headers: { ...headers, ...reply.headers } });
    try {
      if (typeof minor === 'string') {
        throw new Fault(
          406,
          `Version ${version} is not supported by the API. Minimum is 2.${oldest} and maximum is 2.${newest}.`,
        );
      }
      const found = dispatch(call, { bearer, minor, root: `${url}${root}`, bookmarks: url });
      return found === undefined ? noSuchPath(call) : answer(found);
    } catch (error) {
      if (error instanceof Conflict) return answer(fault(409, error.message));
      if (error instanceof Fault) return answer(fault(error.status, error.message));
      throw error;
    }
  };

  const dispatch = (call: Call, given: Context): Reply | undefined => {
    const context = inProject(call, given);
    const [servers, id, member, key, ...rest] = call.path
      .slice(context.root.length - url.length + 1)
      .split('/');
    if (servers !== 'servers' || rest.length > 0 || id === '') return undefined;
    if (call.method === 'GET') {
      if (id === undefined) return list(call, context, false);
      if (id === 'detail' && member === undefined) return list(call, context, true);
      if (member === undefined) {
        allow(context, 'servers:show');
        return { status: 200, json: { server: show(find(id), context, true) } };
      }
      if (member === 'os-instance-actions') return actions(find(id), key, call, context);
    }
    if (call.method === 'POST' && id !== undefined && member === 'action' && key === undefined)
      return act(id, call, context);
    return undefined;
  };

  /** Older clients and catalogs have the project in the path. */
  const inProject = (call: Call, context: Context): Context => {
    const project = /^\/v2\.1\/([0-9a-f]{32})(?=\/)/.exec(call.path)?.[1];
    if (project === undefined) return context;
    if (project !== context.bearer.projectId) {
      throw new Fault(
        400,
        `Malformed request URL: URL's project_id '${project}' doesn't match Context's project_id '${context.bearer.projectId ?? 'None'}'`,
      );
    }
    return { ...context, root: `${context.root}/${project}`, bookmarks: `${url}/${project}` };
  };

  const find = (id: string, message = `Instance ${id} could not be found.`): Instance => {
    const instance = instances.all.find((candidate) => candidate.id === id);
    if (instance === undefined) throw new Fault(404, message);
    return instance;
  };

  const list = (call: Call, context: Context, detail: boolean): Reply => {
    allow(context, detail ? 'servers:detail' : 'servers:index');
    const chosen = select(instances.all, call.query, context.minor);
    const { page, more } = paginate(chosen, call.query);
    const last = page.at(-1);
    const next = new URLSearchParams(call.query);
    if (last !== undefined) next.set('marker', last.id);
    return {
      status: 200,
      json: {
        servers: page.map((instance) =>
          detail
            ? show(instance, context, false)
            : { id: instance.id, name: instance.name, links: links(instance, context) },
        ),
        ...(more
          ? {
              servers_links: [
                { rel: 'next', href: `${context.root}/servers${detail ? '/detail' : ''}?${next.toString()}` },
              ],
            }
          : {}),
      },
    };
  };

  const show = (instance: Instance, context: Context, alone: boolean): Record<string, unknown> =>
    describeServer(deps.config, instance, context, alone);

  const actions = (
    instance: Instance,
    requestId: string | undefined,
    call: Call,
    context: Context,
  ): Reply => {
    if (requestId === undefined) {
      allow(context, 'os-instance-actions:list');
      const listed = instance.actions.toReversed();
      const limit = context.minor >= 58 ? limitOf(call.query) : undefined;
      const page = listed.slice(0, limit);
      const href = `${context.root}/servers/${instance.id}/os-instance-actions?limit=${limit}&marker=${page.at(-1)?.requestId}`;
      return {
        status: 200,
        json: {
          instanceActions: page.map((action) => describeAction(instance, action, context)),
          // Nova links to a next page whenever this page is full.
          ...(limit === page.length ? { links: [{ rel: 'next', href }] } : {}),
        },
      };
    }
    allow(context, 'os-instance-actions:show');
    const action = instance.actions.find((candidate) => candidate.requestId === requestId);
    if (action === undefined) throw new Fault(404, `Action ${requestId} not found`);
    return {
      status: 200,
      json: {
        instanceAction: {
          ...describeAction(instance, action, context),
          // Before 2.51, only administrators saw events.
          ...(context.minor >= 51 ? { events: describeEvents(deps.config, action, context.minor) } : {}),
        },
      },
    };
  };

  const act = (id: string, call: Call, context: Context): Reply => {
    if (!/^(application\/json|text\/plain|$)/.test(call.headers['content-type'] ?? '')) {
      throw new Fault(415, 'Unsupported Content-Type');
    }
    const [name, parameters] = actionOf(call.body);
    const asker: Asker = { requestId: call.requestId, bearer: context.bearer };
    const unmapped = `Instance ${id} has no mapping to a cell.`;
    switch (name) {
      case 'os-stop':
        allow(context, 'servers:stop');
        instances.stop(find(id, unmapped), asker);
        break;
      case 'os-start':
        allow(context, 'servers:start');
        instances.start(find(id, unmapped), asker);
        break;
      case 'reboot': {
        allow(context, 'servers:reboot');
        const type = rebootType(parameters);
        instances.reboot(find(id), type, asker);
        break;
      }
      case 'lock': {
        allow(context, 'os-lock-server:lock');
        instances.lock(find(id), true, lockReason(parameters, context.minor));
        break;
      }
      case 'unlock':
        allow(context, 'os-lock-server:unlock');
        instances.lock(find(id), false, null);
        break;
      default:
        throw new Fault(400, `There is no such action: ${name}`);
    }
    return { status: 202 };
  };

  return (call) => {
    const ids = { 'x-openstack-request-id': call.requestId, 'x-compute-request-id': call.requestId };
    const report = (reply: Reply): Reply => ({ ...reply, headers: { ...reply.headers, ...ids } });
    if (call.path === '/' || call.path === '') {
      return { status: 200, json: { versions: [version20(url), version21(url)] } };
    }
    if (call.method === 'GET' && /^\/v2\.1\/?$/.test(call.path)) {
      // The version document needs no token, and always has the oldest format.
      return report({
        status: 200,
        headers: {
          'openstack-api-version': `compute 2.${oldest}`,
          'x-openstack-nova-api-version': `2.${oldest}`,
          vary: 'OpenStack-API-Version, X-OpenStack-Nova-API-Version',
        },
        json: { version: versionDocument(url) },
      });
    }
    if (call.path.startsWith('/v2.1/')) return report(authorized(call, '/v2.1'));
    return report(noSuchPath(call));
  };
}

interface Context {
  readonly bearer: Bearer;
  /** N of microversion 2.N. */
  readonly minor: number;
  /** Root URL of links to resources. */
  readonly root: string;
  /** Root URL of links without a version. */
  readonly bookmarks: string;
}

/** Refuses tokens without a project. */
function allow({ bearer }: Context, rule: string): void {
  if (bearer.projectId === undefined)
    throw new Fault(403, `Policy doesn't allow os_compute_api:${rule} to be performed.`);
}

function requestedVersion(call: Call): string | undefined {
  const standard = /(?:^|,)\s*compute\s+([^\s,]+)/.exec(call.headers['openstack-api-version'] ?? '')?.[1];
  return standard ?? call.headers['x-openstack-nova-api-version'];
}

/** N of the requested 2.N; a string for an unsupported version; undefined for a malformed one. */
function microversion(call: Call): number | string | undefined {
  const asked = requestedVersion(call);
  if (asked === undefined) return oldest;
  if (asked === 'latest') return newest;
  const match = /^([1-9]\d*)\.([1-9]\d*|0)$/.exec(asked);
  if (match === null) return undefined;
  const minor = Number(match[2]);
  return match[1] === '2' && minor >= oldest && minor <= newest ? minor : asked;
}

/** Selects servers by query parameters. Others have no effect, as in Nova for users who are not administrators. */
function select(all: readonly Instance[], query: URLSearchParams, minor: number): Instance[] {
  const known = ['name', 'status', 'limit', 'marker'];
  const unknown = [...query.keys()].find((key) => !known.includes(key));
  if (minor >= 75 && unknown !== undefined)
    throw new Fault(400, `'${unknown}' does not match any of the regexes: '^_'`);
  const name = query.get('name');
  let pattern: RegExp | undefined;
  try {
    // Like MariaDB's REGEXP: matches anywhere, and ignores case.
    pattern = name === null ? undefined : new RegExp(name, 'i');
  } catch {
    throw new Fault(
      400,
      `Invalid input for query parameters name. Value: ${name}. '${name}' is not a 'regex'`,
    );
  }
  const status = query.get('status')?.toUpperCase();
  const statuses = ['ACTIVE', 'SHUTOFF', 'ERROR', 'REBOOT', 'HARD_REBOOT'];
  if (status !== undefined && !statuses.includes(status)) throw new Fault(400, 'Invalid status value');
  return all.filter(
    (instance) =>
      (pattern === undefined || pattern.test(instance.name)) &&
      (status === undefined || statusOf(instance) === status),
  );
}

function limitOf(query: URLSearchParams): number | undefined {
  const limit = query.get('limit');
  return limit !== null && /^\d+$/.test(limit) ? Number(limit) : undefined;
}

function paginate(
  all: readonly Instance[],
  query: URLSearchParams,
): { readonly page: readonly Instance[]; readonly more: boolean } {
  const marker = query.get('marker');
  const from = marker === null ? 0 : all.findIndex((instance) => instance.id === marker) + 1;
  if (marker !== null && from === 0) throw new Fault(400, `marker [${marker}] not found`);
  const limit = limitOf(query) ?? all.length;
  const page = all.slice(from, from + limit);
  // As above: a full page links to a next one.
  return { page, more: limit > 0 && query.has('limit') && page.length === limit };
}

/** nova.api.openstack.common.status_from_state */
function statusOf({ vmState, taskState }: Instance): string {
  if (vmState === 'stopped') return 'SHUTOFF';
  if (vmState === 'error') return 'ERROR';
  if (/^reboot.*_hard$/.test(taskState ?? '')) return 'HARD_REBOOT';
  return taskState?.startsWith('reboot') === true ? 'REBOOT' : 'ACTIVE';
}

function links(instance: Instance, context: Context): unknown {
  return [
    { rel: 'self', href: `${context.root}/servers/${instance.id}` },
    { rel: 'bookmark', href: `${context.bookmarks}/servers/${instance.id}` },
  ];
}

/** nova.api.openstack.compute.views.servers for a project's member. `alone`: not in a list. */
function describeServer(
  config: CloudConfig,
  instance: Instance,
  context: Context,
  alone: boolean,
): Record<string, unknown> {
  const { minor, bookmarks } = context;
  const since = (version: number, fields: Record<string, unknown>): Record<string, unknown> =>
    minor >= version ? fields : {};
  const status = statusOf(instance);
  const imageId = uuid('image', 'machine');
  const flavorId = uuid('flavor', 'machine');
  return {
    id: instance.id,
    name: instance.name,
    status,
    tenant_id: hexId('project', config.project),
    user_id: hexId('user', config.user),
    metadata: {},
    hostId: hostId(config),
    image: {
      id: imageId,
      links: [{ rel: 'bookmark', href: `${bookmarks}/images/${imageId}` }],
      ...since(98, {
        properties: {
          base_image_ref: imageId,
          container_format: 'bare',
          disk_format: 'raw',
          min_disk: '1',
          min_ram: '0',
        },
      }),
    },
    flavor:
      minor >= 47
        ? { vcpus: 1, ram: 512, disk: 1, ephemeral: 0, swap: 0, original_name: 'machine', extra_specs: {} }
        : { id: flavorId, links: [{ rel: 'bookmark', href: `${bookmarks}/flavors/${flavorId}` }] },
    created: isoSeconds(instance.createdMs),
    updated: isoSeconds(instance.updatedMs),
    addresses: {},
    accessIPv4: '',
    accessIPv6: '',
    links: links(instance, context),
    'OS-DCF:diskConfig': 'MANUAL',
    ...(status === 'ACTIVE' ? { progress: 0 } : {}),
    'OS-EXT-AZ:availability_zone': zone,
    ...since(96, { pinned_availability_zone: null }),
    ...since(100, { scheduler_hints: {} }),
    config_drive: '',
    key_name: null,
    'OS-SRV-USG:launched_at': isoMicros(instance.launchedMs),
    'OS-SRV-USG:terminated_at': null,
    'OS-EXT-STS:task_state': instance.taskState,
    'OS-EXT-STS:vm_state': instance.vmState,
    'OS-EXT-STS:power_state': instance.powerState,
    'os-extended-volumes:volumes_attached': [],
    ...since(9, { locked: instance.locked }),
    ...since(73, { locked_reason: instance.lockedReason }),
    ...since(19, { description: null }),
    ...since(26, { tags: [] }),
    ...since(63, { trusted_image_certificates: null }),
    ...since(90, { 'OS-EXT-SRV-ATTR:hostname': instance.name }),
    ...(alone ? since(71, { server_groups: [] }) : {}),
  };
}

function describeAction(instance: Instance, action: Action, { minor }: Context): Record<string, unknown> {
  return {
    action: action.action,
    instance_uuid: instance.id,
    request_id: action.requestId,
    user_id: action.userId,
    project_id: action.projectId,
    start_time: isoMicros(action.startMs),
    message: action.message,
    ...(minor >= 58 ? { updated_at: isoMicros(action.updatedMs) } : {}),
  };
}

function describeEvents(config: CloudConfig, action: Action, minor: number): unknown[] {
  return action.events.map((event) => ({
    event: event.event,
    start_time: isoMicros(event.startMs),
    finish_time: event.finishMs === null ? null : isoMicros(event.finishMs),
    result: event.result,
    ...(minor >= 62 ? { hostId: hostId(config) } : {}),
  }));
}

/** nova.utils.generate_hostid */
function hostId(config: CloudConfig): string {
  return createHash('sha224')
    .update(`${hexId('project', config.project)}lab`)
    .digest('hex');
}

/** Exactly one action with its parameters. */
function actionOf(body: string): [string, unknown] {
  const malformed = new Fault(400, 'Malformed request body');
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw malformed;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw malformed;
  const [entry, second] = Object.entries(parsed);
  if (entry === undefined || second !== undefined) throw malformed;
  return entry;
}

function rebootType(parameters: unknown): 'SOFT' | 'HARD' {
  const given = mustHaveOnly('reboot', parameters, ['type']);
  const type = given['type'];
  if (type === undefined) throw wrongInput('reboot', parameters, "'type' is a required property");
  const types = ['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft'];
  if (typeof type !== 'string' || !types.includes(type))
    throw wrongInput('type', type, `${python(type)} is not one of ${python(types)}`);
  return type.toUpperCase() as 'SOFT' | 'HARD';
}

/** The lock reason. Before 2.73 it is ignored. */
function lockReason(parameters: unknown, minor: number): string | null {
  if (minor < 73 || parameters === null) return null;
  const reason = mustHaveOnly('lock', parameters, ['locked_reason'])['locked_reason'];
  return typeof reason === 'string' ? reason : null;
}

function mustHaveOnly(field: string, value: unknown, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongInput(field, value, `${python(value)} is not of type 'object'`);
  const extra = Object.keys(value).find((key) => !keys.includes(key));
  if (extra !== undefined)
    throw wrongInput(field, value, `Additional properties are not allowed ('${extra}' was unexpected)`);
  return value as Record<string, unknown>;
}

function wrongInput(field: string, value: unknown, why: string): Fault {
  const shown = typeof value === 'string' ? value : python(value);
  return new Fault(400, `Invalid input for field/attribute ${field}. Value: ${shown}. ${why}`);
}

/** A JSON value in the format of Python's repr. */
function python(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, inner]) => `'${key}': ${python(inner)}`)
      .join(', ')}}`;
  return 'None';
}

function fault(status: number, message: string): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    json: { [faultNames[status] ?? 'computeFault']: { code: status, message } },
  };
}

/** The 401 of keystonemiddleware, in front of Nova. Its format differs from Nova's own. */
function unauthorized(identityUrl: string): Reply {
  return {
    status: 401,
    headers: { 'www-authenticate': `Keystone uri="${identityUrl}"` },
    json: {
      error: {
        code: 401,
        title: 'Unauthorized',
        message: 'The request you have made requires authentication.',
      },
    },
  };
}

/** webob's 404 page, in the accepted format; plain text by default. */
function noSuchPath(call: Call): Reply {
  const accept = call.headers['accept'] ?? '';
  const text = 'The resource could not be found.';
  const html = `${text}<br /><br />\n\n\n`;
  if (accept.includes('application/json'))
    return { status: 404, json: { message: html, code: '404 Not Found', title: 'Not Found' } };
  const page = /html|\*\/\*/.test(accept);
  return {
    status: 404,
    headers: { 'content-type': `text/${page ? 'html' : 'plain'}; charset=UTF-8` },
    text: page
      ? `<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  ${html}\n </body>\n</html>`
      : `404 Not Found\n\n${text}\n\n   `,
  };
}

function version20(url: string): unknown {
  return {
    id: 'v2.0',
    status: 'SUPPORTED',
    version: '',
    min_version: '',
    updated: '2011-01-21T11:33:21Z',
    links: [{ rel: 'self', href: `${url}/v2/` }],
  };
}

function version21(url: string): Record<string, unknown> {
  return {
    id: 'v2.1',
    status: 'CURRENT',
    version: `2.${newest}`,
    min_version: `2.${oldest}`,
    updated: '2013-07-23T11:33:21Z',
    links: [{ rel: 'self', href: `${url}/v2.1/` }],
  };
}

function versionDocument(url: string): unknown {
  return {
    ...version21(url),
    links: [
      { rel: 'self', href: `${url}/v2.1/` },
      { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' },
    ],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }],
  };
}

function isoSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The format of Nova's database: whole seconds, no zone. */
function isoMicros(ms: number): string {
  return new Date(ms).toISOString().replace(/Z$/, '000');
}
