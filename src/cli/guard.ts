import { existsSync } from 'node:fs';
import { DrillError } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { Output } from './output.ts';
import { blastRadiusLines } from './plan-text.ts';
import { locksFolder, stopFilePath } from './run-folder.ts';
import { lockTargets } from './target-lock.ts';
import type { Ask } from './terminal-ask.ts';

/** What the command line says to guard rails. */
export interface Consent {
  /** Targets of the environment `production` may be drilled. */
  readonly allowProduction: boolean;
  /** The target's name, for a terminal where nobody can type it. */
  readonly confirm?: string;
}

/** So many faults are named before the question. */
const mostLines = 20;

/**
 * Passes the guard rails that stand before all drills of a command: no stop file, production meant and named, each target
 * locked.
 * @returns what unlocks the targets
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
    /** For the lock: what others are told of. */
    readonly command: string;
    readonly output: Output;
    readonly ask: Ask;
  },
): Promise<() => void> {
  refuseStopped();
  const production = plans.filter(({ target }) => target.environment === 'production');
  for (const name of new Set(production.map(({ target }) => target.name))) {
    const own = production.filter(({ target }) => target.name === name);
    const broken = [...new Set(own.flatMap(blastRadiusLines))];
    await confirmProduction(name, { broken, consent, output, ask });
  }
  return lockTargets(
    locksFolder(),
    plans.map(({ target }) => target.name),
    command,
  );
}

/** Nothing begins while the stop file is there. */
function refuseStopped(): void {
  const path = stopFilePath();
  if (!existsSync(path)) return;
  throw new DrillError('refused', `the stop file ${path} is there`, {
    mend: 'Whoever put it there wanted no drills; remove it to go on.',
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
    /** What is broken, in words. */
    readonly broken: readonly string[];
    readonly consent: Consent;
    readonly output: Output;
    readonly ask: Ask;
  },
): Promise<void> {
  if (!consent.allowProduction) {
    throw new DrillError('refused', `target ${name} is production`, {
      mend: 'If that is meant, say --allow-production, and its name with --confirm or at the question.',
    });
  }
  if (consent.confirm === undefined && ask === undefined) {
    throw new DrillError(
      'refused',
      `target ${name} is production, and there is no terminal to confirm it on`,
      {
        mend: `Say --confirm ${name}.`,
      },
    );
  }
  output.progress(`target ${name} is PRODUCTION: real users are hit`);
  for (const line of broken.slice(0, mostLines)) output.progress(`  ${line}`);
  if (broken.length > mostLines)
    output.progress(`  and ${broken.length - mostLines} more: see \`firedrill plan\``);
  const typed = consent.confirm ?? (await ask?.('Type the name of the target to go on: '));
  if (typed?.trim() === name) return;
  throw new DrillError('refused', `"${typed ?? ''}" is not the name of the target, ${name}`, {
    mend: 'Nothing was touched.',
  });
}
