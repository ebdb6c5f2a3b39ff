import pRetry from 'p-retry';
import { z } from 'zod';
import type { AcceptedAction, CloudServer } from '../core/cloud.ts';
import { DrillError, messageOf, isUnreachable } from '../core/errors.ts';
import { limitWords } from '../core/format-duration.ts';
import { describeAnswer, requestIdOf, retryAfterMs } from './api-error.ts';
import type { Answer, Silence } from '../http/http-client.ts';
import { createSession, longestPauseMs, mayRetry, retries, type CloudDeps, type Login } from './keystone.ts';

/**
 * The newest microversion of which something is used: `locked_reason` (2.73, Stein), after `locked` (2.9) and
 * events of instance actions for the server's owner (2.51). Older servers are asked for their newest; of one
 * before 2.51 the end of an action stays unknown. Nothing up to here changed what the rest looks like.
 */
const wantedMinor = 73;
/** How long another task on the server may keep an action waiting. */
const busyWithinMs = 120_000;
/** How long to look for what became of an action whose answer was lost. */
const settleWithinMs = 15_000;
const pollMs = 1000;
/** `Retry-After` answers obeyed in a row. */
const maxPauses = 5;

/** Without microversions, as of the old v2.0, the range is empty or not there. */
const rangeSchema = z.looseObject({
  id: z.string(),
  version: z.string().default(''),
  min_version: z.string().default(''),
});
/** Of a versioned endpoint its own version, of an unversioned one all of them. */
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
/** Of a server in a cell that is down, the list has no name (from microversion 2.69). */
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

/** What is wanted of the server. */
interface Intent {
  /** As instance actions name it. */
  readonly action: 'stop' | 'start' | 'reboot';
  readonly body: unknown;
  /** The server is where the action leads, or on its way there. */
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
  // A server that was rebooted looks like one that was not: only one that is at it can be told.
  met: (view) => taskOf(view)?.startsWith('reboot') === true,
});

/**
 * A server of a cloud, by id or by name. Nothing is sent before it is used.
 *
 * Of each action, at most one request is sent that may have been carried out: one that was refused (401,
 * 409, 429) is sent again, one of which the outcome is unknown (5xx, no answer) never is.
 */
export function createNovaServer(deps: CloudDeps, idOrName: string): CloudServer {
  const { config, clock } = deps;
  const compute = createCompute(deps);
  let id: string | undefined;

  const where = `server ${idOrName} of cloud ${config.name}${config.region === undefined ? '' : `, region ${config.region}`}`;
  const fail = (
    code: 'host-unreachable' | 'fault-failed' | 'invalid-input',
    what: string,
    mend?: string,
  ): DrillError => new DrillError(code, `${where}: ${what}`, mend === undefined ? {} : { mend });

  const path = async (signal: AbortSignal): Promise<string> => {
    id ??= isUuid(idOrName) ? idOrName : await findByName(signal);
    return `/servers/${id}`;
  };

  const findByName = async (signal: AbortSignal): Promise<string> => {
    // Nova takes a regular expression, and matches it anywhere.
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
        'Correct `server.id` in the target; it takes an id or an exact name.',
      );
    }
    if (second !== undefined) {
      throw fail(
        'invalid-input',
        `${found.length} servers have that name: ${found.map((server) => server.id).join(', ')}`,
        'Name it by id in the target.',
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
      'The cloud’s administrators have to allow os_compute_api:os-extended-status to the project.',
    );
  };

  const parse = <T>(answer: Answer, schema: z.ZodType<T>): T => {
    if (answer.status !== 200) throw refused(answer);
    const parsed = schema.safeParse(answer.body);
    if (parsed.success) return parsed.data;
    throw fail('host-unreachable', 'the cloud’s answer is not as the Compute API describes it');
  };

  const refused = (answer: Answer): DrillError =>
    answer.status === 404
      ? fail(
          'fault-failed',
          `the cloud does not have it: ${describeAnswer(answer)}`,
          'See whether it was deleted, and whether the project is the right one.',
        )
      : fail('fault-failed', `the cloud refuses: ${describeAnswer(answer)}`);

  /** Actions the cloud has recorded for the server; undefined where it does not tell. */
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
    const deadline = clock.nowMs() + busyWithinMs;
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
      return fail('fault-failed', `it is ${seen.status} and the cloud refuses: ${describeAnswer(answer)}`);
    const reason = seen.locked_reason ? ` (${seen.locked_reason})` : '';
    return fail(
      'fault-failed',
      `it is locked${reason}: ${describeAnswer(answer)}`,
      'Ask whoever locked it; `openstack server unlock` ends it.',
    );
  };

  const overLimit = (answer: Answer, pauseMs: number): DrillError =>
    fail(
      'host-unreachable',
      `the cloud asks to come back in ${limitWords(pauseMs)}: ${describeAnswer(answer)}`,
    );

  /** Waits for the end of a task that somebody else has started. */
  const untilIdle = async (intent: Intent, deadline: number, signal: AbortSignal): Promise<void> => {
    for (;;) {
      const seen = await view(signal);
      if (taskOf(seen) === null || intent.met(seen)) return;
      if (clock.nowMs() >= deadline) {
        throw fail(
          'fault-failed',
          `still at another task (${taskOf(seen)}) after ${limitWords(busyWithinMs)}`,
        );
      }
      await clock.sleep(pollMs, signal);
    }
  };

  /** Finds out what became of a request whose answer was lost; never sends it again. */
  const settle = async (
    intent: Intent,
    before: Awaited<ReturnType<typeof recorded>>,
    why: string,
    signal: AbortSignal,
  ): Promise<AcceptedAction> => {
    const deadline = clock.nowMs() + settleWithinMs;
    let seen = 'the server was not seen';
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
      `it is not known whether the cloud took the ${intent.action}: ${why}; ${limitWords(settleWithinMs)} later ${seen}`,
    );
  };

  /** The request id of an action of this kind that was not recorded before. */
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
      return { startMs: utcMs(start_time), finishMs: over ? Math.max(...finished) : null };
    },
  };
}

