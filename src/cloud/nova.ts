import pRetry from 'p-retry';
import { z } from 'zod';
import type { AcceptedAction, CloudServer } from '../core/cloud.ts';
import { DrillError, messageOf, isUnreachable } from '../core/errors.ts';
import { limitText } from '../core/format-duration.ts';
import { type DurationMs, later, latest, type RunMs, type WallMs, wallMs } from '../core/time.ts';
import { describeAnswer, requestIdOf, retryAfterMs } from './api-error.ts';
import type { Answer, Silence } from '../http/http-client.ts';
import { createSession, longestPauseMs, mayRetry, retries, type CloudDeps, type Login } from './keystone.ts';

/**
 * The newest microversion that is needed: 2.73 (Stein) for `locked_reason`. Also used are `locked` (2.9) and the events of
 * instance actions for the server's owner (2.51). For an older Nova, its newest microversion is used. Before 2.51, the end of
 * an action stays unknown. Up to 2.73, the other used fields have not changed.
 */
const requestedMinor = 73;
/** The longest time that an action waits for another task on the server. */
const busyWithinMs = 120_000;
/** How long to look for the outcome of an action whose answer was lost. */
const settleWithinMs = 15_000;
const pollMs = 1000;
/** Highest number of `Retry-After` pauses for one action. */
const maxPauses = 5;

/** The range is empty or missing for an API without microversions, such as the old v2.0. */
const rangeSchema = z.looseObject({
  id: z.string(),
  version: z.string().default(''),
  min_version: z.string().default(''),
});
/** A versioned endpoint reports its own version, an unversioned one all versions. */
const discoverySchema = z
  .looseObject({ version: rangeSchema.optional(), versions: z.array(rangeSchema).optional() })
  .refine((body) => body.version !== undefined || body.versions !== undefined);
const serverSchema = z.looseObject({
  server: z.looseObject({
    status: z.string(),
    'OS-EXT-STS:task_state': z.string().nullable().optional(),
    locked: z.boolean().optional(),
    locked_reason: z.string().nullish(),
  }),
});
type View = z.output<typeof serverSchema>['server'] & { readonly 'OS-EXT-STS:task_state': string | null };
/** The list has no name for a server in a cell that is down (from microversion 2.69). */
const listSchema = z.looseObject({
  servers: z.array(z.looseObject({ id: z.string(), name: z.string().optional() })),
});
const actionsSchema = z.looseObject({
  instanceActions: z.array(
    z.looseObject({ action: z.string(), request_id: z.string(), start_time: z.string() }),
  ),
});
const actionSchema = z.looseObject({
  instanceAction: z.looseObject({
    start_time: z.string(),
    events: z.array(z.looseObject({ finish_time: z.string().nullable() })).default([]),
  }),
});

/** An action on the server. */
interface Intent {
  /** The name in instance actions. */
  readonly action: 'stop' | 'start' | 'reboot';
  readonly body: unknown;
  /** The server has the state that the action leads to, or is changing to it. */
  readonly met: (view: View) => boolean;
}

const stop: Intent = {
  action: 'stop',
  body: { 'os-stop': null },
  met: (view) => taskOf(view) === 'powering-off' || (view.status === 'SHUTOFF' && taskOf(view) === null),
};
const start: Intent = {
  action: 'start',
  body: { 'os-start': null },
  met: (view) => taskOf(view) === 'powering-on' || (view.status === 'ACTIVE' && taskOf(view) === null),
};
const reboot = (type: 'SOFT' | 'HARD'): Intent => ({
  action: 'reboot',
  body: { reboot: { type } },
  // After a reboot the server looks as before, so only a running reboot can be recognized.
  met: (view) => taskOf(view)?.startsWith('reboot') === true,
});

/**
 * A server of a cloud, by id or by name. No request is sent before the first use.
 *
 * For each action, at most one request is sent that Nova may have executed. A refused request (401, 409, 429) is sent again. A
 * request with an unknown outcome (5xx, no answer) is never sent again.
 */
