import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { DrillEvent } from '../core/event.ts';
import type { ExecResult, Host } from '../core/host.ts';
import type { Plan, PlannedFault } from '../core/plan.ts';
import { neverFollowed } from '../hosts/testing/never-followed.ts';
import { openEventLog, type EventLog } from './event-log.ts';
import { openLedger, type Ledger } from './ledger.ts';
import { createRun, type Run } from './run.ts';
import type { SteadyState } from './steady-state.ts';
import { simulatedClock } from './testing/simulated-clock.ts';
import { startTimeline } from './timeline.ts';

let folder: string;
let log: EventLog;
let ledger: Ledger;
let clock: ReturnType<typeof simulatedClock>;
let done: string[];
let fails: (argv: readonly string[]) => boolean;
/** Settles before a command is answered. */
let delays: (argv: readonly string[]) => Promise<void> | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'timeline-'));
  clock = simulatedClock();
  log = openEventLog(join(folder, 'events.ndjson'), clock);
  ledger = openLedger(join(folder, 'ledger'));
  done = [];
  fails = () => false;
  delays = () => undefined;
});
afterEach(() => {
  log.close();
  rmSync(folder, { recursive: true });
});

/** A host whose commands take no time; each is recorded with its time. */
function host(name: string): Host {
  return {
    name,
    transport: 'fake',
    follow: neverFollowed,
    exec: (argv, { attempt }): Promise<ExecResult> => {
      if (attempt !== true) done.push(`${clock.nowMs() / 1000}s ${argv.join(' ')}`);
      const delay = delays(argv);
      if (delay !== undefined) return delay.then(() => ({ exitCode: 0, stdout: '', stderr: '' }));
      return Promise.resolve({ exitCode: fails(argv) ? 1 : 0, stdout: '', stderr: '' });
    },
  };
}

/** A fault that runs `break ID` and `mend ID`. */
function fault(id: string, more: Partial<PlannedFault> = {}): PlannedFault {
  const params = { run: ['break', id], undo: ['mend', id], timeout: 1000 };
  return { id, kind: 'command', on: { host: 'alpha' }, atMs: 0, params, ...more };
}

function runOf(faults: readonly PlannedFault[], signal = new AbortController().signal): Run {
  const gate = { require: [], forMs: 0, withinMs: 0 };
  const plan: Plan = {
    scenario: { name: 's', title: 's', path: 's.yaml', sha256: '', variables: {} },
    target: { name: 't', environment: 'test', path: 't.yaml', sha256: '' },
    hosts: [
      { name: 'alpha', address: '198.18.9.1', transport: { kind: 'local' } },
      { name: 'beta', address: '198.18.9.2', transport: { kind: 'local' } },
    ],
    probes: ['alpha', 'beta'].map((on) => ({
      id: `role@${on}`,
      name: 'role',
      host: on,
      kind: 'exec',
      params: null,
      intervalMs: 1000,
      timeoutMs: 900,
    })),
    roles: { primary: { probe: 'role', is: ['primary'] } },
    writers: [],
    ownership: {},
    models: {},
    prepare: [],
    steady: gate,
    limits: { faultMs: 3_600_000 },
    faults,
    repair: [],
    recovery: { probe: 'role', withinMs: 0, stableForMs: 0 },
    redundancy: gate,
    checks: [],
    stages: [],
    returnStages: [],
  };
  const versions = { firedrill: '0', node: '0' };
  const deps = { runId: 'r', clock, log, ledger, versions };
  return createRun(
    plan,
    { ...deps, createHost: ({ name }) => host(name), createServer: () => undefined },
    signal,
  );
}

function primaryIs(run: Run, name: string, slot: number): void {
  for (const on of ['alpha', 'beta']) {
    const at = clock.nowMs();
    const value = on === name ? 'primary' : 'standby';
    run.observer.record({
      probe: `role@${on}`,
      slot,
      dueMs: at,
      sendMs: at,
      finishMs: at,
      status: 'ok',
      value,
    });
  }
}

/** A steady state that holds. */
const held: SteadyState = {
  accessTo: () => Promise.resolve(true),
  isHeld: () => true,
  regain: () => Promise.resolve(true),
  end: () => {},
};

