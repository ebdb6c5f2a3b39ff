import type { EventOf } from '../core/event.ts';
import type { FaultId } from '../core/ids.ts';
import type { Plan, PlannedFault } from '../core/plan.ts';
import type { FaultRecord, RunLog } from './run-log.ts';

/** An event of a fault, a preparation, or a repair. */
export type FaultEvent = EventOf<
  | 'fault.issued'
  | 'fault.acked'
  | 'fault.outcome_unknown'
  | 'fault.effect'
  | 'fault.failed'
  | 'heal.started'
  | 'heal.proven'
  | 'heal.failed'
>;

type OpenFault = { -readonly [K in keyof FaultRecord]: FaultRecord[K] };

/** The events of the steps of a run, while its log is read: one record per step, in the order of their first event. */
export class FaultRecords {
  readonly #plan: Plan;
  readonly #planned: ReadonlyMap<FaultId, PlannedFault>;
  readonly #records = new Map<FaultId, OpenFault>();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#planned = new Map([...plan.faults, ...plan.prepare, ...plan.repair].map((f) => [f.id, f]));
  }

  /** Adds the next event of a step. */
  add(event: FaultEvent): void {
    const record = this.#recordOf(event.fault);
    switch (event.type) {
      case 'fault.issued':
        record.kind = event.kind;
        record.host = event.host;
        record.params = event.params;
        record.issuedMs = event.t;
        return;
      case 'fault.acked':
        record.ackedMs = event.t;
        return;
      case 'fault.outcome_unknown':
        record.unansweredMs = event.t;
        return;
      case 'fault.effect':
        record.effect = { notBeforeMs: event.notBeforeMs, notAfterMs: event.notAfterMs };
        return;
      case 'fault.failed':
        record.failure = event.message;
        return;
      case 'heal.started':
        record.healStartedMs ??= event.t;
        return;
      case 'heal.proven':
        record.healedMs = event.t;
        record.healFailure = null;
        return;
      case 'heal.failed':
        record.healedMs = null;
        record.healFailure = event.message;
        return;
    }
  }

  /** Ids that are in no list of the plan are faults, too. */
  finish(): Pick<RunLog, 'faults' | 'preparations' | 'repairs'> {
    const records = [...this.#records.values()];
    const among = (list: readonly PlannedFault[]) => {
      const ids = new Set(list.map((f) => f.id));
      return records.filter((f) => ids.has(f.id));
    };
    const preparations = among(this.#plan.prepare);
    const repairs = among(this.#plan.repair);
    const faults = records.filter((f) => !preparations.includes(f) && !repairs.includes(f));
    return { faults, preparations, repairs };
  }

  #recordOf(id: FaultId): OpenFault {
    const known = this.#records.get(id);
    if (known !== undefined) return known;
    const planned = this.#planned.get(id);
    const record: OpenFault = {
      id,
      kind: planned?.kind ?? 'unknown',
      host: planned !== undefined && 'host' in planned.on ? planned.on.host : null,
      params: planned?.params ?? null,
      issuedMs: null,
      ackedMs: null,
      unansweredMs: null,
      effect: null,
      failure: null,
      healStartedMs: null,
      healedMs: null,
      healFailure: null,
    };
    this.#records.set(id, record);
    return record;
  }
}
