import { describe, expect, test } from 'vitest';
import type { OwnershipSide } from '../core/summary.ts';
import { summarize } from './summarize.ts';
import { seeded } from './testing/log-builder.ts';
import { type FailoverVariant, truth, vipFailover } from './testing/vip-failover.ts';

function sideOf(variant: FailoverVariant = {}, name = 'claimed'): OwnershipSide {
  const [vip] = summarize(vipFailover(variant).read()).ownership;
  const side = vip?.sides.find((s) => s.side === name);
  if (side === undefined) throw new Error(`no side ${name}`);
  return side;
}

const states = (side: OwnershipSide) => side.spans.map((s) => [s.owners, s.maybe]);

describe('the owners by one side', () => {
  test('are in stretches that touch, whose edges have bounds that contain the truth', () => {
    const { spans } = sideOf();
    expect(states({ spans } as OwnershipSide)).toEqual([
      [['node-1'], []],
      [[], []],
      [['node-2'], []],
    ]);
    const [before, gap, after] = spans;
    // Offsets count from the middle of the effect's bounds, 10 s to 10.15 s (or the first sample of it).
    const zeroMs = Date.parse(spans[1]!.startAt) - gap!.fromMs;
    const offset = (ms: number) => ms + Date.UTC(2026, 2, 1, 10) - zeroMs;
    expect(before).toMatchObject({ fromMs: offset(truth.steadyMs), endAt: gap?.startAt, toMs: gap?.fromMs });
    expect(gap!.fromMinMs).toBeLessThanOrEqual(offset(truth.effectMs));
    expect(gap!.fromMaxMs).toBeGreaterThanOrEqual(offset(truth.effectMs));
    expect(gap!.fromMaxMs - gap!.fromMinMs).toBeLessThan(220);
    expect(after!.fromMinMs).toBeLessThanOrEqual(offset(truth.takenMs));
    expect(after!.fromMaxMs).toBeGreaterThanOrEqual(offset(truth.takenMs));
    expect(after?.endAt).toBeNull();
  });

  test('have times without an owner, with bounds that contain their length', () => {
    const { none, multiple } = sideOf();
    expect(none).toHaveLength(1);
    expect(none[0]).toMatchObject({ certain: true });
    expect(none[0]!.minMs).toBeLessThanOrEqual(truth.takenMs - truth.effectMs);
    expect(none[0]!.maxMs).toBeGreaterThanOrEqual(truth.takenMs - truth.effectMs);
    expect(multiple).toEqual([]);
  });

  test('may be two hosts at once', () => {
    const { spans, multiple, none } = sideOf({
      claimed: [
        [0, 'node-1'],
        [13_700, 'node-1', 'node-2'],
        [30_000, 'node-2'],
      ],
    });
    expect(spans.map((s) => s.owners)).toEqual([['node-1'], ['node-1', 'node-2'], ['node-2']]);
    expect(multiple).toMatchObject([{ certain: true }]);
    expect(multiple[0]!.minMs).toBeLessThanOrEqual(16_300);
    expect(multiple[0]!.maxMs).toBeGreaterThanOrEqual(16_300);
    expect(none).toEqual([]);
  });

  test('have no invented gap or overlap between two samples', () => {
    // Handed over within one interval: both changes are between the same samples.
    const { spans, none, multiple } = sideOf({
      claimed: [
        [0, 'node-1'],
        [20_070, 'node-2'],
      ],
    });
    expect(spans.map((s) => s.owners)).toEqual([['node-1'], ['node-2']]);
    expect(spans[1]!.fromMaxMs - spans[1]!.fromMinMs).toBeLessThan(400);
    // Either may have been the owner for the unobserved time.
    expect(none).toMatchObject([{ certain: false, minMs: 0 }]);
    expect(multiple).toMatchObject([{ certain: false, minMs: 0 }]);
    expect(none[0]!.maxMs).toBeLessThan(400);
  });

  test('include a state of one sample', () => {
    const { spans } = sideOf({
      claimed: [[0, 'node-1'], [20_000], [20_100, 'node-1']],
    });
    expect(spans.map((s) => [s.owners, s.maybe])).toEqual([
      [['node-1'], []],
      [[], ['node-1']],
      [['node-1'], []],
    ]);
  });

  test('do not change by consecutive samples that disagree, however brief', () => {
    const claimed: [number, ...'node-1'[]][] = Array.from({ length: 8 }, (_, i) => [
      20_000 + 200 * i,
      ...(i % 2 === 0 ? [] : (['node-1'] as const)),
    ]);
    const { spans } = sideOf({ claimed: [[0, 'node-1'], ...claimed, [21_600]] });
    expect(spans.map((s) => [s.owners, s.maybe])).toEqual([
      [['node-1'], []],
      [[], ['node-1']],
      [[], []],
    ]);
    expect(spans[1]!.toMs - spans[1]!.fromMs).toBeGreaterThan(1500);
  });

  test('are unknown for a host without samples', () => {
    const blind = [[truth.effectMs, 45_000]] as const;
    const side = sideOf({ blind });
    expect(states(side)).toEqual([
      [['node-1'], []],
      [[], ['node-1']],
      [['node-2'], ['node-1']],
      [['node-2'], []],
    ]);
    // No owner or two owners: neither is certain, neither is ruled out.
    expect(side.none).toMatchObject([{ certain: false }]);
    expect(side.multiple).toMatchObject([{ certain: false }]);
    // The other side still has samples.
    expect(sideOf({ blind }, 'answered').none).toMatchObject([{ certain: true }]);
  });

  test('are unknown for a host that does not answer, and known for a refusal with `onFailure`', () => {
    const blind = [[truth.effectMs, 45_000]] as const;
    expect(sideOf({ blind, blindCause: 'timeout' }).none).toMatchObject([{ certain: false }]);
    expect(sideOf({ blind, blindCause: 'reset' }).none).toMatchObject([{ certain: false }]);
    expect(sideOf({ blind, blindCause: 'refused' }).none).toMatchObject([{ certain: true }]);
  });

  test('are known for a host whose power the drill had cut', () => {
    const blind = [[truth.effectMs, 45_000]] as const;
    const { none, multiple } = sideOf({ blind, kind: 'power.cut' });
    expect(none).toMatchObject([{ certain: true }]);
    expect(multiple).toEqual([]);
  });

  test('contain the truth for random changes', () => {
    const random = seeded(11);
    for (let round = 0; round < 40; round++) {
      const goneMs = 15_000 + random() * 5000;
      const takenMs = goneMs - 3000 + random() * 8000;
      const claimed: FailoverVariant['claimed'] =
        takenMs > goneMs
          ? [[0, 'node-1'], [goneMs], [takenMs, 'node-2']]
          : [
              [0, 'node-1'],
              [takenMs, 'node-1', 'node-2'],
              [goneMs, 'node-2'],
            ];
      const { none, multiple, spans } = sideOf({ claimed });
      const sum = (windows: OwnershipSide['none'], of: 'minMs' | 'maxMs') =>
        windows.reduce((total, w) => total + w[of], 0);
      const gapMs = Math.max(0, takenMs - goneMs);
      const bothMs = Math.max(0, goneMs - takenMs);
      expect(sum(none, 'minMs')).toBeLessThanOrEqual(gapMs);
      expect(sum(none, 'maxMs')).toBeGreaterThanOrEqual(gapMs);
      expect(sum(multiple, 'minMs')).toBeLessThanOrEqual(bothMs);
      expect(sum(multiple, 'maxMs')).toBeGreaterThanOrEqual(bothMs);
      for (const [i, span] of spans.entries()) {
        expect(span.fromMinMs).toBeLessThanOrEqual(span.fromMs);
        expect(span.fromMaxMs).toBeGreaterThanOrEqual(span.fromMs);
        expect(span.toMs).toBeGreaterThan(span.fromMs);
        expect(span.toMs).toBe(spans[i + 1]?.fromMs ?? span.toMs);
      }
    }
  });
});

describe('a run without a fault that took effect', () => {
  test('has the owners of the whole run', () => {
    const lines = vipFailover({ cutAtMs: 9000 });
    const summary = summarize(lines.read());
    expect(summary.ownership[0]?.sides[0]?.spans.at(-1)).toMatchObject({ owners: ['node-1'], endAt: null });
    expect(summary.ownership[0]?.sides[0]?.spans[0]?.fromMs).toBeGreaterThanOrEqual(0);
  });
});
