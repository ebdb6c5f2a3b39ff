import type { EventOf, EventType } from '../core/event.ts';
import type { FaultId, ProbeId } from '../core/ids.ts';
import type { Plan, PlannedProbe } from '../core/plan.ts';
import type { FaultEvent } from './fault-records.ts';
import { type KeptSample, RetentionWindows, retentionRadiusMs, SampleCompactor } from './kept-samples.ts';
import { HealthyLatency } from './latency-model.ts';
import { InvalidEvent } from './log-event.ts';
import type { ProbeSeries } from './run-log.ts';
import type { OtherEvent, SampleEvent } from './scan-log.ts';
import { SlotTracker } from './slots.ts';
import { earlier, type RunMs } from '../core/time.ts';

/** The samples of one probe, while they are read. */
interface OpenSeries {
  readonly compactor: SampleCompactor;
  readonly slots: SlotTracker;
  readonly dropped: { slot: number; dueMs: RunMs; paced: boolean }[];
}

/** Frequent events whose times do not matter: samples around them need not be stored. */
const nonTransitionEvents: ReadonlySet<string> = new Set<EventType>([
  'prober.health',
  'harness.cost',
  'clock.anchor',
  'clock.stepped',
  'control_probe.started',
  'control.started',
  'control.sample',
  'machine.pressure',
  'lease.renewed',
  'log',
  'mark',
  'sample.dropped',
  'row.written',
  'rows.read',
]);

/** Events of a preparation after which the target may behave differently. */
const actingTypes: ReadonlySet<string> = new Set<EventType>([
  'fault.issued',
  'fault.acked',
  'fault.outcome_unknown',
]);

/**
 * The samples of a run while its log is read. It decides from the plan and the other events which samples are
 * stored: memory grows with the number of changes and not with the number of samples. Times in ms.
 */
export class SampleSeries {
  readonly #plan: Plan;
  readonly #byProbe = new Map<ProbeId, OpenSeries>();
  /** One for all probes in a drill, one per probe in a watch. */
  readonly #retention: readonly RetentionWindows[];
  readonly #retentionRadiusMs: number;
  #settledMs: RunMs;
  /** Faults that are issued and whose effect is not confirmed yet. */
  readonly #acting = new Set<FaultId>();

