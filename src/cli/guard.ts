import { existsSync } from 'node:fs';
import { DrillError } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { Output } from './output.ts';
import { kindsFor } from '../extension/load.ts';
import { blastRadiusLines } from './plan-text.ts';
import { locksFolder, stopFilePath } from './run-folder.ts';
import { lockTargets } from './target-lock.ts';
import type { Ask } from './terminal-ask.ts';

/** Command-line options that guard rails check. */
export interface Consent {
  /** Allows drills of targets whose environment is `production`. */
  readonly allowProduction: boolean;
  /** The target's name, where there is no terminal to type it on. */
  readonly confirm?: string;
}

/** Most faults that are listed before the question. */
const mostLines = 20;

/**
 * Checks the guard rails before the first drill of a command: there is no stop file, production is confirmed, and each
 * target can be locked.
 * @returns a function that unlocks the targets
 * @throws DrillError `refused`
 */
export async function passGuards(
  plans: readonly Plan[],
  {
    consent,
    command,
    output,
    ask,
  }: {
    readonly consent: Consent;
    /** Name of the command in the lock, which other processes report. */
    readonly command: string;
    readonly output: Output;
    readonly ask: Ask;
  },
): Promise<() => void> {
  refuseStopped();
  const production = plans.filter(({ target }) => target.environment === 'production');
  for (const name of new Set(production.map(({ target }) => target.name))) {
    const own = production.filter(({ target }) => target.name === name);
    const broken = [...new Set(own.flatMap((plan) => blastRadiusLines(plan, kindsFor(plan))))];
    await confirmProduction(name, { broken, consent, output, ask });
  }
  return lockTargets(
    locksFolder(),
    plans.map(({ target }) => target.name),
    command,
  );
}

/** Refuses to begin while the stop file exists. */
function refuseStopped(): void {
  const path = stopFilePath();
  if (!existsSync(path)) return;
  throw new DrillError('refused', `a stop file exists: ${path}`, {
    hint: 'Delete it to allow drills again.',
  });
}

async function confirmProduction(
  name: string,
  {
    broken,
    consent,
    output,
    ask,
  }: {
    /** One line for each fault: its kind, host, and blast radius. */
    readonly broken: readonly string[];
    readonly consent: Consent;
    readonly output: Output;
    readonly ask: Ask;
  },
): Promise<void> {
  if (!consent.allowProduction) {
    throw new DrillError('refused', `target ${name} is production`, {
      hint: `To drill it, pass --allow-production, and type its name when asked or pass --confirm ${name}.`,
    });
  }
  if (consent.confirm === undefined && ask === undefined) {
    throw new DrillError(
      'refused',
      `target ${name} is production, and there is no terminal to confirm it on`,
      {
        hint: `Pass --confirm ${name}.`,
      },
    );
  }
  output.progress(`target ${name} is PRODUCTION: the drill affects real users`);
  for (const line of broken.slice(0, mostLines)) output.progress(`  ${line}`);
  if (broken.length > mostLines)
    output.progress(`  and ${broken.length - mostLines} more: see \`firedrill plan\``);
  const typed = consent.confirm ?? (await ask?.('Type the name of the target to continue: '));
  if (typed?.trim() === name) return;
  throw new DrillError('refused', `"${typed ?? ''}" is not the name of the target, ${name}`, {
    hint: 'Nothing was changed. Run the command again and type this name.',
  });
}
