import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../core/clock.ts';
import { DrillError } from '../core/errors.ts';
import type { FollowEnd, Host } from '../core/host.ts';
import type { ProbeSession } from '../core/probe.ts';
import type { LogMark, Observation } from '../core/sample.ts';
import { runMs, wallMs } from '../core/time.ts';
import { createLocalHost } from '../hosts/local.ts';
import { scriptedHost } from '../faults/testing/scripted-host.ts';
import { logFile } from './log-file.ts';
import { observe, openProbe } from './testing/attempt.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

const marks = [{ name: 'state', match: 'state (?<value>[A-Z]+)' }];
/** Wall clock of the host at the beginning of each test, s. */
const epochS = 1_763_722_800;

const marksOf = (seen: Observation): readonly LogMark[] => (seen.status === 'ok' ? (seen.marks ?? []) : []);

/** A host whose test writes the lines of `tail -F` and advances the clock. */
class Machine {
  readonly host: Host;
  readonly clock: Clock;
  /** The number of lines requested from `tail`, run by run. */
  readonly runs: string[] = [];
  #nonce = '';
  #queue: string[] = [];
  #end: Error | undefined;
  #wake: () => void = () => {};
  #nowMs = 0;
  #sleepers: (() => void)[] = [];

  constructor(says: { readonly file?: string; readonly zone?: string } = {}) {
    this.host = {
      name: 'node-1',
      transport: 'fake',
      exec: async (argv) => {
        const stdout = argv[0] === 'date' ? (says.zone ?? '+0000') : (says.file ?? 'file-there');
        return { exitCode: 0, stdout: `${stdout}\n`, stderr: '' };
      },
      follow: (argv, signal) => this.#follow(argv, signal),
    };
    this.clock = {
      nowMs: () => runMs(this.#nowMs),
      wallMs: () => wallMs(this.#nowMs),
      sleep: (_ms, signal) =>
        new Promise((resolve) => {
          this.#sleepers.push(resolve);
          signal.addEventListener('abort', () => resolve(), { once: true });
        }),
    };
  }

  async *#follow(argv: readonly string[], signal: AbortSignal): AsyncGenerator<string, FollowEnd, void> {
    this.#nonce = argv[4] ?? '';
    this.runs.push(argv[6] ?? '');
    this.#end = undefined;
    signal.addEventListener('abort', () => this.breaks(new Error('no longer followed')), { once: true });
    for (;;) {
      yield* this.#queue.splice(0);
      if (this.#end !== undefined) throw this.#end;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async writes(...lines: string[]): Promise<void> {
    this.#queue.push(...lines);
    this.#wake();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** A heartbeat. `before` is the beginning of a line that it interrupts. */
  async pulses(atS: number, { is = 'there', before = '', fraction = '000000000' } = {}): Promise<void> {
    this.passes(atS);
    await this.writes(`${before}${this.#nonce} ${epochS + Math.floor(atS)}.${fraction} ${is}`);
  }

  passes(atS: number): void {
    this.#nowMs = atS * 1000;
  }

  breaks(why: Error): void {
    this.#end = why;
    this.#wake();
  }

  /** True when the pause after a break is over and `tail` runs again. */
  opensAgain(): boolean {
    for (const wake of this.#sleepers.splice(0)) wake();
    return this.runs.length === 2;
  }
}

const open = (machine: Machine, over: object = {}): Promise<ProbeSession> =>
  openProbe(
    logFile,
    { path: '/var/log/app.log', marks, ...over },
    { host: machine.host, clock: machine.clock },
  );

describe('log-file probe', () => {
  it('creates a mark with the bounds of its arrival, and none for earlier lines', async () => {
    const machine = new Machine();
    const session = await open(machine);
    expect(await observe(session)).toMatchObject({ status: 'unknown' });
    await machine.writes('state OLD');
    await machine.pulses(1);
    expect(await observe(session)).toEqual({ status: 'ok', marks: [] });
    await machine.writes('state MASTER', 'nothing');
    await machine.pulses(2);
    expect(await observe(session)).toEqual({
      status: 'ok',
      marks: [
        {
          name: 'state',
          value: 'MASTER',
          text: 'state MASTER',
          // Between the previous heartbeat, minus tail's poll interval, and the next heartbeat.
          wallMs: (epochS + 1) * 1000,
          bounds: { minMs: epochS * 1000, maxMs: (epochS + 2) * 1000 },
        },
      ],
    });
    await session.close();
  });

  it('widens the bounds if the host’s `date` has whole seconds only', async () => {
    const machine = new Machine();
    const session = await open(machine);
    await machine.pulses(1, { fraction: '%N' });
    await machine.writes('state MASTER');
    await machine.pulses(2, { fraction: '%N' });
    expect(marksOf(await observe(session))).toMatchObject([
      { bounds: { minMs: epochS * 1000, maxMs: (epochS + 3) * 1000 } },
    ]);
    await session.close();
  });

  it('uses the line’s own timestamp, in the host’s zone or the configured one', async () => {
    for (const [machine, over] of [
      [new Machine({ zone: '+0200' }), {}],
      [new Machine(), { utcOffset: '+02:00' }],
    ] as const) {
      const session = await open(machine, { time: 'iso', ...over });
      await machine.pulses(1);
      await machine.writes('2025-11-21 13:00:01.500 state MASTER', 'state BACKUP');
      await machine.pulses(2);
      const [stamped, other] = marksOf(await observe(session));
      expect(stamped).toEqual({
        name: 'state',
        value: 'MASTER',
        text: '2025-11-21 13:00:01.500 state MASTER',
        wallMs: (epochS + 1.5) * 1000,
      });
      expect(other?.bounds).toBeDefined();
      await session.close();
    }
  });

  it('does not use a timestamp in another zone', async () => {
    const machine = new Machine();
    const session = await open(machine, { time: 'iso' });
    await machine.pulses(1);
    // 11:00:01.5 UTC, in the log of a server with the zone EST.
    await machine.writes('2025-11-21 06:00:01.500 EST state MASTER');
    await machine.pulses(2);
    expect(marksOf(await observe(session))).toMatchObject([
      { bounds: { minMs: epochS * 1000, maxMs: (epochS + 2) * 1000 } },
    ]);
    await session.close();
  });

  it('joins a line that a heartbeat interrupted', async () => {
    const machine = new Machine();
    const session = await open(machine);
    await machine.pulses(1);
    await machine.pulses(2, { before: 'state MAS' });
    await machine.writes('TER');
    await machine.pulses(3);
    expect(marksOf(await observe(session))).toMatchObject([{ value: 'MASTER' }]);
    await session.close();
  });

  it('reports the lines that were added during a break, with bounds for their time', async () => {
    const machine = new Machine();
    const session = await open(machine);
    await machine.pulses(1);
    await machine.writes('first', 'last known');
    await machine.pulses(2);
    expect(await observe(session)).toMatchObject({ status: 'ok' });
    machine.breaks(new DrillError('host-unreachable', 'node-1: connection lost'));
    await expect
      .poll(() => observe(session))
      .toEqual({
        status: 'unknown',
        message: '/var/log/app.log on node-1 is not followed: node-1: connection lost',
      });
    await expect.poll(() => machine.opensAgain()).toBe(true);
    await machine.writes('first', 'last known', 'state MASTER');
    await machine.pulses(9);
    expect(await observe(session)).toMatchObject({
      status: 'ok',
      marks: [{ value: 'MASTER', bounds: { minMs: (epochS + 1) * 1000, maxMs: (epochS + 9) * 1000 } }],
    });
    expect(machine.runs).toEqual(['1', '1000']);
    await session.close();
  });

  it('reports once that lines may be missing if it is unknown which are new', async () => {
    const machine = new Machine();
    const session = await open(machine);
    await machine.writes('known');
    await machine.pulses(1);
    machine.breaks(new Error('lost'));
    await expect.poll(() => machine.opensAgain()).toBe(true);
    await machine.writes('state MASTER', 'of another file');
    await machine.pulses(9);
    expect(await observe(session)).toEqual({
      status: 'unknown',
      message: 'new lines of /var/log/app.log on node-1 may be missing: it could not be followed for a while',
    });
    expect(await observe(session)).toEqual({ status: 'ok', marks: [] });
    await session.close();
  });

  it('is unknown without heartbeats, or without the file', async () => {
    const machine = new Machine();
    const session = await open(machine);
    await machine.pulses(1);
    machine.passes(3.6);
    expect(await observe(session)).toEqual({
      status: 'unknown',
      message: 'following /var/log/app.log on node-1 sent no heartbeat for 2.5 s',
    });
    await machine.pulses(4, { is: 'gone' });
    expect(await observe(session)).toEqual({
      status: 'unknown',
      message: '/var/log/app.log on node-1 cannot be read',
    });
    await session.close();
  });

  it('in a container, has a hint about the path in the container', async () => {
    const container = { name: 'shop-web-1', inspect: () => Promise.reject(new Error('not asked')) };
    const host = { ...scriptedHost(() => ({ stdout: 'file-gone\n' })), container };
    const params = logFile.params.parse({ path: '/var/log/app.log', marks });
    const { signal } = new AbortController();
    await expect(logFile.check?.(params, { host, signal })).rejects.toMatchObject({
      hint: 'Correct `path`: it is a path in container shop-web-1. If its log goes to `docker logs`, use a probe of kind container-log.',
    });
  });

  it('refuses a missing file, and a relative path', async () => {
    await expect(open(new Machine({ file: 'file-gone' }))).rejects.toMatchObject({
      code: 'invalid-input',
      message: 'node-1 has no readable file /var/log/app.log',
    });
    await expect(open(new Machine({ zone: 'CET' }), { time: 'syslog' })).rejects.toThrow(
      'cannot read the UTC offset of node-1',
    );
    expect(logFile.params.safeParse({ path: 'app.log', marks }).success).toBe(false);
    expect(logFile.params.safeParse({ path: '/a', marks, utcOffset: 'CET' }).success).toBe(false);
  });
});

describe('log-file probe with a real tail', () => {
  it('follows added lines, and a file that replaces the old one', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'app.log');
    writeFileSync(path, 'state OLD\n');
    const clock: Clock = {
      nowMs: () => runMs(performance.now()),
      wallMs: () => wallMs(Date.now()),
      sleep: (ms, signal) => sleep(ms, undefined, { signal }),
    };
    const host = createLocalHost('here');
    const session = await openProbe(logFile, { path, marks }, { host, clock });
    onTestFinished(() => session.close());
    const seen: LogMark[] = [];
    const values = async (): Promise<(string | undefined)[]> => {
      seen.push(...marksOf(await observe(session)));
      return seen.map(({ value }) => value);
    };
    await expect.poll(async () => (await observe(session)).status, { timeout: 60_000 }).toBe('ok');
    const beforeMs = Date.now();
    appendFileSync(path, 'state MASTER\n');
    await expect.poll(values, { timeout: 60_000 }).toEqual(['MASTER']);
    renameSync(path, `${path}.1`);
    writeFileSync(path, 'state BACKUP\n');
    await expect.poll(values, { timeout: 60_000 }).toEqual(['MASTER', 'BACKUP']);
    const afterMs = Date.now();
    for (const { bounds } of seen) {
      expect(bounds?.maxMs).toBeGreaterThan(beforeMs);
      expect(bounds?.minMs).toBeLessThan(afterMs);
    }
  });
});
