import { describe, expect, test } from 'vitest';
import { analyseRecovery } from './rto.ts';
import { summarize } from './summarize.ts';
import { type Answer, LogBuilder, planWith, probeOf, seeded } from './testing/log-builder.ts';
import { type Outage, type OutageKind, simulatedTarget } from './testing/simulated-target.ts';
import type { Check, PlannedProbe } from '../core/plan.ts';

const kill = { id: 'fault-1', kind: 'process.kill', on: { host: 'node-1' }, atMs: 0, params: {} };
const stableForMs = 5000;

function drill(probe: Partial<PlannedProbe>, checks: readonly Check[] = []): LogBuilder {
  const recovery = { probe: 'health', withinMs: 60_000, stableForMs };
  return new LogBuilder(planWith({ probes: [probeOf('health', probe)], faults: [kill], recovery, checks }));
}

const rtoAtMost = (maxMs: number): Check => ({ kind: 'rto', name: 'rto', maxMs });
const good = (ms: number): Answer => ({ status: 'ok', finishMs: ms + 5 });
const refused = (ms: number): Answer => ({ status: 'fail', cause: 'refused', finishMs: ms + 3 });

/** The fault acts at 5 s. The probe has an interval of 1 s, and is half a second later from then on. */
function onceASecond(checks: readonly Check[], answer: (sendMs: number) => Answer): LogBuilder {
  return drill({}, checks)
    .probing('health', 0, 5000, 1000, good)
    .fault(5000, { healedMs: 20_001 })
    .probing('health', 5500, 30_000, 1000, answer)
    .at(20_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(30_000, { type: 'run.ended' });
}

describe('the bounds of the RTO', () => {
  test('end soon after stableFor if samples of a time without changes are not stored', () => {
    // The last stored sample is sent at 25.0 s, within stableFor of the effect.
    const log = drill({ intervalMs: 1300 }, [rtoAtMost(12_000)])
      .probing('health', 300, 240_000, 1300, good)
      .fault(20_000, { healedMs: 200_001 })
      .at(200_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
      .at(240_000, { type: 'run.ended' })
      .read();
    expect(log.series.get('health')?.samples.some((s) => (s.leftOut?.count ?? 0) > 20)).toBe(true);
    const { rto, checks } = summarize(log);
    expect(rto?.maxMs).toBeLessThan(12_000);
    expect(checks[0]?.status).toBe('pass');
  });

  test('extend to the answer of the last sample that is not stored', () => {
    // The samples before 54 s are left out; they are answered after 60 ms, all later ones after 5 ms. An outage may have begun
    // after the sample of 53.1 s, and the next one, sent at 53.55 s, is answered at 53.61 s.
    const plan = planWith({
      probes: [probeOf('health', { intervalMs: 450 })],
      faults: [kill],
      recovery: { probe: 'health', withinMs: 60_000, stableForMs, until: 'redundancy' },
    });
    const log = new LogBuilder(plan)
      .probing('health', 0, 70_000, 450, (ms) => {
        if (ms >= 20_250 && ms < 21_600) return refused(ms);
        return { status: 'ok', finishMs: ms + (ms < 54_000 ? 60 : 5) };
      })
      .fault(20_000)
      .at(60_000, { type: 'gate', gate: 'redundancy', state: 'met', unmet: [] })
      .at(60_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
      .at(70_000, { type: 'run.ended' })
      .read();
    const last = log.series.get('health')?.samples.findLast((s) => s.leftOut !== undefined)?.leftOut;
    expect(last).toMatchObject({ lastSendMs: 53_550, widestMs: 510 });
    expect(analyseRecovery(log)?.rto?.maxMs).toBeGreaterThanOrEqual(53_610 - 20_000);
  });

  test('contain the truth after a slow first answer', () => {
    // Up since 7.6 s; the first answer takes 200 ms.
    const log = onceASecond([rtoAtMost(3000)], (ms) => {
      if (ms < 7600) return refused(ms);
      return { status: 'ok', finishMs: ms + (ms === 8500 ? 200 : 5) };
    });
    const summary = summarize(log.read());
    expect(summary.rto?.minMs).toBeLessThanOrEqual(2600);
    expect(summary.rto?.maxMs).toBeGreaterThanOrEqual(2600);
    expect(summary.checks[0]?.status).toBe('inconclusive');
  });

  test('include an outage that fits between two samples after the recovery', () => {
    // Refused at 5.5 s; down again from 7.6 to 8.45 s, between two samples.
    const log = onceASecond([rtoAtMost(2600)], (ms) => (ms < 6000 ? refused(ms) : good(ms)));
    const summary = summarize(log.read());
    expect(summary.rto?.maxMs).toBeGreaterThanOrEqual(3450);
    expect(summary.rto?.ms).toBeLessThan(1100);
    expect(summary.checks[0]?.status).toBe('inconclusive');
    expect(summary.reasons[0]).toMatch(
      /in the 5 s after the recovery, another outage .*up to 1.00 s apart; a probe interval of 495 ms or less decides it/,
    );
  });

  test('include an outage that fits between two samples while the fault lasts', () => {
    // Refused at 5.0 s; no sample for 3 s from 20 s on. The fault lasts until 35 s.
    const recovery = { probe: 'health', withinMs: 60_000, stableForMs };
    const faults = [{ ...kill, kind: 'service.stop', forMs: 30_000 }];
    const log = new LogBuilder(
      planWith({ probes: [probeOf('health')], faults, recovery, checks: [rtoAtMost(2600)] }),
    )
      .probing('health', 0, 20_000, 200, (ms) => (ms >= 5000 && ms < 6000 ? refused(ms) : good(ms)))
      .probing('health', 23_000, 50_000, 200, good)
      .fault(5000, { kind: 'service.stop', healedMs: 35_000 })
      .at(41_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
      .at(50_000, { type: 'run.ended' });
    const summary = summarize(log.read());
    expect(summary.rto?.maxMs).toBe(18_005);
    expect(summary.rto?.ms).toBeLessThan(1100);
    expect(summary.checks[0]?.status).toBe('inconclusive');
    expect(summary.reasons[0]).toMatch(
      /in the 5 s after the recovery or while a fault was active, another outage fits/,
    );
  });

  test('do not include a gap that is too short for an outage', () => {
    const log = drill({ intervalMs: 200 })
      .probing('health', 0, 30_000, 200, (ms) => (ms >= 5000 && ms < 6000 ? refused(ms) : good(ms)))
      .fault(5000)
      .read();
    expect(analyseRecovery(log)?.rto).toMatchObject({ maxMs: 1005 });
  });

  test('include an outage that fits into a stall of the prober, however short its interval is', () => {
    const log = drill({ intervalMs: 100 }).fault(5000);
    for (let ms = 0; ms < 30_000; ms += 100) {
      const isStill = ms > 7100 && ms < 7500;
      if (!isStill) log.sample('health', ms / 100, ms, ms >= 5000 && ms < 6000 ? refused(ms) : good(ms));
    }
    expect(analyseRecovery(log.read())?.rto?.maxMs).toBe(2505);
  });

  test('include slow answers after lost packets that were resent', () => {
    // Packets are lost from 5.005 to 5.955 s; these requests are answered 1 s after they were sent.
    const checks: Check[] = [{ kind: 'downtime', name: 'downtime', maxMs: 300 }, rtoAtMost(3000)];
    const log = drill({ intervalMs: 200, timeoutMs: 3000 }, checks)
      .probing('health', 0, 5000, 200, good)
      .fault(5000, { healedMs: 20_001 })
      .probing('health', 5020, 30_000, 200, (ms) => ({
        status: 'ok',
        finishMs: ms + (ms < 5955 ? 1005 : 5),
      }))
      .at(20_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
      .at(30_000, { type: 'run.ended' });
    const summary = summarize(log.read());
    expect(summary.downtime).toMatchObject({ ms: 0, minMs: 0, windows: 0 });
    expect(summary.downtime?.maxMs).toBeGreaterThanOrEqual(950);
    expect(summary.rto?.maxMs).toBeGreaterThanOrEqual(955);
    expect(summary.checks.map((c) => c.status)).toEqual(['inconclusive', 'pass']);
    expect(summary.reasons[0]).toContain('1.02 s of it is slow answers');
  });

  test('include samples that were sent before a refusal and answered after it', () => {
    // Packets are lost from 4.95 s, refusals from 5.3 to 5.95 s: down for 1 s.
    const checks: Check[] = [{ kind: 'downtime', name: 'downtime', minMs: 850 }];
    const log = drill({ intervalMs: 200, timeoutMs: 3000 }, checks)
      .probing('health', 0, 30_000, 200, (ms) => {
        if (ms >= 5000 && ms < 5300) return { status: 'ok', finishMs: ms + 1005 };
        return ms >= 5300 && ms < 5950 ? refused(ms) : good(ms);
      })
      .fault(4900, { healedMs: 20_001 })
      .at(20_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
      .at(30_000, { type: 'run.ended' });
    const summary = summarize(log.read());
    expect(summary.downtime?.maxMs).toBeGreaterThanOrEqual(1000);
    expect(summary.checks[0]?.status).not.toBe('fail');
  });

  test.each([
    [5030, 'held by its bounds alone'],
    [4970, 'did not hold'],
  ])('include both cases if the service was up for %i ms before the next outage', (upMs) => {
    const log = drill({ intervalMs: 200 })
      .probing('health', 0, 40_000, 200, (ms) => {
        const isDown = (ms >= 10_050 && ms < 12_050) || (ms >= 12_050 + upMs && ms < 20_000);
        return isDown ? refused(ms) : good(ms);
      })
      .fault(10_000)
      .read();
    const { rto } = analyseRecovery(log) ?? {};
    expect(rto?.minMs).toBeLessThanOrEqual(2050 - 150);
    expect(rto?.maxMs).toBeGreaterThanOrEqual(10_000);
  });
});

describe('against simulated truth', () => {
  const timeoutMs = 900;
  const intervalMs = 100;
  const maxLatencyMs = 20;
  const kinds: readonly OutageKind[] = ['refused', 'hang', 'drop', 'stall'];

  /** Outages at distances near `stableFor`, each long enough for a sample. The first answers after an outage are slow. */
  function simulate(seed: number) {
    const random = seeded(seed);
    const outages: Outage[] = [];
    let nowMs = 20_000 + random() * 1000;
    const effectMs = nowMs;
    for (let count = 1 + Math.floor(random() * 4); count > 0; count--) {
      const toMs = nowMs + 300 + random() * 3000;
      outages.push({ fromMs: nowMs, toMs, kind: kinds[Math.floor(random() * kinds.length)]! });
      nowMs = toMs + stableForMs + (random() - 0.5) * 600;
    }
    const answer = simulatedTarget(outages, { random, maxLatencyMs, timeoutMs });
    const isCold = random() < 0.5;
    const coldMs = 150 + random() * 300;
    const log = drill({ intervalMs, timeoutMs })
      .fault(effectMs - 50)
      .probing('health', random() * intervalMs, nowMs + 10_000, intervalMs, (ms) => {
        const said = answer(ms);
        const isFirst = outages.some((o) => ms > o.toMs && ms < o.toMs + intervalMs);
        return isCold && isFirst && said.status === 'ok'
          ? { ...said, finishMs: said.finishMs + coldMs }
          : said;
      });
    const held = outages.find((o, i) => (outages[i + 1]?.fromMs ?? Infinity) - o.toMs >= stableForMs);
    return { log: log.read(), rtoMs: (held?.toMs ?? NaN) - effectMs, outages };
  }

  test('the bounds contain the RTO', () => {
    for (let seed = 1; seed <= 120; seed++) {
      const { log, rtoMs, outages } = simulate(seed * 7919);
      const { rto = null, effect } = analyseRecovery(log) ?? {};
      const reported = `seed ${seed}: truth ${rtoMs}, measured ${JSON.stringify(rto)}, ${JSON.stringify(outages)}`;
      expect(effect, reported).toBeDefined();
      expect(rto, reported).not.toBeNull();
      expect(rto!.minMs, reported).toBeLessThanOrEqual(rtoMs + 0.01);
      expect(rto!.maxMs, reported).toBeGreaterThanOrEqual(rtoMs - 0.01);
    }
  });
});
