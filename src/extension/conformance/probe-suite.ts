import { readFile } from 'node:fs/promises';
import { ProbeTimeout, type ProbeContext, type ProbeKind, type ProbeSession } from '../../core/probe.ts';
import type { Observation } from '../../core/sample.ts';
import type { DurationMs } from '../../core/time.ts';
import { createSystemClock } from '../../engine/system-clock.ts';
import { createNameResolver } from '../../resolver/name-resolver.ts';
import type { ProbeSituation, ProbeTest } from '../define-tests.ts';
import {
  Broken,
  check,
  NotTried,
  notTried,
  parsedParams,
  type Promised,
  type Report,
  require,
  requireText,
  shown,
  threw,
  within,
  withStand,
} from './check.ts';
import { connectionsText, type SocketWatch, watchClientSockets } from './client-sockets.ts';
import { requireCost, requireObservation } from './observation.ts';

/** Timeout of an attempt, ms. */
const timeoutMs = 1000;
/** Longest time from an abort to the end of an attempt, ms: after it, the prober abandons the attempt. */
const abortWithinMs = 500;
const openWithinMs = 10_000;
const closeWithinMs = 2000;

/** An open probe of a situation. */
interface Opened {
  readonly session: ProbeSession;
  readonly kind: ProbeKind<unknown>;
  readonly params: unknown;
  readonly sockets: SocketWatch;
}

const repeated = 3;

/** Tries what a probe kind promises, in the situations of its author's test. */
export async function tryProbe(
  kind: ProbeKind<unknown>,
  { situations }: ProbeTest,
  report: Report,
): Promise<void> {
  for (const situation of situations) {
    const attempt = (
      promise: string,
      hint: string,
      work: (on: Opened) => Promise<void>,
    ): Promise<boolean> => {
      const own: Promised = { promise: `${situation.name}: ${promise}`, hint };
      return check(report, kind.kind, own, () => onSession(kind, situation, work));
    };
    await attempt(
      `each sample is ${situation.expect}`,
      'Make the sample from the answer of this attempt. Keep no state for the next attempt.',
      async (on) => {
        for (let n = 1; n <= repeated; n += 1)
          requireExpected(await sample(on, timeoutMs), situation.expect, `attempt ${n} of ${repeated}: `);
        await twoAtOnce(on, situation.expect);
      },
    );
    await attempt(
      'an attempt never throws, and an aborted one is not good',
      'Begin with `if (signal.aborted) return abortedBy(signal)`, and return a sample for each error.',
      async (on) => {
        for (const reason of [new ProbeTimeout(timeoutMs), new Error('the run stops')]) {
          const seen = await sample(on, 0, reason);
          require(seen.status !== 'ok', 'an attempt whose signal had aborted is ok');
        }
        requireExpected(await sample(on, timeoutMs), situation.expect, 'an attempt after an aborted one: ');
      },
    );
    await attempt(
      'it can be closed during an attempt',
      'End the attempt when its signal aborts, and let `close` free what an attempt still holds.',
      async ({ session }) => {
        const stop = new AbortController();
        const running = Promise.resolve(session.observe(stop.signal));
        stop.abort(new Error('the run stops'));
        await closed(session);
        await within(abortWithinMs, 'the attempt', running);
      },
    );
    await attempt(
      'it costs what `cost` says, and `close` frees everything',
      'Destroy each socket at the end of its attempt or in `close`, and count its connections in `cost`.',
      async (on) => requireFreed(on, situation.expect),
    );
  }
  reportMissing(kind, situations, report);
}

function reportMissing(
  kind: ProbeKind<unknown>,
  situations: readonly ProbeSituation[],
  report: Report,
): void {
  const expected = new Set(situations.map(({ expect }) => expect));
  for (const [missing, promise] of [
    ['ok', 'a good sample'],
    ['fail', 'a failed sample'],
    ['silent', 'an attempt ends at its timeout'],
  ] as const) {
    if (expected.has(missing)) continue;
    const why = `no situation of the test expects \`${missing}\``;
    const hint = `Add a situation with \`expect: '${missing}'\` to the file of tests.`;
    notTried(report, kind.kind, promise, new NotTried(why, hint));
  }
}

