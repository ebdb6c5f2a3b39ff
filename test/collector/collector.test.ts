// Sends traces through the real OpenTelemetry Collector, and compares its output with the reporter's direct output.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { otlp } from '../../src/reporters/otlp.ts';
import type { FinishedDrill } from '../../src/reporters/reporter.ts';
import { allKindsOfDrills, exampleDrill } from '../../src/reporters/testing/drills.ts';
import { answers, receiver, type Receiver } from '../../src/reporters/testing/receiver.ts';
import { received } from '../../src/reporters/testing/received.ts';
import { withoutEmpty } from '../reporters/lib/otlp-reader.ts';
import { collectorPath } from './lib/collector.ts';
import { sharedTemporaryFolder } from '../temporary-folder.ts';

const folder = sharedTemporaryFolder();
const port = 14_318;
let backend: Receiver;
let direct: Receiver;
let collector: ChildProcess;

beforeAll(async () => {
  [backend, direct] = [await receiver(), await receiver()];
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    stringify({
      receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
      exporters: {
        otlp_http: {
          endpoint: backend.url,
          encoding: 'json',
          compression: 'none',
          // The Collector answers the sender only after it has forwarded the traces.
          sending_queue: { enabled: false },
          retry_on_failure: { enabled: false },
        },
      },
      service: {
        telemetry: { metrics: { level: 'none' } },
        pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_http'] } },
      },
    }),
  );
  const started = spawn(collectorPath, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  collector = started;
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface(started.stderr).on('line', (line) => {
      lines.push(line);
      if (line.includes('Everything is ready')) resolve();
    });
    started.once('error', reject);
    started.once('exit', () => reject(new Error(`start the Collector: it exited: ${lines.join('\n')}`)));
  });
});
afterAll(async () => {
  if (collector.exitCode === null && collector.kill()) await once(collector, 'exit');
  await Promise.all([backend.close(), direct.close()]);
});

/** Sends a drill with the reporter. @throws DrillError if it was not delivered */
async function send(drill: FinishedDrill, url: string): Promise<void> {
  const reporter = otlp.create(url, received({ env: { OTEL_RESOURCE_ATTRIBUTES: 'a=b' } }));
  await reporter.drillEnded?.(drill);
  await reporter.runEnded?.({ drills: [drill], exitCode: 0 });
}

const lastOf = ({ received }: Receiver): unknown => JSON.parse(received.at(-1)?.body ?? '');

describe('the Collector understands all of a trace', () => {
  test.each(allKindsOfDrills)('%s', async (_, drill) => {
    const count = backend.received.length;
    await send(drill(), `http://127.0.0.1:${port}`);
    await send(drill(), direct.url);
    expect(backend.received).toHaveLength(count + 1);
    expect(withoutEmpty(lastOf(backend))).toEqual(withoutEmpty(lastOf(direct)));
  });
});

test('a refusal by the backend behind it is reported', async () => {
  backend.script(answers(400, {}, 'no such tenant'));
  const sent = send(exampleDrill('wazuh-lb'), `http://127.0.0.1:${port}`);
  await expect(sent).rejects.toThrow(/^1 of 1 drills not delivered: .*\b400\b/);
});