  /** `probes`: those of the plan, or others that the log has samples of. */
  constructor(plan: Plan, startMs: RunMs, probes: readonly PlannedProbe[] = plan.probes) {
    this.#plan = plan;
    this.#retentionRadiusMs = retentionRadiusMs(plan);
    this.#settledMs = startMs;
    // In a drill, an event of one probe makes the samples of all others relevant. In a watch, probes are
    // independent.
    const isDrill = plan.faults.length + plan.checks.length + plan.stages.length > 0;
    const shared = new RetentionWindows(this.#retentionRadiusMs);
    this.#retention = isDrill ? [shared] : probes.map(() => new RetentionWindows(this.#retentionRadiusMs));
    this.keepAround(startMs);
    for (const [index, probe] of probes.entries()) {
      const healthy = new HealthyLatency(probe, plan.faults.length > 0);
      const compactor = new SampleCompactor(probe, healthy, this.#retention[index] ?? shared);
      this.#byProbe.set(probe.id, { compactor, slots: new SlotTracker(probe.timeoutMs), dropped: [] });
    }
  }

  /** Adds the next sample of the log. @throws InvalidEvent if its probe is not in the plan */
  add(sample: SampleEvent): void {
    const { compactor, slots } = this.#seriesOf(sample.probe);
    slots.note(sample.slot, sample.dueMs);
    compactor.add(sample);
  }

  /** Adds a slot that was not sent. @throws InvalidEvent if its probe is not in the plan */
  addDropped({ probe, slot, dueMs, reason }: EventOf<'sample.dropped'>): void {
    const { dropped, slots } = this.#seriesOf(probe);
    dropped.push({ slot, dueMs, paced: reason === 'pace' });
    slots.note(slot, dueMs);
  }

  /** Stores all samples around a time. */
  keepAround(fromMs: RunMs, toMs = fromMs): void {
    for (const retention of this.#retention) retention.mark(fromMs, toMs);
  }

  /** Notes what an event says about the samples around it. */
  note(event: OtherEvent): void {
    if (!nonTransitionEvents.has(event.type)) this.keepAround(event.t);
    switch (event.type) {
      case 'phase.started':
        if (event.phase === 'fault') this.#endHealthy();
        return;
      case 'gate':
        if (event.gate === 'steady' && event.state === 'met') this.#noteSteady(event.t);
        return;
      case 'fault.issued':
      case 'fault.acked':
      case 'fault.outcome_unknown':
      case 'fault.effect':
      case 'fault.failed':
        this.#noteActing(event);
        return;
      default:
    }
  }

  /** Processes samples that are old enough by time `t` of the log. */
  advance(t: RunMs): void {
    if (t - this.#settledMs < this.#retentionRadiusMs / 4) return;
    this.#settledMs = t;
    for (const { compactor, slots } of this.#byProbe.values()) {
      compactor.noteSilence(t);
      // Keep all samples around a lost one.
      for (const { fromMs, toMs } of slots.lostBy(t))
        if (toMs > t - 2 * this.#retentionRadiusMs) compactor.noteLost(fromMs, toMs);
    }
    for (const { compactor } of this.#byProbe.values()) compactor.settle(earlier(t, this.#retentionRadiusMs));
    for (const retention of this.#retention) retention.forgetBefore(earlier(t, 2 * this.#retentionRadiusMs));
  }

  /** The series by probe id. `endMs`: the end of the log. */
  finish(endMs: RunMs): ReadonlyMap<ProbeId, ProbeSeries> {
    return new Map([...this.#byProbe].map(([id, open]) => [id, finished(open, endMs)]));
  }

  #seriesOf(id: ProbeId): OpenSeries {
    const series = this.#byProbe.get(id);
    if (series === undefined) throw new InvalidEvent(`probe "${id}" is not in the plan`);
    return series;
  }

  /** The gate is met once its conditions have held for `steady.forMs`. */
  #noteSteady(t: RunMs): void {
    const { forMs } = this.#plan.steady;
    for (const { compactor } of this.#byProbe.values()) compactor.healthy.steady(earlier(t, forMs));
  }

  /** A fault may take effect at any moment until its effect is confirmed. */
  #noteActing({ type, fault, t }: FaultEvent): void {
    const isRepair = this.#plan.repair.some((f) => f.id === fault);
    const isPreparation = this.#plan.prepare.some((f) => f.id === fault);
    if (type === 'fault.issued') {
      this.#acting.add(fault);
      for (const retention of this.#retention) retention.open(t);
    } else if (type === 'fault.effect' || type === 'fault.failed' || (type === 'fault.acked' && isRepair)) {
      this.#acting.delete(fault);
      if (this.#acting.size === 0) for (const retention of this.#retention) retention.close(t);
    }
    for (const { compactor } of this.#byProbe.values()) {
      if (isPreparation && actingTypes.has(type)) compactor.healthy.prepared(t);
    }
    if (!isPreparation && !isRepair && type === 'fault.issued') this.#endHealthy();
  }

  #endHealthy(): void {
    for (const { compactor } of this.#byProbe.values()) compactor.healthy.faulted();
  }
}

function finished({ compactor, slots, dropped }: OpenSeries, endMs: RunMs): ProbeSeries {
  const samples = compactor.finish();
  const { lastError } = compactor;
  return {
    probe: provenProbe(compactor.probe, samples),
    samples,
    latency: compactor.healthy.finish(),
    dropped,
    lost: slots.lostBy(endMs),
    ...(lastError === undefined ? {} : { lastError }),
  };
}

/**
 * Removes `onFailure` from a probe without a good sample: nothing proves that the probe is set up correctly, so its failures
 * show no state. For example, a wrong port is refused, too.
 */
function provenProbe(probe: PlannedProbe, samples: readonly KeptSample[]): PlannedProbe {
  if (probe.onFailure === undefined || samples.some((s) => s.status === 'ok')) return probe;
  const { onFailure: _, ...rest } = probe;
  return rest;
}
