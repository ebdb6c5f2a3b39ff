import { analyse, type Analysis } from '../../../src/analysis/summarize.ts';
import { readLog } from '../../../src/analysis/read-log.ts';
import { InvalidInput } from '../../../src/scenario/source.ts';
import type { Plan } from '../../../src/core/plan.ts';
import { diceOf } from './dice.ts';
import type { DrillScript, Family } from './drill-script.ts';
import type { CheckText, KnownRun } from './known-run.ts';
import { planOf } from './plan-text.ts';
import { runDrill, runStarted, startWallMs } from './run-drill.ts';
import { simulatedTime } from './simulated-time.ts';

/** One case: its log and the truth. */
export interface SimulatedCase {
  readonly family: string;
  readonly seed: number;
  /** The lines of events.ndjson, without newlines. */
  readonly lines: readonly string[];
  readonly known: KnownRun;
  readonly script: DrillScript;
  /** Checks that the planner refused. */
  readonly refused: number;
}

/** A 32-bit hash of the name: it gives each family its own random sequence. */
function hashOf(name: string): number {
  let hash = 0;
  for (const letter of name) hash = (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) | 0;
  return hash;
}

/** Simulates one case. The same family and seed give the same log, byte for byte. */
export async function simulate(family: Family, seed: number): Promise<SimulatedCase> {
  const dice = diceOf(hashOf(family.name) ^ Math.imul(seed, 0x9e3779b1));
  const stage = { dice, time: simulatedTime(startWallMs), stalls: [] };
  const script = family.script(stage);
  const { events, known } = await runDrill(script, stage);
  const { plan, refused } =
    script.watchMs === undefined
      ? planWithChecks(script, known.faults.length === 0 ? [] : script.checks(known))
      : { plan: known.plan, refused: 0 };
  const written = [runStarted(plan, seed), ...events].map((event) => JSON.stringify(event));
  const lines = script.damage?.(written) ?? written;
  return { family: family.name, seed, lines, known, script, refused };
}

/** The plan with the checks that the planner accepts, and the number of refused checks. */
function planWithChecks(
  { target, scenario }: DrillScript,
  checks: readonly CheckText[],
): { readonly plan: Plan; readonly refused: number } {
  const planned = (some: readonly CheckText[]): Plan | undefined => {
    try {
      return planOf(target, scenario, some);
    } catch (error) {
      if (error instanceof InvalidInput) return undefined;
      throw error;
    }
  };
  const all = planned(checks);
  if (all !== undefined) return { plan: all, refused: 0 };
  const taken = checks.filter((check) => planned([check]) !== undefined);
  return { plan: planOf(target, scenario, taken), refused: checks.length - taken.length };
}

/** Reads the bytes of the case's log and analyzes them. */
export function analyseCase({ lines }: SimulatedCase): Analysis {
  return analyse(readLog([new TextEncoder().encode(`${lines.join('\n')}\n`)]));
}
