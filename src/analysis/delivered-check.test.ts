import { describe, expect, test } from 'vitest';
import type { Check } from '../core/plan.ts';
import { summarize } from './summarize.ts';
import { announce, type FailoverVariant, type Notices, truth, vipFailover } from './testing/vip-failover.ts';

const check: Check = {
  kind: 'delivered',
  name: 'told',
  changes: { probe: 'keepalived', marks: ['state'] },
  deliveries: { probe: 'webhook', marks: ['delivery'] },
  withinMs: 5000,
};

const changes: Notices = [
  ['node-1', 'FAULT', 10_100],
  ['node-2', 'MASTER', 13_700],
  ['node-1', 'BACKUP', 41_000],
  ['node-1', 'MASTER', 44_600],
  ['node-2', 'BACKUP', 44_601],
];
const reported = (list: Notices, byMs = 200): Notices =>
  list.map(([host, what, ms]) => [host, what, ms + byMs]);

function run(
  changed: Notices,
  delivered: Notices,
  variant: FailoverVariant & { readonly deliveredWithinMs?: number } = {},
) {
  const { deliveredWithinMs, ...rest } = variant;
  const drill = vipFailover({ ...rest, checks: [check] });
  const builder = announce(drill, changed, delivered, deliveredWithinMs);
  const summary = summarize(builder.read());
  const [result] = summary.checks;
  if (result === undefined) throw new Error('no check was judged');
  return { ...result, reasons: summary.reasons };
}

describe('changes that are announced', () => {
  test('pass when each is delivered once, in order, in time', () => {
    expect(run(changes, reported(changes))).toMatchObject({
      status: 'pass',
      limit: 'each once, in order, within 5 s',
      observed: '5 changes, each delivered once, the slowest after 200 ms',
      measured: { ms: 200, minMs: 200, maxMs: 200 },
      reasons: [],
    });
  });

  test('are in order per host; the order between hosts does not matter', () => {
    // Node-2's change is delivered before node-1's, although it happened later.
    const delivered: Notices = [
      ['node-2', 'MASTER', 13_800],
      ['node-1', 'FAULT', 14_000],
    ];
    expect(run(changes.slice(0, 2), delivered).status).toBe('pass');
  });

  test('may be stamped slightly later than their delivery by another clock', () => {
    expect(run(changes, reported(changes, -400))).toMatchObject({
      status: 'pass',
      observed: expect.stringContaining('the slowest after 0 ms'),
    });
  });

  test('before the fault are not judged', () => {
    const early: Notices = [
      ['node-1', 'MASTER', 2000],
      ['node-2', 'BACKUP', 2500],
    ];
    // One change is not delivered, one is delivered twice.
    const delivered: Notices = [['node-1', 'MASTER', 2200], ['node-1', 'MASTER', 2300], ...reported(changes)];
    expect(run([...early, ...changes], delivered)).toMatchObject({
      status: 'pass',
      observed: expect.stringMatching(/^5 changes/),
    });
  });
});

