import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { defaultTolerance } from '../analysis/tolerance.ts';
import type { DrillDeps } from '../engine/run.ts';
import { FakeMachine } from '../engine/testing/fake-machine.ts';
import { simulatedClock, timersOn } from '../engine/testing/simulated-clock.ts';
import { runCommand } from './commands/run.ts';
import { exitCodeAfter } from './reporting.ts';
import { userLedger } from './run-folder.ts';
import { listenForStop } from './stop.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

const broken = vi.hoisted(() => ({ at: '' }));
vi.mock('../analysis/summarize.ts', async (original) => {
  const real = await original<typeof import('../analysis/summarize.ts')>();
  return {
    ...real,
    analyse: (...args: Parameters<typeof real.analyse>) => {
      if (broken.at === 'analysis') throw new TypeError('boom');
      return real.analyse(...args);
    },
  };
});
vi.mock('../report/html/report-html.ts', async (original) => {
  const real = await original<typeof import('../report/html/report-html.ts')>();
  return {
    ...real,
    renderReportHtml: (...args: Parameters<typeof real.renderReportHtml>) => {
      if (broken.at === 'report') throw new TypeError('boom');
      return real.renderReportHtml(...args);
    },
  };
});

// The drill runs on a simulated clock, and its host is a fake machine.
let machine: FakeMachine;
vi.mock('../engine/system-clock.ts', () => ({ createSystemClock: simulatedClock }));
vi.mock('../engine/drill.ts', async (original) => {
  const { runDrill } = await original<typeof import('../engine/drill.ts')>();
  /** Without a control and pressure readings, which are processes. */
  const simulated = ({ runId, clock, log, ledger, createServer, versions }: DrillDeps): DrillDeps => ({
    runId,
    clock,
    log,
    ledger,
    createServer,
    versions,
    timers: timersOn(clock),
    createHost: () => machine,
  });
  const simulatedDrill: typeof runDrill = (plan, deps, signal) => runDrill(plan, simulated(deps), signal);
  return { runDrill: simulatedDrill };
});

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  machine = new FakeMachine();
  vi.stubEnv('FIREDRILL_STATE_DIR', join(folder, 'state'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  broken.at = '';
});

/** Runs a drill with the command. Returns its error, if any, and its exit code. */
async function drill() {
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  put(
    'target.yaml',
    `name: web
environment: test
hosts: { here: { transport: local } }
probes: [{ id: web, kind: exec, on: here, argv: [is-up], interval: 100ms, timeout: 5s }]
steady: { require: [{ probe: web }], for: 300ms, within: 4m }
`,
  );
  const scenario = put(
    's.yaml',
    `name: s
title: s
target: target.yaml
faults: [{ kind: container.stop, on: here, container: web, for: 300ms }]
recovery: { probe: web, within: 4m, stableFor: 300ms }
redundancy: { for: 300ms, within: 4m }
checks: [{ kind: rto, max: 4m }]
`,
  );
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const stop = listenForStop(say);
  try {
    const exitCode = await runCommand(
      [scenario],
      {
        out: join(folder, 'out'),
        json: false,
        reporter: [],
        allowProduction: false,
        repeat: 1,
        tolerance: defaultTolerance,
        allProbes: false,
        var: {},
      },
      stop,
      { data: say, text: say, progress: say, workflowCommand: say },
    );
    return { error: undefined, exitCode, said };
  } catch (error) {
    return { error, exitCode: exitCodeAfter(error, stop), said };
  } finally {
    stop.dispose();
  }
}

/** Puts the undo record of a fault on another target into the ledger. */
function openElsewhere(): void {
  userLedger().open({
    version: 1,
    runId: 'r',
    target: 'other',
    faultId: 'fault-1',
    kind: 'command',
    host: { name: 'here', transport: { kind: 'local' } },
    params: { run: ['true'], timeout: 1000 },
    before: null,
    openedAt: '2026-01-01T00:00:00Z',
  });
}

describe('a drill', () => {
  test.each(['analysis', 'report'])('whose %s fails ends healed, but does not pass', async (at) => {
    broken.at = at;
    const { error, exitCode } = await drill();
    expect(error).toMatchObject({ name: 'TypeError', message: 'boom' });
    expect(exitCode).toBe(3);
    expect(machine.commands).toContain('docker stop');
    expect(machine.isUp).toBe(true);
    expect(userLedger().list()).toEqual([]);
    expect(readdirSync(join(folder, 'state', 'locks'))).toEqual([]);
    const [run = ''] = readdirSync(join(folder, 'out'));
    expect(readFileSync(join(folder, 'out', run, 'events.ndjson'), 'utf8')).toContain('"type":"run.ended"');
  });

  test.each([
    ['of its target', '{"version":1,"target":"web","fau', 'its fault is on target web'],
    ['of a target that nobody can read any more', '{"vers', 'its fault may be on target web'],
  ])('is refused while an undo record %s cannot be read', async (_whose, text, why) => {
    const ledger = userLedger().directory;
    openElsewhere();
    const path = join(ledger, 'torn.json');
    writeFileSync(path, text);
    const { error, exitCode } = await drill();
    expect(error).toMatchObject({
      code: 'refused',
      message: expect.stringContaining(why) as string,
      hint: expect.stringContaining(`rm ${path}`) as string,
    });
    expect(exitCode).toBe(5);
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });

  test('of another target begins anyway', async () => {
    openElsewhere();
    writeFileSync(join(userLedger().directory, 'torn.json'), '{"version":2,"target":"other"}');
    const { error } = await drill();
    expect(error).toBeUndefined();
    expect(readdirSync(join(folder, 'out'))).toHaveLength(1);
  });
});
