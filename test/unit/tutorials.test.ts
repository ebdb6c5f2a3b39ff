import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { LogBuilder } from '../../src/analysis/testing/log-builder.ts';
import { readLog } from '../../src/analysis/read-log.ts';
import { summarize } from '../../src/analysis/summarize.ts';
import { withCommandName } from '../../src/cli/command-name.ts';
import { initCommand } from '../../src/cli/commands/init.ts';
import { createNarrator } from '../../src/cli/console.ts';
import { loadAllPlans, loadPlans } from '../../src/cli/inputs.ts';
import { builtInKinds } from '../../src/extension/kinds.ts';
import { plansText } from '../../src/cli/plan-text.ts';
import type { DrillEvent } from '../../src/core/event.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { Summary } from '../../src/core/summary.ts';
import { checkHost } from '../../src/doctor/check-host.ts';
import { containerFindings } from '../../src/doctor/container-findings.ts';
import { requirementsOf } from '../../src/doctor/host-requirements.ts';
import { leaseFindings } from '../../src/doctor/lease-findings.ts';
import { scriptedHost } from '../../src/faults/testing/scripted-host.ts';
import { renderVerdictText } from '../../src/report/verdict-text.ts';
import { root } from './lib/our-files.ts';
import { textBlockOf } from './lib/worked-examples.ts';
import { sharedTemporaryFolder } from '../temporary-folder.ts';

// Each line of output that a tutorial or the README shows is printed by the code, for a committed run or for a simulated pair.

/** The lines that the page shows, with blanks collapsed, and without those of which the page leaves out a part. */
function shownLines(page: string): string[] {
  return textBlockOf(readFileSync(join(root, page), 'utf8'))
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '');
}

function linesOf(text: string): string[] {
  return text.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '));
}

/** What `run` and `watch` print on stderr. */
function narrated(lines: readonly string[]): string[] {
  const printed: string[] = [];
  const report = createNarrator((line) => printed.push(line));
  for (const line of lines) report(JSON.parse(line) as DrillEvent);
  return linesOf(printed.join('\n'));
}

/** A fixed text that the code of a command prints. */
function fixedText(file: string, text: string): string {
  expect(readFileSync(join(root, file), 'utf8')).toContain(text);
  return text;
}

/** What `status` prints without an open fault. */
const nothingLeft = (): string => fixedText('src/cli/commands/heal.ts', 'no open faults');

const example = join(root, 'reports/example-certlocker');

