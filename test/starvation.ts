import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Summary } from '../src/core/summary.ts';

/**
 * How a summary's reasons say that the machine was too busy for the drill: the words of `src/engine/machine-fitness.ts` and
 * `steady-state.ts`, and of `degraded.ts`, `steadiness.ts`, `health.ts`, and `others.ts` in `src/analysis`. No other test code
 * knows them; a drill that is inconclusive for any other reason fails its test.
 */
const starvedWords =
  /\b(degraded|overloaded|starved|stood still|may be the load|thread stalled|the prober (?:lost|sent a sample)|other programs (?:used|may have used)|between the steady gate and the fault|steady state was lost again before the fault|a little more load causes time-outs)\b/i;

/** Why a drill says nothing: its machine was too busy for it. Undefined for every other outcome. */
export function starvedReason({
  verdict,
  reasons,
}: Pick<Summary, 'verdict' | 'reasons'>): string | undefined {
  return verdict === 'inconclusive' ? starvedWordsIn(reasons)[0] : undefined;
}

/** Those of the reasons of a drill that say that its machine was too busy for it. */
export function starvedWordsIn(reasons: readonly string[]): string[] {
  return reasons.filter((reason) => starvedWords.test(reason));
}

/** A run that is kept below a folder, and where. */
interface Kept {
  readonly folder: string;
  readonly summary: Summary;
}

/**
 * Runs drills that keep their runs below `out`. Where one of these says nothing because the machine was too busy for it, all of
 * it is run once more: a test asserts what a drill finds, not how quick the machine is. Each repeat is printed, and counted in the
 * file FIREDRILL_STARVED_NOTE (scripts/with-setup.mjs shows the number). The second outcome stands.
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

/** Tells of a drill that is run once more, and counts it. */
export function noteRepeat(name: string, reason: string): void {
  process.stderr.write(`${name}: run once more, the machine was too busy for it: ${reason}\n`);
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
