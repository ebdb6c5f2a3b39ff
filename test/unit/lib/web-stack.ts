import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { KeptRun } from '../../../src/analysis/kept-run.ts';
import { keptOf } from '../../../src/analysis/testing/kept.ts';
import type { FailureTable } from '../../../src/report/table.ts';
import { createBench, type Bench } from '../../firedrill.ts';
import { onceMoreIfStarved } from '../../starvation.ts';

/** Length of the web server's outage, ms, from the first request after the fault. */
export const downMs = 600;

/** A web server that a drill breaks and that recovers by itself, with the files of its target, scenario, and suite. */
export interface WebStack {
  readonly bench: Bench;
  /** Folder of the YAML files. */
  readonly files: string;
  /** Path of a file that exists during the fault. */
  readonly flag: string;
  readonly suite: string;
  /** Writes a file into `files`. Returns its path. */
  file(name: string, text: string): string;
  /** Runs the suite `name`. `more`: further arguments, separated by spaces. */
  runTable(out: string, more?: string, name?: string): ReturnType<Bench['start']>;
  /** Returns the result of `act`, a command that drills. Runs it a second time if the machine was too busy. */
  drilled<T>(act: () => Promise<T>): Promise<T>;
  close(): void;
}

/** Starts the server and writes the files. The limits allow for a busy machine. */
export async function startWebStack(): Promise<WebStack> {
  const bench = createBench();
  const files = join(bench.out, '..', 'files');
  const flag = join(files, 'broken');
  mkdirSync(files, { recursive: true });
  let brokenSinceMs: number | undefined;
  const server = createServer((_request, response) => {
    brokenSinceMs = existsSync(flag) ? (brokenSinceMs ?? Date.now()) : undefined;
    response.statusCode = brokenSinceMs !== undefined && Date.now() - brokenSinceMs < downMs ? 503 : 200;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const file = (name: string, text: string): string => {
    const path = join(files, name);
    writeFileSync(path, text);
    return path;
  };
  file('target.yaml', targetOf(`http://127.0.0.1:${port}/`));
  file('dead.yaml', targetOf('http://127.0.0.1:1/'));
  file('crash.yaml', scenarioOf(flag));
  file('suite.yaml', suite);
  return {
    bench,
    files,
    flag,
    suite,
    file,
    runTable: (out, more = '', name = 'suite.yaml') =>
      bench.start('table', join(files, name), '--out', out, ...more.split(' ').filter(Boolean)),
    drilled: (act) => onceMoreIfStarved(bench.out, act),
    close() {
      server.close();
      bench.remove();
    },
  };
}

const targetOf = (url: string): string => `name: web
environment: test
hosts: { here: { transport: local } }
probes: [{ id: web, kind: http, url: '${url}', interval: 100ms, timeout: 5s }]
steady: { require: [{ probe: web }], for: 300ms, within: 60s }
`;

const scenarioOf = (flag: string): string => `name: crash
title: The web server goes away and comes back
variables: { limit: 60s }
matrix: { flavour: [soft, hard] }
faults:
  - { kind: command, on: here, run: [touch, ${flag}], undo: [rm, -f, ${flag}], undone: [test, '!', -e, ${flag}] }
recovery: { probe: web, within: 60s, stableFor: 500ms }
redundancy: { for: 300ms, within: 60s }
checks: [{ kind: rto, max: '\${limit}' }]
`;

const suite = `name: web
title: Failure table of the web server
target: target.yaml
settle: { within: 60s }
rows:
  - { row: 1, failure: crash, recoveredBy: itself, reported: 0.6 s, scenario: crash.yaml }
  - { row: 2, failure: crash with no time, recoveredBy: nobody, reported: '-', scenario: crash.yaml, variables: { limit: 1ms } }
  - { row: 3, failure: the same crash, recoveredBy: itself, reported: '-', scenario: crash.yaml, figure: downtime }
`;

/** Writes the summary of a run of the drill `crash-soft` in the earlier night `number`. */
export function keepBaseline(folder: string, number: number, parts: Partial<KeptRun> = {}, rtoMs = 10): void {
  const run = keptOf(number, rtoMs, { target: 'web', ...parts });
  const scenario = { name: 'crash-soft', title: '', path: '', sha256: '' };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'summary.json'), JSON.stringify({ ...run, scenario }));
}

/** The folder and the table.json of the latest table below `out`. */
export function tableIn(out: string): { readonly folder: string; readonly table: FailureTable } {
  const folder = join(out, readdirSync(out).sort().at(-1) ?? '');
  return { folder, table: JSON.parse(readFileSync(join(folder, 'table.json'), 'utf8')) as FailureTable };
}