describe('the faults of a drill', () => {
  test('begin at their own times and overlap', async () => {
    const { injected, over } = startTimeline(
      runOf([fault('late', { atMs: 5000 }), fault('early', { atMs: 1000, forMs: 10_000 }), fault('now')]),
      held,
    );
    expect(await injected).toBe(true);
    await over;
    expect(done).toEqual(['0s break now', '1s break early', '5s break late', '11s mend early']);
  });

  test('with their own duration are healed at its end; the others stay for the final heal', async () => {
    const run = runOf([fault('short', { forMs: 30_000 }), fault('long')]);
    await startTimeline(run, held).over;
    expect(done).toEqual(['0s break short', '0s break long', '30s mend short']);
    expect(run.activeFaults.map(({ record }) => record.faultId)).toEqual(['long']);
    expect(ledger.list().map((record) => record.faultId)).toEqual(['long']);
  });

  test('follow each other with `after`, counted from the end of the heal', async () => {
    const { injected } = startTimeline(
      runOf([
        fault('third', { after: 'second', atMs: 500 }),
        fault('second', { after: 'first', atMs: 2000, forMs: 3000 }),
        fault('first', { atMs: 1000, forMs: 10_000 }),
      ]),
      held,
    );
    expect(await injected).toBe(true);
    expect(done).toEqual([
      '1s break first',
      '11s mend first',
      '13s break second',
      '16s mend second',
      '16.5s break third',
    ]);
  });

  test('prevent later faults if one fails, and end the wait of the earlier ones', async () => {
    fails = (argv) => argv.join(' ') === 'break second';
    const run = runOf([
      fault('first', { forMs: 60_000 }),
      fault('second', { atMs: 1000 }),
      fault('third', { atMs: 2000 }),
      fault('fourth', { after: 'first' }),
    ]);
    const { injected, over } = startTimeline(run, held);
    expect(await injected).toBe(false);
    await over;
    expect(done).toEqual(['0s break first', '1s break second']);
    // The caller heals both, because a failed fault may have acted.
    expect(run.activeFaults.map(({ record }) => record.faultId)).toEqual(['first', 'second']);
  });

  test('end the run with the first error if several fail, and the log has the others', async () => {
    const { signal } = new AbortController();
    delays = (argv) =>
      argv.join(' ') === 'break second'
        ? clock.sleep(5000, signal).then(() => {
            throw new TypeError('boom');
          })
        : undefined;
    const run = runOf([
      fault('first', { on: { role: 'nobody' }, atMs: 1000 }),
      fault('second'),
      fault('third', { forMs: 3_600_000 }),
    ]);
    const { injected, over } = startTimeline(run, held);
    await expect(injected).rejects.toThrow('the plan has no role nobody');
    await expect(over).rejects.toThrow('the plan has no role nobody');
    log.sync();
    const text = readFileSync(join(folder, 'events.ndjson'), 'utf8');
    expect(text).toContain('"level":"error","text":"second: boom"');
    // A fault that ended because of another one's failure did not fail itself.
    expect(text).not.toContain('"text":"third');
  });

  test('prevent later faults if one is not healed in time', async () => {
    fails = ([verb]) => verb === 'mend';
    const run = runOf([fault('first', { forMs: 1000 }), fault('second', { after: 'first' })]);
    const { injected, over } = startTimeline(run, held);
    expect(await injected).toBe(false);
    await over;
    expect(done).not.toContainEqual(expect.stringContaining('break second'));
    expect(run.activeFaults.map(({ record }) => record.faultId)).toEqual(['first']);
  });

  test('end with the run when it is stopped', async () => {
    const stop = new AbortController();
    const run = runOf([fault('first', { forMs: 60_000 }), fault('second', { atMs: 5000 })], stop.signal);
    const { injected, over } = startTimeline(run, held);
    void clock.sleep(1000, new AbortController().signal).then(() => stop.abort(new Error('stopped')));
    await expect(injected).rejects.toThrow('stopped');
    await expect(over).rejects.toThrow('stopped');
    expect(done).toEqual(['0s break first']);
  });

  test('reject with the reason if one cannot be injected', async () => {
    const { injected, over } = startTimeline(
      runOf([fault('lost', { on: { role: 'primary' } }), fault('other', { atMs: 60_000 })]),
      held,
    );
    await expect(injected).rejects.toThrow(DrillError);
    await expect(over).rejects.toThrow(
      'cannot resolve role primary (role is primary everywhere): it matches no host',
    );
    expect(done).toEqual([]);
  });

  test('resolve their role and their addresses just before they act', async () => {
    const resolved: string[] = [];
    log.subscribe((event: DrillEvent) => {
      if (event.type === 'role.resolved') resolved.push(`${event.role} ${event.host}`);
    });
    const run = runOf([
      fault('first', { on: { role: 'primary' }, forMs: 1000 }),
      fault('second', {
        on: { fault: 'first' },
        after: 'first',
        params: {
          run: ['cut', '${host}', '${address}', '${address.primary}', '${address.beta}'],
          timeout: 1,
        },
      }),
    ]);
    primaryIs(run, 'alpha', 0);
    const { over } = startTimeline(run, held);
    void clock.sleep(500, new AbortController().signal).then(() => primaryIs(run, 'beta', 1));
    await over;
    expect(resolved).toEqual(['primary alpha', 'primary beta']);
    expect(done.at(-1)).toBe('1s cut alpha 198.18.9.1 198.18.9.2 198.18.9.2');
  });

  test('wait for a role that is not resolved yet', async () => {
    const run = runOf([fault('first', { on: { role: 'primary' } })]);
    const { injected } = startTimeline(run, held);
    void clock.sleep(2000, new AbortController().signal).then(() => primaryIs(run, 'beta', 0));
    expect(await injected).toBe(true);
    expect(run.hostByFault.get('first')).toBe('beta');
  });

  /** A steady state that is lost at these calls of `isHeld`; it returns after 20 s if `comesBack`. */
  function steadyLost(at: readonly number[], comesBack = true): SteadyState {
    let attempts = 0;
    let ended = false;
    let regaining: Promise<boolean> | undefined;
    return {
      ...held,
      isHeld: () => ended || (regaining === undefined && !at.includes(attempts++)),
      regain: () =>
        (regaining ??= clock.sleep(20_000, new AbortController().signal).then(() => {
          regaining = undefined;
          return comesBack;
        })),
      end: () => {
        ended = true;
      },
    };
  }

  test('wait for the steady state if it is lost before the first one, and count their times from then', async () => {
    const run = runOf([fault('late', { atMs: 5000 }), fault('first', { atMs: 1000 })]);
    const { injected } = startTimeline(run, steadyLost([0]));
    expect(await injected).toBe(true);
    expect(done).toEqual(['22s break first', '26s break late']);
  });

  test('do not begin if the steady state does not return, and leave nothing behind', async () => {
    const run = runOf([fault('first', { atMs: 1000 }), fault('second', { atMs: 1000 })]);
    const { injected, over } = startTimeline(run, steadyLost([0, 1], false));
    expect(await injected).toBe(false);
    await over;
    expect(done).toEqual([]);
    expect(run.hostByFault.size + run.activeFaults.length + ledger.list().length).toBe(0);
  });

  test('are withdrawn if the steady state is lost between their timer and the act', async () => {
    const leased = { on: { host: 'alpha' }, leaseMs: 30_000 };
    const run = runOf([fault('first', leased)]);
    const { injected } = startTimeline(run, steadyLost([1]));
    expect(await injected).toBe(true);
    const acts = done.filter((line) => !/ (test|systemctl list-units) /.test(line));
    expect(acts.map((line) => line.replaceAll(/firedrill-\w+-/g, 'firedrill-TAG-').slice(0, 48))).toEqual([
      '0s systemd-run --quiet --unit=firedrill-TAG-1 --',
      '0s systemctl stop firedrill-TAG-*.timer',
      '0s systemctl reset-failed firedrill-TAG-*',
      '20s systemd-run --quiet --unit=firedrill-TAG-1 -',
      '20s break first',
    ]);
    expect(run.activeFaults.map(({ record }) => record.faultId)).toEqual(['first']);
    expect(ledger.list()).toHaveLength(1);
  });
});
