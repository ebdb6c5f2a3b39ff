import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { DrillEvent } from '../core/event.ts';
import type { ExecResult, Host } from '../core/host.ts';
import type { Plan } from '../core/plan.ts';
import { runDrill } from '../engine/drill.ts';
import { openEventLog } from '../engine/event-log.ts';
import { openLedger } from '../engine/ledger.ts';
import { createSystemClock } from '../engine/system-clock.ts';
import { neverFollowed } from '../hosts/testing/never-followed.ts';
import { makePlans, openScenario } from '../scenario/planner.ts';
import { parseSource } from '../scenario/source.ts';
import { scenarioText } from './scenario-text.ts';
import { detailsOf, type FaultTemplate, faultTemplates, type Stack, transports } from './stack.ts';
import { targetText } from './target-text.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

const server = createServer((_request, response) => response.end('ok'));
let url: string;
let folder: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => server.close());
beforeEach(() => {
  folder = temporaryFolder();
});

/** A stack of two nodes with this first fault, and all details of the fault. */
function stackOf(template: FaultTemplate): Stack {
  const { kind, transports: fits = transports } = template;
  const details = { unit: 'db.service', container: 'db', process: 'postgres' };
  const transport = fits.find((one) => one === 'docker') ?? fits[0] ?? 'ssh';
  const { required: asks } = detailsOf(template, transport);
  return {
    name: 'pair',
    transport,
    hosts: [
      { name: 'node-1', address: '198.18.9.1' },
      { name: 'node-2', address: '198.18.9.2' },
    ],
    url,
    vip: undefined,
    fault: { kind, ...Object.fromEntries(asks.map((name) => [name, details[name]])) },
  };
}

/** The drill that `init` writes, with short times. `edit` changes the target. */
function planOf(template: FaultTemplate, edit: (text: string) => string, withinMs: number): Plan {
  const stack = stackOf(template);
  const input = (name: string, text: string) => ({
    source: parseSource(name, text),
    sha256: '',
    resolveFile: (file: string) => file,
  });
  const target = input('target.yaml', edit(targetText(stack, 'schema.json')));
  const scenario = openScenario(input('s.yaml', scenarioText(stack, 'schema.json', 'target.yaml')));
  const [plan] = makePlans(scenario, () => target);
  if (plan === undefined) throw new Error('no plan');
  return {
    ...plan,
    probes: plan.probes.map((probe) => ({ ...probe, intervalMs: 50, timeoutMs: 5000 })),
    steady: { ...plan.steady, forMs: 100, withinMs },
  };
}

/** A node that is well, or that has been down since before the drill. */
function node(name: string, isUp: boolean, done: string[]): Host {
  const answer = (argv: readonly string[]): ExecResult => {
    const [program = ''] = argv;
    if (program === 'docker')
      return { exitCode: 0, stdout: `{"Status":"${isUp ? 'running' : 'exited'}"}\n`, stderr: '' };
    if (program === 'systemctl') return { exitCode: isUp ? 0 : 3, stdout: '', stderr: '' };
    if (program === 'pgrep') return { exitCode: isUp ? 0 : 1, stdout: '', stderr: '' };
    if (!isUp) throw new DrillError('host-unreachable', `${name}: container is not running`);
    return { exitCode: 0, stdout: '', stderr: '' };
  };
  return {
    name,
    transport: 'fake',
    follow: neverFollowed,
    exec: async (argv, { attempt }) => {
      if (attempt !== true) done.push(argv.join(' '));
      return answer(argv);
    },
  };
}

/** Runs the drill while the second node is down. */
async function drill(plan: Plan) {
  const done: string[] = [];
  const clock = createSystemClock();
  const path = join(folder, 'events.ndjson');
  const log = openEventLog(path, clock);
  const ledger = openLedger(join(folder, 'ledger'));
  await runDrill(
    plan,
    {
      runId: 'r',
      clock,
      log,
      ledger,
      createHost: ({ name }) => node(name, name === 'node-1', done),
      createServer: () => undefined,
      versions: { firedrill: '0', node: '0' },
    },
    new AbortController().signal,
  );
  log.close();
  const events = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as DrillEvent);
  expect(events.filter(({ type }) => type === 'fault.issued')).toEqual([]);
  expect([done, ledger.list()]).toEqual([[], []]);
  return events;
}

/** The target of a stack whose standby does not run the probed service by design. */
const askForOne = (text: string): string => {
  const line = '    - { probe: node-health }\n';
  if (!text.includes(line)) throw new Error('no such line');
  return text.replace(line, '    - { probe: node-health, count: 1 }\n');
};
const named = (templates: readonly FaultTemplate[]) =>
  templates.map((template) => [template.kind, template] as const);

describe('the first drill of `init`, with the other node down', () => {
  test.each(named(faultTemplates))('begins with no fault: %s', async (_kind, template) => {
    const gate = (await drill(planOf(template, (text) => text, 2000))).find(({ type }) => type === 'gate');
    expect(gate).toMatchObject({ gate: 'steady', state: 'timeout' });
    expect(JSON.stringify(gate)).toContain('node-health is ok everywhere');
  });

  test.each(named(faultTemplates.filter(({ asks }) => asks.length > 0)))(
    'is refused by the guard of the last healthy node where the steady state asks for one: %s',
    async (_kind, template) => {
      const events = await drill(planOf(template, askForOne, 200_000));
      expect(events.find(({ type }) => type === 'run.aborted')).toMatchObject({
        refused: true,
        reason: expect.stringContaining(
          'a fault on node-1 would leave no healthy node: node-health is ok on node-1 only',
        ) as string,
      });
    },
  );

  // The state of a node without an answer is unknown, so it is unknown whether exactly one node is well.
  test.each(named(faultTemplates.filter(({ asks }) => asks.length === 0)))(
    'begins with no fault where the steady state asks for one, and nothing is known of the other: %s',
    async (_kind, template) => {
      const gate = (await drill(planOf(template, askForOne, 2000))).find(({ type }) => type === 'gate');
      expect(gate).toMatchObject({ gate: 'steady', state: 'timeout' });
      expect(JSON.stringify(gate)).toContain('node-health is ok on exactly 1');
    },
  );
});