function taskOf(view: View): string | null {
  return view['OS-EXT-STS:task_state'];
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(text);
}

/** Nova's times are UTC and say so only sometimes. */
function utcMs(time: string): number {
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`);
}

/** Requests to the compute API with token and microversion; paths count from the endpoint. */
interface Compute {
  /** Sent again after no or a 5xx answer. @throws DrillError `host-unreachable` if that does not help */
  get(path: string, signal: AbortSignal): Promise<Answer>;
  /** Sent again only after a 401, with a new token. */
  post(path: string, body: unknown, signal: AbortSignal): Promise<Answer | Silence>;
}

/** Where the API really is, and in which microversion it is asked; none for servers that know none. */
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
    mend?: string,
  ): DrillError =>
    new DrillError(code, `cloud ${config.name}: the compute API ${what}`, mend === undefined ? {} : { mend });

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
        'Keystone and Nova disagree: their administrators have to look.',
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
      // The second is what servers before 2.27 read.
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
        `Set compute_api_version in ${config.source} to one that it has.`,
      );
    }
    return answer;
  };

  /** Asks until there is an answer that is neither 5xx nor a request to come back later. */
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
   * Where the API is and what it knows, by its version document. A gateway may hide that document: then the endpoint is used as
   * the catalog has it, as keystoneauth does, with the configured microversion or with none.
   */
  const discover = async (login: Login, signal: AbortSignal): Promise<Api> => {
    // Older catalogs have the project behind the version; versions are told in front of it.
    const root = login.computeUrl.replace(/(\/v2(?:\.\d+)?)\/.*$/, '$1');
    const headers = { 'x-auth-token': login.token };
    const isVersioned = /\/v2(\.\d+)?$/.test(root);
    const asTold: Api = {
      url: isVersioned ? login.computeUrl : `${root}/v2.1`,
      microversion: config.microversion,
    };
    let answer: Answer;
    try {
      answer = await patiently(() => http({ method: 'GET', url: `${root}/`, headers }, signal), signal);
    } catch (error) {
      if (mayRetry(error, signal)) return asTold;
      throw error;
    }
    const told = discoverySchema.safeParse(answer.body).data;
    const range = told?.version ?? told?.versions?.find((version) => version.id === 'v2.1');
    // With a new token it may be shown.
    if (range === undefined) return answer.status === 401 ? asTold : remember(login, asTold);
    const url = isVersioned || told?.version !== undefined ? login.computeUrl : `${root}/${range.id}`;
    return remember(login, { url, microversion: choose(range, login.region) });
  };

  const remember = (login: Login, api: Api): Api => {
    apis.set(login.computeUrl, api);
    return api;
  };

  /** The microversion to ask for; undefined where the range is empty, as of the old `/v2`. */
  const choose = (range: z.output<typeof rangeSchema>, region: string): string | undefined => {
    const [min, max] = [minor(range.min_version), minor(range.version)];
    if (min === undefined || max === undefined) return undefined;
    const wanted = minor(config.microversion) ?? Math.min(wantedMinor, max);
    if (wanted >= min && wanted <= max) return `2.${wanted}`;
    throw fail(
      'invalid-input',
      `of region ${region} has microversions ${range.min_version} to ${range.version}, not 2.${wanted}`,
      `Set compute_api_version in ${config.source} to one of them.`,
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