function verdictLines(folder: string): string[] {
  return linesOf(
    renderVerdictText(JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8')) as Summary),
  );
}

test('README.md shows the verdict of a committed run', () => {
  const printed = new Set(verdictLines(example));
  const shown = shownLines('README.md');
  expect(shown.length).toBeGreaterThan(10);
  expect(shown.filter((line) => !printed.has(line))).toEqual([]);
});

describe('docs/tutorial-lab.md', () => {
  test('shows output of committed runs, and of a plan', () => {
    const table = join(root, 'reports/table-certlocker/runs');
    const router = readdirSync(table).find((name) => name.includes('router-crash')) ?? '';
    const printed = new Set([
      ...narrated(readFileSync(join(example, 'events.ndjson'), 'utf8').trimEnd().split('\n')),
      ...verdictLines(example),
      ...verdictLines(join(table, router)),
      ...linesOf(plansText(loadPlans('scenarios/certlocker/router-crash.yaml'))),
      nothingLeft(),
    ]);
    const shown = shownLines('docs/tutorial-lab.md');
    expect(shown.length).toBeGreaterThan(30);
    expect(shown.filter((line) => !printed.has(line))).toEqual([]);
  });
});

describe('docs/tutorial-own-pair.md', () => {
  const folder = sharedTemporaryFolder();
  const written: string[] = [];
  let plans: readonly Plan[];

  beforeAll(async () => {
    const write = (text: string) => void written.push(text);
    const output = { data: write, text: write, progress: () => undefined };
    const options = {
      name: 'shop',
      transport: 'ssh',
      host: ['node-1=10.0.0.11', 'node-2=10.0.0.12'],
      url: 'http://10.0.0.100/health',
      vip: '10.0.0.100',
      fault: 'service.stop',
      unit: 'nginx.service',
      force: false,
    };
    await initCommand(join(folder, 'drills'), options, undefined, output);
    plans = loadAllPlans([join(folder, 'drills/scenarios')], {});
  });

  test('shows output for the files of `init` and a simulated pair', () => {
    const [plan] = plans;
    if (plan === undefined) throw new Error('no plan');
    const log = simulatedPair(plan);
    const facts = {
      uid: 0,
      kernel: '6.12.48+deb13-amd64',
      systemd: true,
      rawSockets: true,
      netem: true,
      engine: undefined,
      engineError: undefined,
      tools: new Set(['ip', 'systemctl']),
    };
    const findings = checkHost(
      'node-1',
      facts,
      requirementsOf(plan, plans, builtInKinds).get('node-1') ?? [],
    );
    const printed = new Set([
      ...linesOf(written.join('').replaceAll(`${folder}/`, '')),
      ...linesOf(plansText(plans)),
      ...narrated(log.lines()),
      ...linesOf(renderVerdictText(summarize(log.read()))),
      ...findings.map(({ status, name, observed }) => `${status} ${name} ${observed}`),
      `ok node-1: ssh ${fixedText('src/doctor/inspect-target.ts', 'commands run')}`,
      'drills/scenarios/service-stop.yaml: valid',
      nothingLeft(),
    ]);
    const shown = shownLines('docs/tutorial-own-pair.md');
    expect(shown.length).toBeGreaterThan(30);
    expect(shown.filter((line) => !printed.has(line))).toEqual([]);
  });
});

describe('docs/tutorial-containers.md', () => {
  /** Logs of the page's two drills, run on its pair: `pass` as written, `fail` without the health checks of HAProxy. */
  const logOf = (verdict: string): string =>
    readFileSync(join(import.meta.dirname, `testdata/container-kill-${verdict}.ndjson`), 'utf8');
  const folder = sharedTemporaryFolder();

  test('shows output of two drills on its pair, and of the commands before them', async () => {
    const written: string[] = [];
    const known = ['node-a', 'node-b'].map((service) => ({
      name: `web-pair-${service}-1`,
      state: 'running',
      project: 'web-pair',
      service,
    }));
    await initCommand(
      join(folder, 'drills'),
      {
        name: 'web-pair',
        host: [],
        containers: ['node-a,node-b'],
        url: 'http://127.0.0.1:8080/',
        force: false,
      },
      undefined,
      { data: (text) => void written.push(text), text: () => undefined, progress: () => undefined },
      { containers: async () => known, mainProcess: async () => undefined },
    );
    const plans = loadAllPlans([join(folder, 'drills/scenarios')], {});
    const [plan] = plans;
    if (plan === undefined) throw new Error('no plan');
    const printed = new Set([
      ...linesOf(written.join('').replaceAll(`${folder}/`, '')),
      ...linesOf(plansText(plans)),
      ...(await doctorLines(plan, plans)),
      ...['pass', 'fail'].flatMap((verdict) => [
        ...narrated(logOf(verdict).trimEnd().split('\n')),
        ...linesOf(renderVerdictText(summarize(readLog([Buffer.from(logOf(verdict))])))),
      ]),
    ]);
    const shown = shownLines('docs/tutorial-containers.md');
    expect(shown.length).toBeGreaterThan(30);
    expect(shown.filter((line) => !printed.has(line))).toEqual([]);
  });
});

/** What `doctor` prints about the first host of that plan, on a machine without systemd. */
async function doctorLines(plan: Plan, plans: readonly Plan[]): Promise<string[]> {
  const [host] = plan.hosts;
  if (host === undefined) throw new Error('no host');
  const facts = {
    uid: 0,
    kernel: '6.18.44',
    systemd: false,
    rawSockets: true,
    netem: undefined,
    engine: '20.10.24+dfsg1',
    engineError: undefined,
    tools: new Set(['docker']),
  };
  const engine = scriptedHost(() => ({
    stdout: JSON.stringify({ status: 'running', policy: 'unless-stopped', init: true }),
  }));
  const { signal } = new AbortController();
  const findings = [
    ...checkHost(host.name, facts, requirementsOf(plan, plans, builtInKinds).get(host.name) ?? []),
    ...leaseFindings(host.name, facts, plan.faults, true),
    ...(await containerFindings(host, engine, facts, { probes: [], steps: plan.faults, signal })),
  ];
  return [
    ...findings.flatMap(({ status, name, observed, hint }) => [
      `${status} ${name} ${observed}`,
      `hint: ${withCommandName(hint ?? '')}`,
    ]),
    `ok ${host.name}: local ${fixedText('src/doctor/inspect-target.ts', 'commands run')}`,
    'ok probe service GET http://127.0.0.1:8080/',
  ];
}

/** The drill of a pair whose virtual address moves 3.2 s after nginx stops, as a log. ms since the start. */
function simulatedPair(plan: Plan): LogBuilder {
  const downMs = 8712;
  const movedMs = 11_950;
  const startedMs = 17_830;
  const log = new LogBuilder(plan);
  log.probing(
    'service',
    110,
    22_400,
    (ms) => (ms > 5610 && ms < 17_000 ? 100 : 1000),
    (ms) =>
      ms < downMs || ms >= movedMs
        ? { status: 'ok', finishMs: ms + 5 }
        : {
            status: 'fail',
            cause: 'refused',
            finishMs: ms + 2,
            message: 'connect ECONNREFUSED 10.0.0.100:80',
          },
  );
  for (const [index, node] of ['node-1', 'node-2'].entries()) {
    log.probing(`node-health@${node}`, 240 + index * 1000, 22_400, 2000, (ms) =>
      index === 0 && ms > downMs && ms < startedMs
        ? { status: 'fail', cause: 'error', finishMs: ms + 28, message: 'exit 3: inactive' }
        : { status: 'ok', finishMs: ms + 28, value: 'active' },
    );
    log.probing(`vip-claim@${node}`, 330 + index * 500, 22_400, 1000, (ms) => ({
      status: 'ok',
      finishMs: ms + 26,
      value: ms >= movedMs === (index === 1) ? 'yes' : 'no',
    }));
  }
  return log
    .at(96, { type: 'phase.started', phase: 'steady' })
    .at(5612, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .at(5613, { type: 'rate.changed', burst: true })
    .at(8604, { type: 'role.resolved', role: 'active', host: 'node-1' })
    .at(8605, { type: 'phase.started', phase: 'fault' })
    .at(8641, { type: 'fault.issued', fault: 'fault-1', kind: 'service.stop', host: 'node-1', params: {} })
    .at(8752, { type: 'fault.acked', fault: 'fault-1', receipt: null })
    .at(8781, { type: 'fault.effect', fault: 'fault-1', notBeforeMs: 8641, notAfterMs: 8752 })
    .at(8782, { type: 'phase.started', phase: 'recovery' })
    .at(17_010, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(17_011, { type: 'rate.changed', burst: false })
    .at(17_012, { type: 'phase.started', phase: 'heal' })
    .at(17_014, { type: 'heal.started', fault: 'fault-1' })
    .at(17_890, { type: 'heal.proven', fault: 'fault-1' })
    .at(17_891, { type: 'phase.started', phase: 'redundancy' })
    .at(21_300, { type: 'gate', gate: 'redundancy', state: 'met', unmet: [] })
    .at(22_400, { type: 'run.ended' });
}
