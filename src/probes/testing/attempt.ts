import { readFile } from 'node:fs/promises';
import type { Clock } from '../../core/clock.ts';
import type { Host } from '../../core/host.ts';
import { ProbeTimeout, type ProbeContext, type ProbeKind, type ProbeSession } from '../../core/probe.ts';
import type { Observation } from '../../core/sample.ts';
import { createNameResolver } from '../../resolver/name-resolver.ts';

/** For tests: an observation and its duration. */
export interface Attempt {
  readonly seen: Observation;
  readonly tookMs: number;
}

/** For tests: opens a probe with the given fields, as the prober would after the planner. */
export async function openProbe<P>(
  kind: ProbeKind<P>,
  fields: unknown,
  over: Partial<ProbeContext> = {},
): Promise<ProbeSession> {
  return kind.open(kind.params.parse(fields), {
    host: undefined,
    clock: testClock,
    timeoutMs: 1000,
    readText: (path) => readFile(path, 'utf8'),
    env: (name) => process.env[name],
    resolveName: createNameResolver(),
    ...over,
  });
}

/** For tests: takes one sample with a time-out, as the prober does. */
export async function attemptWith(session: ProbeSession, timeoutMs: number): Promise<Attempt> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new ProbeTimeout(timeoutMs)), timeoutMs);
  const startMs = performance.now();
  const seen = await session.observe(controller.signal);
  clearTimeout(timer);
  return { seen, tookMs: performance.now() - startMs };
}

/** For tests: opens a probe, takes one sample, and closes it. */
export async function attemptOnce<P>(
  kind: ProbeKind<P>,
  fields: unknown,
  options: { readonly timeoutMs?: number; readonly host?: Host } = {},
): Promise<Attempt> {
  // A long default time-out, so that the answer arrives on a busy machine too.
  const { timeoutMs = 60_000, host } = options;
  const session = await openProbe(kind, fields, { host, timeoutMs });
  try {
    return await attemptWith(session, timeoutMs);
  } finally {
    await session.close();
  }
}

const testClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: async () => {
    throw new Error('no probe sleeps');
  },
};