export function createNovaServer(deps: CloudDeps, idOrName: string): CloudServer {
  const { config, clock } = deps;
  const compute = createCompute(deps);
  let id: string | undefined;

  const where = `server ${idOrName} of cloud ${config.name}${config.region === undefined ? '' : `, region ${config.region}`}`;
  const fail = (
    code: 'host-unreachable' | 'fault-failed' | 'invalid-input',
    what: string,
    hint?: string,
  ): DrillError => new DrillError(code, `${where}: ${what}`, hint === undefined ? {} : { hint });

  const path = async (signal: AbortSignal): Promise<string> => {
    id ??= isUuid(idOrName) ? idOrName : await findByName(signal);
    return `/servers/${id}`;
  };

  const findByName = async (signal: AbortSignal): Promise<string> => {
    // Nova treats the name as a regular expression, and matches it anywhere in the server's name.
    const pattern = `^${idOrName.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`;
    const answer = await compute.get(`/servers?name=${encodeURIComponent(pattern)}`, signal);
    const { servers } = parse(answer, listSchema);
    const found = servers.filter((server) => server.name === idOrName);
    const [first, second] = found;
    const nameless = servers.filter((server) => server.name === undefined).length;
    if (first === undefined && nameless > 0)
      throw fail(
        'host-unreachable',
        `cannot find it by name: a cell is down, so servers are listed without names (${nameless})`,
      );
    if (first === undefined) {
      throw fail(
        'invalid-input',
        'the project has no server of that name',
        'Correct `server.id` in the target: it must be an id or an exact name (`openstack server list`).',
      );
    }
    if (second !== undefined) {
      throw fail(
        'invalid-input',
        `${found.length} servers have that name: ${found.map((server) => server.id).join(', ')}`,
        'Set `server.id` in the target to one of these ids.',
      );
    }
    return first.id;
  };

  const view = async (signal: AbortSignal): Promise<View> => {
    const { server } = parse(await compute.get(await path(signal), signal), serverSchema);
    const task = server['OS-EXT-STS:task_state'];
    if (task !== undefined) return { ...server, 'OS-EXT-STS:task_state': task };
    if (server.status === 'UNKNOWN')
      throw fail(
        'host-unreachable',
        'its state is unknown: the cloud cannot reach its cell (status UNKNOWN)',
      );
    throw fail(
      'host-unreachable',
      `the cloud shows its status (${server.status}), but not OS-EXT-STS:task_state, so an action may be under way`,
      'Ask the administrators of the cloud to allow os_compute_api:os-extended-status for the project.',
    );
  };

  const parse = <T>(answer: Answer, schema: z.ZodType<T>): T => {
    if (answer.status !== 200) throw refused(answer);
    const parsed = schema.safeParse(answer.body);
    if (parsed.success) return parsed.data;
    throw fail('host-unreachable', 'the answer does not match the Compute API');
  };

  const refused = (answer: Answer): DrillError =>
    answer.status === 404
      ? fail(
          'fault-failed',
          `the cloud does not have it: ${describeAnswer(answer)}`,
          `Run \`openstack server show ${idOrName}\` to see whether it was deleted, and check the project in ${config.source}.`,
        )
      : fail('fault-failed', `the cloud refused the request: ${describeAnswer(answer)}`);

  /** Actions that the cloud has recorded for the server; undefined if it does not show them. */
  const recorded = async (
    signal: AbortSignal,
  ): Promise<z.output<typeof actionsSchema>['instanceActions'] | undefined> => {
    try {
      const answer = await compute.get(`${await path(signal)}/os-instance-actions`, signal);
      return actionsSchema.safeParse(answer.body).data?.instanceActions;
    } catch (error) {
      if (isUnreachable(error)) return undefined;
      throw error;
    }
  };

  const act = async (intent: Intent, signal: AbortSignal): Promise<AcceptedAction> => {
    const url = `${await path(signal)}/action`;
    const before = await recorded(signal);
    const deadline = later(clock.nowMs(), busyWithinMs);
    let conflicts = 0;
    let pauses = 0;
    for (;;) {
      const answer = await compute.post(url, intent.body, signal);
      if (answer.kind === 'silence') return settle(intent, before, answer.why, signal);
      const pauseMs = retryAfterMs(answer, clock.wallMs());
      if (answer.status === 202) {
        return { requestId: requestIdOf(answer) };
      } else if (answer.status === 409) {
        const seen = await view(signal);
        if (intent.met(seen)) return { requestId: undefined };
        if (taskOf(seen) !== null && clock.nowMs() < deadline) await untilIdle(intent, deadline, signal);
        else if (seen.locked === true || conflicts++ > 0 || clock.nowMs() >= deadline)
          throw conflict(seen, answer);
      } else if (pauseMs !== undefined) {
        pauses += 1;
        if (pauseMs > longestPauseMs || pauses > maxPauses) throw overLimit(answer, pauseMs);
        await clock.sleep(pauseMs, signal);
      } else if (answer.status >= 400 && answer.status < 500) {
        throw refused(answer);
      } else {
        return settle(intent, before, describeAnswer(answer), signal);
      }
    }
  };

  const conflict = (seen: View, answer: Answer): DrillError => {
    if (seen.locked !== true)
      return fail(
        'fault-failed',
        `its status is ${seen.status}, and the cloud refused the request: ${describeAnswer(answer)}`,
      );
    const reason = seen.locked_reason ? ` (${seen.locked_reason})` : '';
    return fail(
      'fault-failed',
      `it is locked${reason}: ${describeAnswer(answer)}`,
      `Ask the owner of the lock, then run \`openstack server unlock ${idOrName}\`.`,
    );
  };

  const overLimit = (answer: Answer, pauseMs: DurationMs): DrillError =>
    fail(
      'host-unreachable',
      `the cloud limits requests and requires a pause of ${limitText(pauseMs)}: ${describeAnswer(answer)}`,
    );

  /** Waits for the end of a task that another client has started. */
  const untilIdle = async (intent: Intent, deadline: RunMs, signal: AbortSignal): Promise<void> => {
    for (;;) {
      const seen = await view(signal);
      if (taskOf(seen) === null || intent.met(seen)) return;
      if (clock.nowMs() >= deadline) {
        throw fail(
          'fault-failed',
          `another task (${taskOf(seen)}) still runs after ${limitText(busyWithinMs)}`,
        );
      }
      await clock.sleep(pollMs, signal);
    }
  };

  /** Finds the outcome of a request whose answer was lost. Never sends the request again. */
  const settle = async (
    intent: Intent,
    before: Awaited<ReturnType<typeof recorded>>,
    why: string,
    signal: AbortSignal,
  ): Promise<AcceptedAction> => {
    const deadline = later(clock.nowMs(), settleWithinMs);
    let seen = 'the state of the server is unknown';
    do {
      try {
        const now = await view(signal);
        const action = await newAction(intent, before, signal);
        if (action !== undefined || intent.met(now)) return { requestId: action };
        seen = `the server is ${now.status}, task ${taskOf(now) ?? 'none'}`;
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        seen = messageOf(error);
      }
      await clock.sleep(pollMs, signal);
    } while (clock.nowMs() < deadline && !signal.aborted);
    throw fail(
      'host-unreachable',
      `the outcome of the ${intent.action} is unknown: ${why}; after ${limitText(settleWithinMs)}: ${seen}`,
      `Run \`openstack server event list ${idOrName}\` to see whether the cloud has accepted it.`,
    );
  };

  /** The request id of an action of this kind that is not in `before`. */
  const newAction = async (
    intent: Intent,
    before: Awaited<ReturnType<typeof recorded>>,
    signal: AbortSignal,
  ): Promise<string | undefined> => {
    if (before === undefined) return undefined;
    const known = new Set(before.map((action) => action.request_id));
    const now = (await recorded(signal)) ?? [];
    return now.find((action) => action.action === intent.action && !known.has(action.request_id))?.request_id;
  };

  return {
    where,
    async state(signal) {
      const seen = await view(signal);
      return { status: seen.status, taskState: taskOf(seen) };
    },
    stop: (signal) => act(stop, signal),
    start: (signal) => act(start, signal),
    reboot: (type, signal) => act(reboot(type), signal),
    async action(requestId, signal) {
      const answer = await compute.get(
        `${await path(signal)}/os-instance-actions/${encodeURIComponent(requestId)}`,
        signal,
      );
      if (answer.status === 404) return undefined;
      const { start_time, events } = parse(answer, actionSchema).instanceAction;
      const ends = events.map((event) => (event.finish_time === null ? null : utcMs(event.finish_time)));
      const finished = ends.filter((end) => end !== null);
      const over = finished.length > 0 && finished.length === ends.length;
      return { startMs: utcMs(start_time), finishMs: over ? latest(...finished) : null };
    },
  };
}

