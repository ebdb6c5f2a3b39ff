// Decodes the reporter's requests with the code that OpenTelemetry generates from OTLP's definitions. test/collector uses the
// Collector itself, which takes minutes to build.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { otlp } from '../../src/reporters/otlp.ts';
import type { FinishedDrill } from '../../src/reporters/reporter.ts';
import { allKindsOfDrills } from '../../src/reporters/testing/drills.ts';
import { received } from '../../src/reporters/testing/received.ts';
import { receiver, type Receiver } from '../../src/reporters/testing/receiver.ts';
import { throughProtobuf, withoutEmpty } from './lib/otlp-reader.ts';

let server: Receiver;
beforeAll(async () => {
  server = await receiver();
});
afterAll(() => server.close());

async function sent(drill: FinishedDrill): Promise<unknown> {
  const reporter = otlp.create(server.url, received({ env: { OTEL_RESOURCE_ATTRIBUTES: 'a=b' } }));
  await reporter.drillEnded?.(drill);
  return JSON.parse(server.received.at(-1)?.body ?? '');
}

describe('OpenTelemetry decodes the complete trace', () => {
  test.each(allKindsOfDrills)('%s', async (_, drill) => {
    const request = await sent(drill());
    expect(JSON.stringify(request).length).toBeGreaterThan(5000);
    expect(throughProtobuf(request)).toEqual(withoutEmpty(request));
  });
});

test('the decoder detects fields and values that OTLP does not have', () => {
  const request = (span: object) => ({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  const read = (span: object) => throughProtobuf(request(span));
  expect(read({ name: 'a', endTimeUnixNano: '1795231911554000001' })).toEqual(
    request({ name: 'a', endTimeUnixNano: '1795231911554000001' }),
  );
  expect(read({ name: 'a', startNano: '1' })).toEqual(request({ name: 'a' }));
  expect(() => read({ events: {} })).toThrow('array expected');
  expect(read({ attributes: [{ key: 'a', value: { numberValue: 1 } }] })).not.toEqual(
    request({ attributes: [{ key: 'a', value: { numberValue: 1 } }] }),
  );
});
