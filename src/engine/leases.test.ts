import { describe, expect, test } from 'vitest';
import type { DrillEvent, NewEvent } from '../core/event.ts';
import type { ExecResult, Host } from '../core/host.ts';
import { runMs } from '../core/time.ts';
import { faultKind } from '../faults/catalog.ts';
import { faultContext } from '../faults/testing/fault-context.ts';
import { unkindHost } from '../extension/conformance/disturbance.ts';
import { scriptedHost } from '../faults/testing/scripted-host.ts';
import { neverFollowed } from '../hosts/testing/never-followed.ts';
import { armLease, endLease, renewLeases, leaseFor } from './leases.ts';
import { simulatedClock } from './testing/simulated-clock.ts';
import { undoRecord } from './testing/undo-record.ts';

/** A log that collects its events. */
function logged() {
  const events: NewEvent[] = [];
  return {
    events,
    append(event: NewEvent): DrillEvent {
      events.push(event);
      return { ...event, t: runMs(0) };
    },
  };
}

const record = undoRecord({ lease: { tag: 'ab12cd34', ms: 60 } });

describe('the lease of a fault', () => {
  test('needs a host with systemd, and a fault with an `undo` script', async () => {
    const systemd = () => faultContext(scriptedHost(() => ({})));
    const without = faultContext(scriptedHost((argv) => ({ exitCode: argv[0] === 'test' ? 1 : 0 })));
    await expect(leaseFor(systemd(), 'rm /x', 30_000)).resolves.toMatchObject({ ms: 30_000 });
    await expect(leaseFor(systemd(), undefined, 30_000)).resolves.toBeUndefined();
    await expect(leaseFor(systemd(), 'rm /x', undefined)).resolves.toBeUndefined();
    await expect(leaseFor(without, 'rm /x', 30_000)).resolves.toBeUndefined();
  });

  test('is for root on this machine: a user of the group docker may start a container, and not create a timer', async () => {
    const here = (uid: string) =>
      faultContext({
        ...scriptedHost((argv) => (argv[0] === 'id' ? { stdout: `${uid}\n` } : {})),
        isThisMachine: true as const,
      });
    await expect(leaseFor(here('0'), 'rm /x', 30_000)).resolves.toMatchObject({ ms: 30_000 });
    await expect(leaseFor(here('1000'), 'rm /x', 30_000)).resolves.toBeUndefined();
  });

  test('is armed with the undo of the record', async () => {
    const host = scriptedHost(() => ({}));
    expect(await armLease(faultContext(host), record)).toBe(60);
    expect(host.commands).toEqual([
      expect.stringMatching(
        /^systemd-run --quiet --unit=firedrill-ab12cd34-1 --on-active=60ms .* \/bin\/sh -c \(\nrm \/x\n\)/,
      ),
    ]);
  });

  test('stops its timer, and fails if the timer stays', async () => {
    const gone = scriptedHost((argv) => (argv[1] === 'list-units' ? { stdout: '' } : {}));
    await endLease(faultContext(gone), record);
    expect(gone.commands[0]).toBe('systemctl stop firedrill-ab12cd34-*.timer');
    const stays = scriptedHost((argv) =>
      argv[1] === 'list-units' ? { stdout: 'firedrill-ab12cd34-1.timer loaded' } : {},
    );
    await expect(endLease(faultContext(stays), record)).rejects.toMatchObject({
      message: 'alpha: cannot stop the auto-revert timer firedrill-ab12cd34: it is still armed',
    });
  });
});

describe('the renewal of leases', () => {
  /** A host that answers renewals with `answer`, and records them. */
  function renewable(answer: () => Partial<ExecResult>) {
    const renewals: string[] = [];
    let wake = (): void => {};
    const host: Host = {
      name: 'alpha',
      transport: 'fake',
      follow: neverFollowed,
      exec: async (argv) => {
        renewals.push(argv.join(' '));
        wake();
        return { exitCode: 0, stdout: '', stderr: '', ...answer() };
      },
    };
    const reached = (count: number): Promise<void> =>
      new Promise((resolve) => {
        wake = () => (renewals.length >= count ? resolve() : undefined);
        wake();
      });
    return { host, renewals, reached };
  }

  const keep = (host: Host, log = logged(), clock = simulatedClock()) =>
    renewLeases({
      clock,
      log,
      open: [{ record, kind: faultKind('command')!, sinceMs: runMs(0) }],
      accessTo: () => ({ host, server: undefined }),
    });

  test('repeats until it is stopped', async () => {
    const { host, renewals, reached } = renewable(() => ({}));
    const log = logged();
    const clock = simulatedClock();
    const renewer = keep(host, log, clock);
    await reached(3);
    await renewer.stop();
    const count = renewals.length;
    const untilMs = log.events.map((event) => (event.type === 'lease.renewed' ? event.untilMs : NaN));
    expect(untilMs.length).toBeGreaterThanOrEqual(2);
    expect(untilMs).toEqual([...untilMs].sort((a, b) => a - b));
    // Counted from the request, not from the answer.
    expect(untilMs.at(-1)).toBeLessThanOrEqual(clock.nowMs() + 60);
    const made = renewals.map((command) => /--unit=(\S+)/.exec(command)?.[1]);
    expect(made.slice(0, 3)).toEqual([2, 3, 4].map((n) => `firedrill-ab12cd34-${n}`));
    await clock.sleep(10_000, new AbortController().signal);
    expect(renewals).toHaveLength(count);
  });

  test('reports a defect, because the other leases would not be renewed either', async () => {
    const broken = Promise.withResolvers<unknown>();
    const defect = new TypeError('a defect');
    const renewer = renewLeases({
      clock: simulatedClock(),
      log: logged(),
      open: {
        [Symbol.iterator]: () => {
          throw defect;
        },
      } as unknown as [],
      accessTo: () => {
        throw new Error('called');
      },
      onBroken: broken.resolve,
    });
    expect(await broken.promise).toBe(defect);
    await renewer.stop();
  });

  test('logs once that a lease cannot be renewed, and goes on', async () => {
    const { host, reached } = renewable(() => ({ exitCode: 5, stderr: 'Unit not found' }));
    const log = logged();
    const renewer = keep(host, log);
    await reached(3);
    await renewer.stop();
    expect(log.events).toEqual([
      {
        type: 'log',
        level: 'warn',
        text: 'cut: its lease of 60 ms is not renewed, so alpha may undo the fault: alpha: cannot renew the auto-revert timer firedrill-ab12cd34: Unit not found',
      },
    ]);
  });

  test('gives each attempt its own timer, because an attempt with a lost answer may have created one', async () => {
    const { host, renewals, reached } = renewable(() => ({}));
    const log = logged();
    const renewer = keep(
      unkindHost(host, (attempt) => (attempt < 2 ? 'lost after' : undefined)),
      log,
    );
    await reached(4);
    await renewer.stop();
    const made = renewals.map((command) => /--unit=(\S+)/.exec(command)?.[1]);
    expect(new Set(made).size).toBe(made.length);
    const types = log.events.map(({ type }) => type);
    expect(types.slice(0, 2)).toEqual(['log', 'lease.renewed']);
  });

  test('stops for a fault whose lease was released', async () => {
    const { host, renewals, reached } = renewable(() => ({}));
    const clock = simulatedClock();
    const renewer = keep(host, logged(), clock);
    await reached(1);
    await renewer.release('cut');
    const count = renewals.length;
    await clock.sleep(10_000, new AbortController().signal);
    expect(renewals).toHaveLength(count);
    await renewer.stop();
  });
});