function taskOf(view: View): string | null {
  return view['OS-EXT-STS:task_state'];
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(text);
}

/** Nova's times are UTC, with or without a zone. */
function utcMs(time: string): WallMs {
  return wallMs(Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`));
}

/** Requests to the compute API with token and microversion. Paths are relative to the endpoint. */
interface Compute {
  /** Retried after a 5xx answer or none. @throws DrillError `host-unreachable` if all attempts fail */
  get(path: string, signal: AbortSignal): Promise<Answer>;
  /** Retried only after a 401, with a new token. */
  post(path: string, body: unknown, signal: AbortSignal): Promise<Answer | Silence>;
}

/** The URL of the API, and the microversion of requests; undefined for an API without microversions. */
interface Api {
  readonly url: string;
  readonly microversion: string | undefined;
}

function createCompute(deps: CloudDeps): Compute {
  const { config, http, clock, retryMs } = deps;
  const session = createSession(deps);
  const apis = new Map<string, Api>();

  const fail = (
    code: 'host-unreachable' | 'fault-failed' | 'invalid-input',
    what: string,
    hint?: string,
  ): DrillError =>
    new DrillError(code, `cloud ${config.name}: the compute API ${what}`, hint === undefined ? {} : { hint });

  const call = async (
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<Answer | Silence> => {
    const login = await session.login(signal);
    const answer = await send(login, method, path, body, signal);
    if (answer.kind === 'silence' || answer.status !== 401) return answer;
    session.forget(login);
    const again = await send(await session.login(signal), method, path, body, signal);
    if (again.kind === 'answer' && again.status === 401) {
      throw fail(
        'fault-failed',
        `refuses a new token: ${describeAnswer(again)}`,
        'Ask the administrators of the cloud: Nova rejects a token that Keystone has just issued.',
      );
    }
    return again;
  };

  const send = async (
    login: Login,
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<Answer | Silence> => {
    const { url, microversion } = apis.get(login.computeUrl) ?? (await discover(login, signal));
    const headers = {
      'x-auth-token': login.token,
      // Servers before 2.27 read only the second header.
      ...(microversion === undefined
        ? {}
        : {
            'openstack-api-version': `compute ${microversion}`,
            'x-openstack-nova-api-version': microversion,
          }),
    };
    const answer = await http(
      { method, url: `${url}${path}`, headers, ...(body === undefined ? {} : { body }) },
      signal,
    );
    if (answer.kind === 'answer' && answer.status === 406) {
      throw fail(
        'fault-failed',
        `does not accept microversion ${microversion ?? '(none)'}: ${describeAnswer(answer)}`,
        `Set compute_api_version in ${config.source} to a supported microversion.`,
      );
    }
    return answer;
  };

  /** Repeats a request until the answer is neither a 5xx nor a rate limit. */
  const patiently = (ask: () => Promise<Answer | Silence>, signal: AbortSignal): Promise<Answer> =>
    pRetry(
      async () => {
        const answer = await ask();
        if (answer.kind === 'silence')
          throw fail('host-unreachable', `gives no usable answer: ${answer.why}`);
        const pauseMs = retryAfterMs(answer, clock.wallMs());
        if (answer.status < 500 && pauseMs === undefined) return answer;
        if (pauseMs !== undefined && pauseMs <= longestPauseMs) await clock.sleep(pauseMs, signal);
        throw fail('host-unreachable', `gives no usable answer: ${describeAnswer(answer)}`);
      },
      { retries, minTimeout: retryMs, shouldRetry: ({ error }) => mayRetry(error, signal) },
    );

  /**
   * Reads the URL of the API and its microversions from its version document. If a gateway hides the document, the catalog's
   * endpoint is used, as in keystoneauth, with the configured microversion or with none.
   */
  const discover = async (login: Login, signal: AbortSignal): Promise<Api> => {
    // Older catalogs have the project id after the version. The version document is at the URL before the project id.
    const root = login.computeUrl.replace(/(\/v2(?:\.\d+)?)\/.*$/, '$1');
    const headers = { 'x-auth-token': login.token };
    const isVersioned = /\/v2(\.\d+)?$/.test(root);
    const asReported: Api = {
      url: isVersioned ? login.computeUrl : `${root}/v2.1`,
      microversion: config.microversion,
    };
    let answer: Answer;
    try {
      answer = await patiently(() => http({ method: 'GET', url: `${root}/`, headers }, signal), signal);
    } catch (error) {
      if (mayRetry(error, signal)) return asReported;
      throw error;
    }
    const reported = discoverySchema.safeParse(answer.body).data;
    const range = reported?.version ?? reported?.versions?.find((version) => version.id === 'v2.1');
    // After a 401, the document may be readable with a new token, so the result is not kept.
    if (range === undefined) return answer.status === 401 ? asReported : remember(login, asReported);
    const url = isVersioned || reported?.version !== undefined ? login.computeUrl : `${root}/${range.id}`;
    return remember(login, { url, microversion: choose(range, login.region) });
  };

  const remember = (login: Login, api: Api): Api => {
    apis.set(login.computeUrl, api);
    return api;
  };

  /** The microversion of requests; undefined if the range is empty, as for the old `/v2`. */
  const choose = (range: z.output<typeof rangeSchema>, region: string): string | undefined => {
    const [min, max] = [minor(range.min_version), minor(range.version)];
    if (min === undefined || max === undefined) return undefined;
    const requested = minor(config.microversion) ?? Math.min(requestedMinor, max);
    if (requested >= min && requested <= max) return `2.${requested}`;
    throw fail(
      'invalid-input',
      `of region ${region} has microversions ${range.min_version} to ${range.version}, not 2.${requested}`,
      `Set compute_api_version in ${config.source} to a microversion in this range.`,
    );
  };

  return {
    get: (path, signal) => patiently(() => call('GET', path, undefined, signal), signal),
    post: (path, body, signal) => call('POST', path, body, signal),
  };
}

function minor(version: string | undefined): number | undefined {
  const match = /^2\.(\d+)$/.exec(version ?? '');
  return match === null ? undefined : Number(match[1]);
}
