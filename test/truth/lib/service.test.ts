import { expect, test } from 'vitest';
import { type Behavior, type Evidence, type Reply, Service } from './service.ts';
import { simulatedTime, type SimulatedTime } from './simulated-time.ts';

const up: Behavior = { kind: 'up', latencyMs: () => 4 };

/** A service one millisecond away. */
function serviceAt(time: SimulatedTime, behavior: Behavior): Service {
  return new Service(time, behavior, { wayMs: () => 1 });
}

/** Sends requests at the times `atMs`. Returns each reply until `untilMs` with its time, and the evidence of each request. */
async function ask(
  time: SimulatedTime,
  service: Service,
  { atMs, untilMs }: { atMs: readonly number[]; untilMs: number },
): Promise<{ replies: (readonly [number, Reply])[]; evidence: (readonly Evidence[])[] }> {
  const replies: (readonly [number, Reply])[] = [];
  const evidence: (readonly Evidence[])[] = [];
  for (const [index, ms] of atMs.entries())
    time.at(ms, () => {
      const request = service.request((reply) => replies.push([time.nowMs(), reply]));
      evidence[index] = request.evidence;
    });
  await time.until(time.clock.sleep(untilMs, new AbortController().signal));
  return { replies, evidence };
}

test('the client sends a request that a black hole dropped again after 1 s and 3 s', async () => {
  const time = simulatedTime(0);
  const service = serviceAt(time, { kind: 'drop' });
  time.at(1500, () => service.set(up));
  const { replies, evidence } = await ask(time, service, { atMs: [0, 600], untilMs: 5000 });
  expect(replies).toEqual([
    [1606, { ok: true }],
    [3006, { ok: true }],
  ]);
  expect(evidence[1]).toEqual([
    { atMs: 601, isUp: false },
    { atMs: 1605, isUp: true },
  ]);
});

test('a service that is up again answers all hanging requests together', async () => {
  const time = simulatedTime(0);
  const service = serviceAt(time, { kind: 'hang' });
  time.at(700, () => service.set(up));
  const { replies } = await ask(time, service, { atMs: [0, 200, 400], untilMs: 2000 });
  expect(replies.map(([ms]) => ms)).toEqual([705, 705, 705]);
});

test('a service that goes down resets the requests in progress', async () => {
  const time = simulatedTime(0);
  const service = serviceAt(time, { kind: 'up', latencyMs: () => 100 });
  time.at(50, () => service.set({ kind: 'refuse' }));
  const { replies } = await ask(time, service, { atMs: [0, 60], untilMs: 1000 });
  expect(replies).toEqual([
    [51, { ok: false, cause: 'reset' }],
    [62, { ok: false, cause: 'refused' }],
  ]);
  expect(service.changes).toEqual([
    { atMs: 0, isUp: true },
    { atMs: 50, isUp: false },
  ]);
});
