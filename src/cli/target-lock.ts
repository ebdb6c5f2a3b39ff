import { closeSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import { fileSlug } from '../core/names.ts';

/** Who holds a target. */
const ownerSchema = z.object({
  pid: z.int(),
  /** Start of the process in ticks since boot: with the pid, no other process has it. */
  startedTicks: z.string(),
  bootId: z.string(),
  user: z.string(),
  host: z.string(),
  command: z.string(),
  sinceIso: z.string(),
});
type Owner = z.output<typeof ownerSchema>;

/**
 * Locks targets for this process, all or none: two drills at once would take each other's fault for the stack's. A lock
 * whose process is gone is taken over.
 * @returns what unlocks them
 * @throws DrillError `refused` that names the owner
 */
export function lockTargets(folder: string, targets: readonly string[], command: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const held: string[] = [];
  const release = (): void => {
    for (const path of held.splice(0)) unlinkSync(path);
  };
  try {
    for (const target of new Set(targets)) {
      const path = join(folder, `${fileSlug(target, 120)}.lock`);
      lock(path, target, command);
      held.push(path);
    }
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

function lock(path: string, target: string, command: string): void {
  // Twice: what a dead process left is removed once.
  for (const again of [true, false]) {
    try {
      const fd = openSync(path, 'wx', 0o600);
      writeSync(fd, JSON.stringify(ourselves(command)));
      closeSync(fd);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = ownerOf(path);
    if (owner !== undefined && isAlive(owner)) throw isLocked(target, owner);
    if (again) unlinkSync(path);
  }
  throw new DrillError('refused', `target ${target} was locked by somebody else just now`, {
    mend: 'Start again.',
  });
}

function isLocked(target: string, owner: Owner): DrillError {
  return new DrillError(
    'refused',
    `target ${target} is locked: \`${owner.command}\` by ${owner.user}@${owner.host}, process ${owner.pid}, since ${owner.sinceIso}`,
    { mend: 'Wait until it has ended, or end it: it heals what it broke.' },
  );
}

function ourselves(command: string): Owner {
  return {
    pid: process.pid,
    startedTicks: startOf(process.pid) ?? '',
    bootId: bootId(),
    user: userInfo().username,
    host: hostname(),
    command,
    sinceIso: new Date().toISOString(),
  };
}

/** Undefined for a lock that says nothing: whoever wrote it was cut short. */
function ownerOf(path: string): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function isAlive({ pid, startedTicks, bootId: boot }: Owner): boolean {
  return boot === bootId() && startOf(pid) === startedTicks;
}

/** Start of a process in ticks since boot (proc_pid_stat(5), field 22); undefined when there is none. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
