import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Summary } from '../src/core/summary.ts';

/**
 * The words of a summary's reasons if the machine was too busy for the drill. They come from `machine-health.ts` and
 * `steady-state.ts` in `src/engine`, and from `condition-checks.ts`, `degraded.ts`, `steadiness.ts`, `health.ts`, and `others.ts` in
 * `src/analysis`.
 * No other test code has them; a drill that is inconclusive for any other reason fails its test.
 */
const starvedText =
  /\b(degraded|overloaded|starved|stood still|may be the load|thread stalled|the prober (?:lost|sent a sample)|other programs (?:used|may have used)|between the steady gate and the fault|steady state was lost again before the fault|a little more load causes timeouts)\b/i;

/** The reason of a drill that is inconclusive because its machine was too busy; undefined for every other outcome. */
export function starvedReason({
  verdict,
  reasons,
}: Pick<Summary, 'verdict' | 'reasons'>): string | undefined {
  return verdict === 'inconclusive' ? starvedWordsIn(reasons)[0] : undefined;
}

/** The reasons of a drill that blame a busy machine. */
export function starvedWordsIn(reasons: readonly string[]): string[] {
  return reasons.filter((reason) => starvedText.test(reason));
}

/** Why `lab up` refuses a machine that other programs use (src/lab/machine-speed.ts); undefined for other output. */
export function busyMachineIn(output: string): string | undefined {
  return /\bother programs take \d+ % of the CPUs.*/.exec(output)?.[0];
}

/** A stored run with its folder. */
interface Kept {
  readonly folder: string;
  readonly summary: Summary;
}

/**
 * Runs drills that store their runs below `out`. If a run is inconclusive because the machine was too busy, `drills` runs
 * again: a test checks the results of drills, not the speed of the machine. Each repeat is printed, and noted in the
 * file FIREDRILL_STARVED_NOTE (scripts/with-setup.mjs prints the count). The second outcome is final.
 */
export async function onceMoreIfStarved<T>(out: string, drills: () => Promise<T>): Promise<T> {
  const before = new Set(keptBelow(out).map(({ folder }) => folder));
  const first = await drills();
  const starved = keptBelow(out)
    .filter(({ folder }) => !before.has(folder))
    .flatMap(({ summary }) => {
      const reason = starvedReason(summary);
      return reason === undefined ? [] : [{ name: summary.scenario.name, reason }];
    });
  const [one] = starved;
  if (one === undefined) return first;
  noteRepeat(one.name, one.reason);
  return drills();
}

/** Prints that a drill or `lab up` runs again, and notes it. */
export function noteRepeat(name: string, reason: string): void {
  process.stderr.write(`${name}: run again, because the machine was too busy: ${reason}\n`);
  const note = process.env['FIREDRILL_STARVED_NOTE'];
  if (note !== undefined && note !== '') appendFileSync(note, `${name}: ${reason}\n`);
}

function keptBelow(out: string): Kept[] {
  if (!existsSync(out)) return [];
  return readdirSync(out, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('summary.json'))
    .map((name) => ({
      folder: join(out, name),
      summary: JSON.parse(readFileSync(join(out, name), 'utf8')) as Summary,
    }));
}