/** The scheduler begins an attempt while an earlier one is in progress, unless the probe says that it is busy. */
async function twoAtOnce(on: Opened, expected: ProbeSituation['expect']): Promise<void> {
  const first = sample(on, timeoutMs);
  const second = on.session.isBusy?.() === true ? undefined : sample(on, timeoutMs);
  const seen = await Promise.all([first, second]);
  for (const one of seen)
    if (one !== undefined) requireExpected(one, expected, 'two attempts at the same time: ');
}

async function requireFreed(on: Opened, expected: ProbeSituation['expect']): Promise<void> {
  const { session, kind, params, sockets } = on;
  await sample(on, timeoutMs);
  const before = sockets.opened();
  await sample(on, timeoutMs);
  const opened = sockets.opened() - before;
  const { newConnections } = kind.cost(params);
  // A target that does not answer may be tried at more than one address.
  if (expected === 'ok')
    require(opened <=
      newConnections, `an attempt opened ${opened} connection${opened === 1 ? '' : 's'}, but \`cost\` says ${newConnections}`);
  await closed(session);
  const left = await sockets.left();
  require(left.length === 0, `2 s after \`close\`: ${connectionsText(left)}`);
}

/** One attempt, aborted after `ms` with the reason. @throws Broken if it does not end then, or is no observation */
async function sample(
  { session, kind, params }: Opened,
  ms: DurationMs,
  reason: Error = new ProbeTimeout(timeoutMs),
): Promise<Observation> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(reason), ms);
  if (ms === 0) limit.abort(reason);
  try {
    const seen = await within(ms + abortWithinMs, 'the attempt', session.observe(limit.signal));
    requireObservation(seen, kind, params);
    return seen;
  } catch (error) {
    throw error instanceof Broken ? error : new Broken(threw('`observe`', error));
  } finally {
    clearTimeout(timer);
  }
}

function requireExpected(seen: Observation, expected: ProbeSituation['expect'], which: string): void {
  const text = shown(seen);
  if (expected === 'silent')
    require(seen.status === 'fail' &&
      seen.cause === 'timeout', `${which}expected a failure with the cause timeout, got ${text}`);
  else require(seen.status === expected, `${which}expected ${expected}, got ${text}`);
}

const closedBefore = new WeakSet<ProbeSession>();

/** Closes a session once, like a drill. */
async function closed(session: ProbeSession): Promise<void> {
  if (closedBefore.has(session)) return;
  closedBefore.add(session);
  try {
    await within(closeWithinMs, '`close`', session.close());
  } catch (error) {
    throw error instanceof Broken ? error : new Broken(threw('`close`', error));
  }
}

async function onSession(
  kind: ProbeKind<unknown>,
  situation: ProbeSituation,
  work: (on: Opened) => Promise<void>,
): Promise<void> {
  await withStand(situation, async (stand) => {
    const params = parsedParams(kind.params, stand.params);
    requireText(kind.describe(params), '`describe`');
    requireCost(kind.cost(params));
    kind.uses?.(undefined);
    kind.uses?.(params);
    kind.keepsSession?.(params);
    kind.conflict?.(params);
    const sockets = watchClientSockets();
    try {
      const opening = Promise.resolve(kind.open(params, contextFor(stand.host)));
      const session = await within(openWithinMs, '`open`', opening);
      try {
        await work({ session, kind, params, sockets });
      } finally {
        await closed(session);
      }
    } finally {
      sockets.stop();
    }
  });
}

/** What a drill gives to a probe. */
export function contextFor(host: ProbeContext['host']): ProbeContext {
  return {
    host,
    clock: createSystemClock(),
    timeoutMs,
    resolveName: createNameResolver(),
    readText: (path) => readFile(path, 'utf8'),
    env: (name) => process.env[name],
  };
}
