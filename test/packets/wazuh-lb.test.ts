import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conditions } from '../../bench/conditions.ts';
import { createBench } from '../firedrill.ts';
import { checkedDrill } from './lib/drill-truth.ts';
import { parallelCapture } from './lib/prober-capture.ts';
import { type DrillRow, renderTable } from './lib/table.ts';

const bench = createBench();
const vip = '198.18.1.100';
const folder = join(import.meta.dirname, '../../reports/packets');
const scenarios = [
  'nginx-stop',
  'keepalived-kill',
  'keepalived-stop',
  'keepalived-crash',
  'nginx-crash',
  'node-poweroff',
];
const rounds = 5;
const drills = Array.from({ length: rounds }, (_, round) =>
  scenarios.map((scenario) => ({ scenario, round: round + 1 })),
).flat();

const began = conditions();
const rows: DrillRow[] = [];

beforeAll(async () => {
  await bench.labUp('wazuh-lb');
});

afterAll(async () => {
  await bench.start('lab', 'down', '--stack', 'wazuh-lb');
  bench.remove();
  // Without results, keep those of an earlier run.
  if (rows.length === 0) return;
  const results = { conditions: began, planned: drills.length, drills: rows };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(folder, 'table.md'), renderTable(results));
});

/** Stores the log and the capture of a disagreement for analysis. */
function keepEvidence(drill: string, pcap: Buffer): void {
  const kept = join(folder, '../packets-disagreeing', drill);
  mkdirSync(kept, { recursive: true });
  copyFileSync(join(bench.runFolder(), 'events.ndjson'), join(kept, 'events.ndjson'));
  writeFileSync(join(kept, 'capture.pcap'), pcap);
}

describe('outage windows and RTO match the packets at the prober', () => {
  test.each(drills)('$scenario, round $round', async ({ scenario, round }) => {
    const { result, packets } = await parallelCapture(vip, async () =>
      bench.start('run', `scenarios/wazuh-lb/${scenario}.yaml`, '--out', bench.out),
    );
    // Failed and inconclusive checks are acceptable here, but a drill without a measurement is not.
    expect([0, 1, 3], result.all).toContain(result.exitCode);
    const { truth, shifted } = checkedDrill(bench, packets);
    rows.push({ scenario, round, verdict: bench.summary().verdict, ...truth });
    if (truth.faults.length > 0) keepEvidence(`${scenario}-${round}`, packets.pcap);
    expect(truth.faults).toEqual([]);
    expect(truth.windows).not.toEqual([]);
    expect(shifted.faults).not.toEqual([]);
  });
});
