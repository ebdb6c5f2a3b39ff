import { readFile } from 'node:fs/promises';
import { ProbeTimeout, type ProbeContext, type ProbeKind, type ProbeSession } from '../../core/probe.ts';
import { failCauses, type Observation } from '../../core/sample.ts';
import type { DurationMs } from '../../core/time.ts';
import { createSystemClock } from '../../engine/system-clock.ts';
import { createNameResolver } from '../../resolver/name-resolver.ts';
import type { ProbeSituation, ProbeTest } from '../define-tests.ts';
import { check, parsedParams, type Report, require, requireJson, within } from './check.ts';

/** Timeout of an attempt, ms. */
const timeoutMs = 1000;
/** Longest time from an abort to the end of an attempt, ms: after it, the prober abandons the attempt. */
const abortWithinMs = 500;
const closeWithinMs = 2000;

/** Tries what a probe kind promises, in the situations of its author's test. */
export async function tryProbe(
  kind: ProbeKind<unknown>,
  { situations }: ProbeTest,
  report: Report,
): Promise<void> {
  for (const situation of situations) {
    const attempt = (promise: string, work: (session: ProbeSession) => Promise<void>): Promise<boolean> =>
      check(report, kind.kind, `${situation.name}: ${promise}`, () => onSession(kind, situation, work));
    await attempt(`the sample is ${situation.expect}`, async (session) => {
      const seen = await sample(session, timeoutMs);
      requireExpected(seen, situation.expect);
    });
    await attempt('an attempt never throws, and an aborted one is not good', async (session) => {
      for (const reason of [new ProbeTimeout(timeoutMs), new Error('the run stops')]) {
        const seen = await sample(session, 0, reason);
        require(seen.status !== 'ok', 'an attempt whose signal had aborted is ok');
      }
    });
    await attempt('it can be closed during an attempt', async (session) => {
      const stop = new AbortController();
      const running = session.observe(stop.signal);
      stop.abort(new Error('the run stops'));
      await within(abortWithinMs, 'the attempt', running);
    });
  }
  const expected = new Set(situations.map(({ expect }) => expect));
  for (const [missing, promise] of [
    ['ok', 'a good sample'],
    ['fail', 'a failed sample'],
    ['silent', 'an attempt ends at its timeout'],
  ] as const) {
    if (!expected.has(missing))
      report({
        kind: kind.kind,
        promise,
        status: 'not-tried',
        seen: `no situation of the test expects \`${missing}\``,
      });
  }
}

/** One attempt, aborted after `ms` with the reason. @throws Broken if it does not end then, or is no observation */
async function sample(
  session: ProbeSession,
  ms: DurationMs,
  reason: Error = new ProbeTimeout(timeoutMs),
): Promise<Observation> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(reason), ms);
  if (ms === 0) limit.abort(reason);
  try {
    const seen = await within(ms + abortWithinMs, 'the attempt', session.observe(limit.signal));
    requireObservation(seen);
    return seen;
  } finally {
    clearTimeout(timer);
  }
}

function requireObservation(seen: Observation): void {
  requireJson(seen, 'the sample');
  const { status } = seen;
  require(['ok', 'fail', 'unknown'].includes(status), `the sample's status is ${JSON.stringify(status)}`);
  if (status === 'fail')
    require(failCauses.includes(seen.cause), `the cause ${JSON.stringify(seen.cause)} is not known`);
  if (status !== 'ok') require(seen.message !== '', 'a sample that is not ok has no message');
}

function requireExpected(seen: Observation, expected: ProbeSituation['expect']): void {
  const text = JSON.stringify(seen);
  if (expected === 'silent')
    require(seen.status === 'fail' &&
      seen.cause === 'timeout', `expected a failure with the cause timeout, got ${text}`);
  else require(seen.status === expected, `expected ${expected}, got ${text}`);
}

async function onSession(
  kind: ProbeKind<unknown>,
  situation: ProbeSituation,
  work: (session: ProbeSession) => Promise<void>,
): Promise<void> {
  const stand = await situation.setUp();
  try {
    const params = parsedParams(kind.params, stand.params);
    require(kind.describe(params) !== '', '`describe` is empty');
    requireJson(kind.cost(params), 'the result of `cost`');
    kind.uses?.(undefined);
    kind.uses?.(params);
    const session = await kind.open(params, contextFor(stand.host));
    try {
      await work(session);
    } finally {
      await within(closeWithinMs, '`close`', session.close());
    }
  } finally {
    await stand.tearDown?.();
  }
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
