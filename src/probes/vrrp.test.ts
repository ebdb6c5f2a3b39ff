import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../core/clock.ts';
import { DrillError } from '../core/errors.ts';
import type { ExecResult, FollowEnd, Host } from '../core/host.ts';
import type { ProbeSession } from '../core/probe.ts';
import { runMs, wallMs } from '../core/time.ts';
import { observe, openProbe } from './testing/attempt.ts';
import { vrrp } from './vrrp.ts';

const nodeOne = '198.18.2.11';
const nodeTwo = '198.18.2.12';
/** Wall clock of the vantage at the start of each test, ms. */
const epochMs = 1_763_722_800_000;

/** A command whose output lines a test writes. */
class Stream {
  readonly argv: readonly string[];
  readonly signal: AbortSignal;
  readonly #queue: string[] = [];
  #wake: () => void = () => {};
  #end: FollowEnd | Error | undefined;

  constructor(argv: readonly string[], signal: AbortSignal) {
    this.argv = argv;
    this.signal = signal;
  }

  write(...lines: string[]): void {
    this.#queue.push(...lines);
    this.#wake();
  }

  end(how: FollowEnd | Error): void {
    this.#end = how;
    this.#wake();
  }

  async *lines(): AsyncGenerator<string, FollowEnd, void> {
    this.signal.addEventListener('abort', () => this.end(new Error('no longer followed')), { once: true });
    for (;;) {
      yield* this.#queue.splice(0);
      if (this.#end instanceof Error) throw this.#end;
      if (this.#end !== undefined) return this.#end;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** A vantage whose clock and captured packets the test controls. */
class Vantage {
  readonly streams: Stream[] = [];
  readonly host: Host;
  readonly clock: Clock;
  #nowMs = 0;
  #sleepers: { readonly untilMs: number; readonly wake: () => void }[] = [];

  constructor(version: () => Partial<ExecResult> = () => ({})) {
    this.host = {
      name: 'vantage',
      transport: 'fake',
      exec: async () => ({ exitCode: 0, stdout: '', stderr: '', ...version() }),
      follow: (argv, signal) => {
        const stream = new Stream(argv, signal);
        this.streams.push(stream);
        return stream.lines();
      },
    };
    this.clock = {
      nowMs: () => runMs(this.#nowMs),
      wallMs: () => wallMs(this.#nowMs),
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          this.#sleepers.push({ untilMs: this.#nowMs + ms, wake: resolve });
          signal.addEventListener('abort', () => resolve(), { once: true });
        }),
    };
  }

  get stream(): Stream {
    const latest = this.streams.at(-1);
    if (latest === undefined) throw new Error('nothing is followed');
    return latest;
  }

  /** Advances the time to that moment (seconds) without captured packets. */
  passes(atS: number): void {
    this.#nowMs = atS * 1000;
    const due = this.#sleepers.filter((sleeper) => sleeper.untilMs <= this.#nowMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => !due.includes(sleeper));
    for (const { wake } of due) wake();
  }

  /** Writes lines, which are read before the time advances. */
  async writes(...lines: string[]): Promise<void> {
    this.stream.write(...lines);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async listens(): Promise<void> {
    await this.writes(
      'tcpdump: verbose output suppressed, use -v[v]... for full protocol decode',
      'listening on eth0, link-type EN10MB (Ethernet), snapshot length 262144 bytes',
    );
  }

  /** Writes a heartbeat at that moment. */
  async pulses(atS: number): Promise<void> {
    this.passes(atS);
    await this.writes(stamp(atS));
  }

  async advert(source: string, atS: number, priority = 100, virtualRouterId = 51): Promise<void> {
    this.passes(atS);
    await this.writes(
      `${stamp(atS)} IP ${source} > 224.0.0.18: VRRPv2, Advertisement, vrid ${virtualRouterId}, prio ${priority}, authtype simple, intvl 1s, length 20`,
    );
  }
}

function stamp(atS: number): string {
  return ((epochMs + atS * 1000) / 1000).toFixed(6);
}

const open = (vantage: Vantage, over: object = {}): Promise<ProbeSession> =>
  openProbe(
    vrrp,
    { interface: 'eth0', virtualRouterId: 51, address: nodeOne, ...over },
    { host: vantage.host, clock: vantage.clock },
  );
/** A probe whose capture listens from 0 s, and its vantage. The probe is closed after the test. */
async function listening(over: object = {}) {
  const vantage = new Vantage();
  const session = await open(vantage, over);
  onTestFinished(() => session.close());
  await vantage.listens();
  await vantage.pulses(0);
  return { vantage, session };
}
const reported = async (session: ProbeSession) => {
  const seen = await observe(session);
  return seen.status === 'ok' ? seen.value : seen.status;
};

describe('vrrp probe', () => {
  it('reports which node advertises, from one capture for all instances', async () => {
    const vantage = new Vantage();
    const one = await open(vantage);
    const two = await open(vantage, { address: nodeTwo });
    const priority = await open(vantage, { value: 'priority' });
    expect(await reported(one)).toBe('unknown');
    await vantage.listens();
    await vantage.pulses(0);
    await vantage.advert(nodeOne, 0.5);
    expect([await reported(one), await reported(two), await reported(priority)]).toEqual([
      'master',
      'unknown',
      '100',
    ]);
    for (const atS of [1.5, 2.5, 3.5]) await vantage.advert(nodeOne, atS);
    expect([await reported(one), await reported(two)]).toEqual(['master', 'silent']);
    expect(vantage.streams).toHaveLength(1);
    const command = vantage.stream.argv.join(' ');
    expect(command).toContain('tcpdump --immediate-mode -l -n -tt -i eth0 ip proto 112');
    await Promise.all([one.close(), two.close()]);
    expect(vantage.stream.signal.aborted).toBe(false);
    await priority.close();
    expect(vantage.stream.signal.aborted).toBe(true);
  });

  it('marks changes with their capture time', async () => {
    const { vantage, session } = await listening();
    await vantage.pulses(3.5);
    expect(await reported(session)).toBe('silent');
    await vantage.advert(nodeOne, 4);
    await vantage.advert(nodeOne, 5, 80);
    expect(await observe(session)).toEqual({
      status: 'ok',
      value: 'master',
      marks: [
        {
          name: 'became-master',
          wallMs: epochMs + 4000,
          text: '198.18.2.11: advertises with priority 100',
          value: '100',
        },
        { name: 'priority', wallMs: epochMs + 5000, text: '198.18.2.11: priority 100 -> 80', value: '80' },
      ],
    });
    for (const atS of [6, 7, 8, 8.5]) await vantage.pulses(atS);
    expect(await observe(session)).toMatchObject({
      value: 'silent',
      marks: [{ name: 'fell-silent', wallMs: epochMs + 6000 }],
    });
  });

  it('counts adverts of its own virtual router only', async () => {
    const { vantage, session } = await listening();
    await vantage.advert(nodeOne, 1, 100, 52);
    await vantage.writes('');
    await vantage.pulses(3.5);
    expect(await reported(session)).toBe('silent');
  });

  it('reports the master from a capture on all interfaces', async () => {
    const { vantage, session } = await listening({ interface: 'any' });
    for (const atS of [1, 2, 3, 4]) {
      vantage.passes(atS);
      await vantage.writes(advertLine(atS, 'eth0  M   '));
    }
    expect(await reported(session)).toBe('master');
  });

  it.each([
    ['an unknown format', (atS: number) => advertLine(atS, '<eth0> mcast ')],
    ['a truncated advert', (atS: number) => `${stamp(atS)} IP ${nodeOne} > 224.0.0.18: VRRPv2 [|vrrp]`],
    ['anything else', () => 'total nonsense'],
  ])('is unknown, and not silent, after %s, and reports the line', async (_what, line) => {
    const { vantage, session } = await listening();
    for (const atS of [1, 2, 3, 4]) {
      await vantage.pulses(atS);
      await vantage.writes(line(atS));
    }
    const text = line(4);
    expect(await observe(session)).toEqual({
      status: 'unknown',
      message: `cannot parse a line of the capture, which may be an advert: ${text}`,
    });
    // Three intervals later, all captured lines are parsed adverts.
    for (const atS of [5, 6, 7.1]) await vantage.pulses(atS);
    expect(await reported(session)).toBe('silent');
  });

  it('does not report that a master fell silent while its adverts cannot be parsed', async () => {
    const { vantage, session } = await listening();
    await vantage.advert(nodeOne, 1);
    for (const atS of [2, 3, 4]) {
      vantage.passes(atS);
      await vantage.writes(advertLine(atS, 'vlan 5, p 0, '));
    }
    await vantage.pulses(4.5);
    expect(await observe(session)).toMatchObject({ status: 'unknown' });
    await vantage.advert(nodeOne, 5);
    expect(await observe(session)).toEqual({ status: 'ok', value: 'master', marks: [] });
  });

  it('ignores an unparsed line with another source', async () => {
    const { vantage, session } = await listening();
    vantage.passes(3);
    await vantage.writes(`${stamp(3)} IP ${nodeTwo} > 224.0.0.18: VRRPv1, unknown type (3)`);
    await vantage.pulses(3.5);
    expect(await reported(session)).toBe('silent');
  });

  it('reports a dead master on a host whose `date` has whole seconds only (busybox)', async () => {
    const vantage = new Vantage();
    const session = await open(vantage);
    await vantage.listens();
    const pulses = async (atS: number) => {
      vantage.passes(atS);
      await vantage.writes(`${Math.floor(epochMs / 1000 + atS)}.%N`);
    };
    await pulses(0.6);
    for (const atS of [0.9, 1.9, 2.9]) await vantage.advert(nodeOne, atS);
    for (const atS of [3.1, 3.6, 4.1, 4.6, 5.1]) await pulses(atS);
    expect(await reported(session)).toBe('master');
    for (const atS of [5.6, 6.1]) await pulses(atS);
    expect(await observe(session)).toMatchObject({
      value: 'silent',
      marks: [{ name: 'fell-silent', wallMs: epochMs + 3900 }],
    });
    await session.close();
  });

  it('listens for three intervals before it reports silent, also with whole seconds only', async () => {
    const vantage = new Vantage();
    const session = await open(vantage);
    await vantage.listens();
    // The capture started at 0.9 s at the latest. The time in that heartbeat is 0.
    for (const atS of [0.9, 1.9, 2.9, 3.8]) {
      vantage.passes(atS);
      await vantage.writes(`${Math.floor(epochMs / 1000 + atS)}`);
    }
    expect(await reported(session)).toBe('unknown');
    await session.close();
  });

  it('does not count time before it listened, with whole seconds only', async () => {
    const vantage = new Vantage();
    const session = await open(vantage, { advertInterval: '900ms' });
    await vantage.listens();
    const pulses = async (...moments: number[]) => {
      for (const atS of moments) {
        vantage.passes(atS);
        await vantage.writes(`${Math.floor(epochMs / 1000 + atS)}`);
      }
    };
    // From 0.9 s to 3.1 s: less than three intervals, although the timestamps differ by 3 s.
    await pulses(0.9, 1.9, 2.9, 3.1);
    const later = await open(vantage, { advertInterval: '900ms', address: nodeTwo });
    expect(await reported(session)).toBe('unknown');
    await pulses(4.1);
    expect(await reported(session)).toBe('silent');
    await pulses(5.1, 6.1);
    expect(await reported(later)).toBe('unknown');
    await pulses(7.1);
    expect(await reported(later)).toBe('silent');
    await session.close();
    await later.close();
  });

  it('is unknown while the capture sends no heartbeat', async () => {
    const { vantage, session } = await listening();
    await vantage.advert(nodeOne, 1);
    vantage.passes(3.4);
    expect(await reported(session)).toBe('master');
    vantage.passes(3.6);
    expect(await observe(session)).toEqual({
      status: 'unknown',
      message: 'the capture on vantage sent no heartbeat for 2.5 s',
    });
    // The packets captured meanwhile arrive late and in a burst: no node fell silent.
    vantage.passes(9);
    for (const atS of [2, 3, 4, 5, 6, 7, 8]) await vantage.writes(advertLine(atS), stamp(atS + 0.5));
    expect(await observe(session)).toEqual({ status: 'ok', value: 'master', marks: [] });
  });

  it('handles a step of the vantage’s clock', async () => {
    const { vantage, session } = await listening();
    await vantage.advert(nodeOne, 1);
    // 10 s pass on the vantage's clock, and 0.5 s on the run clock.
    vantage.passes(1.5);
    await vantage.writes(stamp(11.5));
    expect(await reported(session)).toBe('unknown');
  });

  it('restarts a broken capture, and is unknown in between', async () => {
    const { vantage, session } = await listening();
    await vantage.advert(nodeOne, 1);
    expect(await reported(session)).toBe('master');
    vantage.stream.end(new DrillError('host-unreachable', 'vantage: cannot access container lab-vantage'));
    expect(await observe(session)).toEqual({
      status: 'unknown',
      message: 'the capture on vantage is not running: vantage: cannot access container lab-vantage',
    });
    expect(vantage.streams).toHaveLength(1);
    vantage.passes(2.1);
    await expect.poll(() => vantage.streams.length).toBe(2);
    await vantage.writes('tcpdump: eth0: That device is not up');
    vantage.stream.end({ exitCode: 1, stderr: '' });
    await expect
      .poll(() => observe(session))
      .toMatchObject({
        message: expect.stringContaining('exit code 1: tcpdump: eth0: That device is not up') as string,
      });
    vantage.passes(3.2);
    await expect.poll(() => vantage.streams.length).toBe(3);
    await vantage.listens();
    await vantage.pulses(3.5);
    await vantage.advert(nodeOne, 4);
    // It was master before the break, so this is not a change.
    expect(await observe(session)).toEqual({ status: 'ok', value: 'master', marks: [] });
  });

  it('refuses to open without tcpdump, a host, or an address', async () => {
    const bare = new Vantage(() => ({ exitCode: 127, stderr: 'sh: tcpdump: not found' }));
    await expect(open(bare)).rejects.toMatchObject({
      code: 'invalid-input',
      message: 'vantage has no tcpdump, which captures VRRP adverts',
      hint: expect.stringContaining('Install tcpdump on vantage') as string,
    });
    const fields = { interface: 'eth0', virtualRouterId: 51, address: nodeOne };
    await expect(openProbe(vrrp, fields)).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(open(new Vantage(), { address: '${address}' })).rejects.toThrow(
      'address: "${address}" is not an IPv4 address',
    );
  });

  it('opens although the vantage is unreachable', async () => {
    const away = new Vantage(() => {
      throw new DrillError('host-unreachable', 'vantage: not running');
    });
    const session = await open(away);
    away.stream.end(new DrillError('host-unreachable', 'vantage: not running'));
    expect(await reported(session)).toBe('unknown');
    await session.close();
  });
});

function advertLine(atS: number, columns = ''): string {
  return `${stamp(atS)} ${columns}IP ${nodeOne} > 224.0.0.18: VRRPv2, Advertisement, vrid 51, prio 100, authtype none, intvl 1s, length 20`;
}
