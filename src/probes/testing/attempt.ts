import { readFile } from 'node:fs/promises';
import type { Clock } from '../../core/clock.ts';
import type { Host } from '../../core/host.ts';
import { ProbeTimeout, type ProbeContext, type ProbeKind, type ProbeSession } from '../../core/probe.ts';
import type { Observation } from '../../core/sample.ts';
import { runMs, wallMs } from '../../core/time.ts';
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

/** For tests: takes one sample with a timeout, as the prober does. By default an answer arrives on a busy machine too. */
export async function observe(session: ProbeSession, timeoutMs = 60_000): Promise<Observation> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new ProbeTimeout(timeoutMs)), timeoutMs);
  try {
    return await session.observe(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** For tests: takes samples one after another. */
export async function observeTimes(session: ProbeSession, count: number): Promise<Observation[]> {
  const seen: Observation[] = [];
  for (let i = 0; i < count; i++) seen.push(await observe(session));
  return seen;
}

/** For tests: opens a probe, takes one sample, and closes it. */
export async function attemptOnce<P>(
  kind: ProbeKind<P>,
  fields: unknown,
  options: { readonly timeoutMs?: number; readonly host?: Host } = {},
): Promise<Attempt> {
  const { timeoutMs = 60_000, host } = options;
  const session = await openProbe(kind, fields, { host, timeoutMs });
  const startMs = performance.now();
  try {
    return { seen: await observe(session, timeoutMs), tookMs: performance.now() - startMs };
  } finally {
    await session.close();
  }
}

const testClock: Clock = {
  nowMs: () => runMs(performance.now()),
  wallMs: () => wallMs(Date.now()),
  sleep: async () => {
    throw new Error('no probe sleeps');
  },
};
