import { accessSync, constants, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';

/** Less is too little for the log of a drill and what is held in reserve for its end. */
const neededMiB = 100;
/** Less is worth a word: many drills, or long ones, fill it. */
const easyMiB = 1024;

/** Whether drills may keep files in a folder, and how much room there is; the folder need not be there yet. */
export function folderFinding(name: string, folder: string): Finding {
  let there = folder;
  for (;;) {
    try {
      accessSync(there, constants.W_OK);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(there) !== there) {
        there = dirname(there);
        continue;
      }
      return {
        name,
        status: 'fail',
        observed: `${folder}: ${messageOf(error)}`,
        mend: `Let this user write in ${there}.`,
      };
    }
  }
  const { bavail, bsize } = statfsSync(there);
  const freeMiB = Math.floor((bavail * bsize) / 2 ** 20);
  return judgeRoom(name, folder, freeMiB);
}

/** Judges the room that there is: pure. */
export function judgeRoom(name: string, folder: string, freeMiB: number): Finding {
  const observed = `${folder}: writable, ${freeMiB} MiB free`;
  if (freeMiB >= easyMiB) return { name, status: 'ok', observed };
  return {
    name,
    status: freeMiB < neededMiB ? 'fail' : 'warn',
    observed,
    mend: `Make room there: a drill needs ${neededMiB} MiB, and stops when the disk is full.`,
  };
}
