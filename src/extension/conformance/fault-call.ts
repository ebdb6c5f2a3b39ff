import type { FaultContext } from '../../core/fault.ts';
import type { AnyFaultKind } from '../../core/kinds.ts';
import type { Json } from '../../core/plan.ts';
import type { DurationMs } from '../../core/time.ts';
import { Broken, require, shown, within } from './check.ts';

/** A kind with parameters, as its schema parsed them. */
export interface Fault {
  readonly kind: AnyFaultKind;
  readonly params: Json;
}

/** Longest time of one method whose commands are answered, ms. */
const methodWithinMs = 60_000;

interface Results {
  readonly before: Json;
  readonly inject: Json;
  readonly effect: boolean;
  readonly heal: void;
  readonly healed: boolean;
}

/**
 * Calls a method with the parameters and the state as the undo record has them: a copy for each call. What a method keeps in
 * an object or writes into one is lost, as after a crash.
 * @throws Broken if it does not end, or if the result has the wrong type; otherwise what the method throws
 */
export async function call<M extends keyof Results>(
  { kind, params }: Fault,
  method: M,
  before: Json,
  ctx: FaultContext,
  limitMs: DurationMs = methodWithinMs,
): Promise<Results[M]> {
  const own = asStored(params);
  const started =
    method === 'before' ? kind.before(own, ctx) : kind[method as 'inject'](own, asStored(before), ctx);
  const result: unknown = await within(limitMs, `\`${method}\``, started);
  if (method === 'effect' || method === 'healed')
    require(typeof result === 'boolean', `\`${method}\` returned ${shown(result)}: expected true or false`);
  return result as Results[M];
}

/** Rethrows what a broken promise threw: it is no lost answer. */
export function rethrowBroken(error: unknown): void {
  if (error instanceof Broken) throw error;
}

function asStored<T extends Json>(value: T): T {
  // A value that JSON does not have is reported by `requireJson`.
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}
