import { accessSync, constants, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';

/** A drill needs this much free space, MiB, for its log and the reserve for its end. */
const neededMiB = 100;
/** Below this much free space, MiB, there is a warning: many or long drills fill it. */
const comfortableMiB = 1024;

/** Whether this user may write in a folder, and how much space is free. The folder need not exist yet. */
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
        hint: `Give this user write access to ${there} (\`chown\` or \`chmod\`), or choose another folder.`,
      };
    }
  }
  const { bavail, bsize } = statfsSync(there);
  const freeMiB = Math.floor((bavail * bsize) / 2 ** 20);
  return judgeRoom(name, folder, freeMiB);
}

/** Judges the free space. Pure. */
export function judgeRoom(name: string, folder: string, freeMiB: number): Finding {
  const observed = `${folder}: writable, ${freeMiB} MiB free`;
  if (freeMiB >= comfortableMiB) return { name, status: 'ok', observed };
  return {
    name,
    status: freeMiB < neededMiB ? 'fail' : 'warn',
    observed,
    hint: `Free disk space in this folder: a drill needs ${neededMiB} MiB, and stops when the disk is full.`,
  };
}