describe('an announcement', () => {
  const flapping: Notices = [
    ['node-2', 'MASTER', 13_000],
    ['node-2', 'BACKUP', 15_000],
    ['node-2', 'MASTER', 17_000],
  ];

  test.each<[string, Notices, string]>([
    [
      'that is missing',
      reported(changes.filter(([, what]) => what !== 'FAULT')),
      'FAULT of node-1, 25 ms after the fault, was not delivered within 5 s',
    ],
    [
      'that is repeated',
      [...reported(changes), ['node-2', 'MASTER', 20_000]],
      'MASTER of node-2, 3.63 s after the fault, was delivered again 9.93 s after the fault',
    ],
    [
      'out of order',
      [
        ...reported(changes.slice(0, 2)),
        ['node-2', 'BACKUP', 44_700],
        ['node-1', 'MASTER', 44_700],
        ['node-1', 'BACKUP', 44_900],
      ],
      'BACKUP of node-1, 30.93 s after the fault, was delivered after MASTER, which happened later',
    ],
    [
      'too late',
      [...reported(changes.slice(1)), ['node-1', 'FAULT', 16_000]],
      'FAULT of node-1, 25 ms after the fault, was delivered 5.90 s later, not within 5 s',
    ],
    [
      'of nothing',
      [...reported(changes), ['node-2', 'FAULT', 30_000]],
      'FAULT of node-2 was delivered 19.93 s after the fault without a matching change',
    ],
  ])('%s fails the check and is named', (_what, delivered, words) => {
    const result = run(changes, delivered);
    expect(result.status).toBe('fail');
    expect(result.reasons[0]).toBe(`told: ${words}`);
    expect(result.observed).toBe(`5 changes: ${words}`);
  });

  test('that is missing is not matched with the next one of the same kind', () => {
    expect(run(flapping, reported(flapping.slice(1))).reasons).toEqual([
      expect.stringMatching(
        /^told: MASTER of node-2, 2\.9\d s after the fault, was not delivered within 5 s$/,
      ),
    ]);
  });

  test('that is repeated is not matched with the next change of the same kind', () => {
    const [reason] = run(flapping, [...reported(flapping.slice(0, 2)), ['node-2', 'MASTER', 13_300]]).reasons;
    expect(reason).toMatch(
      /MASTER of node-2, 2\.9\d s after the fault, was delivered again 3\.2\d s after the fault/,
    );
    expect(reason).toMatch(/MASTER of node-2, 6\.9\d s after the fault, was not delivered within 5 s/);
  });

  test('is matched with the change that gives the shortest latencies', () => {
    const twice: Notices = [
      ['node-2', 'FAULT', 13_000],
      ['node-2', 'FAULT', 17_000],
    ];
    expect(run(twice, reported(twice.slice(1))).reasons).toEqual([
      expect.stringMatching(
        /^told: FAULT of node-2, 2\.9\d s after the fault, was not delivered within 5 s$/,
      ),
    ]);
  });

  test('that is late is late, not out of order', () => {
    const { reasons } = run(flapping, reported(flapping, 8000));
    expect(reasons[0]?.match(/8\.00 s later, not within 5 s/g)).toHaveLength(3);
  });

  test('whose time has bounds passes, fails, or is inconclusive by them', () => {
    const late = (byMs: number) => run(changes, reported(changes, byMs), { deliveredWithinMs: 700 });
    expect(late(4000)).toMatchObject({
      status: 'pass',
      measured: { ms: 4000, minMs: 3300, maxMs: 4700 },
    });
    expect(late(4500)).toMatchObject({
      status: 'inconclusive',
      observed: expect.stringContaining('between 3.80 s and 5.20 s later') as string,
    });
    expect(late(6000)).toMatchObject({ status: 'fail' });
  });

  test('of a change near the end that is not due yet is inconclusive', () => {
    const last: Notices = [...changes, ['node-1', 'FAULT', 57_000]];
    const result = run(last, reported(changes));
    expect(result.status).toBe('inconclusive');
    // The last sample of deliveries is sent at 59.5 s.
    expect(result.reasons[0]).toBe(
      'told: FAULT of node-1, 46.92 s after the fault, was not delivered before the last successful sample of deliveries, 2.50 s later',
    );
    // A delivery that was due by then is missing.
    expect(run([...changes, ['node-1', 'FAULT', 54_000]], reported(changes)).status).toBe('fail');
    // A failure takes precedence.
    expect(run(last, reported(changes.slice(1))).status).toBe('fail');
  });

  test('of a change that may be missing from the log is inconclusive', () => {
    const blind = [[30_000, 60_000]] as const;
    const result = run(changes.slice(0, 2), reported(changes), { blind });
    expect(result.status).toBe('fail'); // node-2 was read, and did not become BACKUP
    const others = changes.filter(([host, , ms]) => host === 'node-1' || ms < 20_000);
    const undecided = run(changes.slice(0, 2), reported(others), { blind });
    expect(undecided.status).toBe('inconclusive');
    expect(undecided.reasons[0]).toContain(
      'BACKUP of node-1 was delivered 31.13 s after the fault, while keepalived had no successful sample',
    );
  });
});

describe('without data, the check', () => {
  test('is inconclusive: no fault, no change, a probe that stops, a run that is cut short', () => {
    expect(run(changes, reported(changes), { cutAtMs: 9000 }).observed).toBe(
      'not measured: no fault took effect',
    );
    expect(run([], [])).toMatchObject({ status: 'inconclusive', observed: 'no change observed' });
    const blind = [[30_000, 60_000]] as const;
    const silent = run(changes.slice(0, 2), reported(changes.slice(0, 2)), { blind });
    expect(silent).toMatchObject({ status: 'inconclusive' });
    expect(silent.reasons[0]).toBe('told: keepalived@node-1 had no successful sample at the end of the run');
    expect(run(changes.slice(0, 2), reported(changes.slice(0, 2)), { cutAtMs: 30_000 }).status).toBe(
      'inconclusive',
    );
    expect(truth.endMs).toBe(60_000);
  });

  test('the reason names three findings and counts the others', () => {
    const many = Array.from({ length: 8 }, (_, i): Notices[number] => ['node-2', `S${i}`, 15_000 + 1000 * i]);
    expect(run(many, []).observed).toMatch(/^8 changes: S0 of .*; S1 of .*; S2 of .*; 5 more$/);
  });
});
