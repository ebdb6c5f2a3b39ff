import { afterEach, beforeEach, expect, test } from 'vitest';
import { exampleDrill } from '../testing/drills.ts';
import { answers, receiver, type Receiver } from '../testing/receiver.ts';
import { outbox } from './outbox.ts';

const signal = new AbortController().signal;
const drills = ['first', 'second', 'third'].map((runId) => exampleDrill('wazuh-lb', { runId }));
const [first, second, third] = drills as [(typeof drills)[0], (typeof drills)[0], (typeof drills)[0]];

let server: Receiver;
beforeEach(async () => {
  server = await receiver();
});
afterEach(() => server.close());

const box = () =>
  outbox(
    ({ summary }) =>
      ['a', 'b'].map((part) => ({
        call: () => ({ method: 'POST', url: server.url, headers: {}, body: `${summary.runId} ${part}` }),
        to: 'there',
        repeatable: true,
      })),
    signal,
    { wholeMs: 5000, pauseMs: 1 },
  );
const bodies = (): readonly string[] => server.received.map(({ body }) => body);

test("sends each drill's requests in order, without an error", async () => {
  const { drillEnded, runEnded } = box();
  await drillEnded(first);
  await drillEnded(second);
  expect(bodies()).toEqual(['first a', 'first b', 'second a', 'second b']);
  expect(runEnded({ drills, exitCode: 0 })).toBeUndefined();
});

test('an undelivered request is sent first after the next drill', async () => {
  server.script(answers(200), answers(503), answers(503), answers(503), answers(503), answers(200));
  const { drillEnded, runEnded } = box();
  await drillEnded(first);
  expect(bodies().at(-1)).toBe('first b');
  await drillEnded(second);
  expect(bodies().slice(-3)).toEqual(['first b', 'second a', 'second b']);
  expect(runEnded({ drills, exitCode: 0 })).toBeUndefined();
});

test('a final refusal is reported at the end, and does not delay the others', async () => {
  server.script(answers(200), answers(400, {}, 'not that'), answers(200));
  const { drillEnded, runEnded } = box();
  await drillEnded(first);
  await drillEnded(second);
  expect(bodies()).toEqual(['first a', 'first b', 'second a', 'second b']);
  expect(() => runEnded({ drills, exitCode: 0 })).toThrow(
    '1 of 3 drills not delivered: there: answered 400: not that',
  );
});

test('an unavailable endpoint is reported once, at the end', async () => {
  server.script(answers(503));
  const { drillEnded, runEnded } = box();
  for (const drill of [first, second, third]) await drillEnded(drill);
  expect(() => runEnded({ drills, exitCode: 0 })).toThrow('3 of 3 drills not delivered: there: answered 503');
});
