import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import { fileSlug } from '../core/names.ts';
import { cannotWrite } from '../engine/disk.ts';

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
 * @throws DrillError `refused` that names the owner, `harness` when the disk takes no lock
 */
export function lockTargets(folder: string, targets: readonly string[], command: string): () => void {
  const held: string[] = [];
  const release = (): void => {
    for (const path of held.splice(0)) removeQuietly(path);
  };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const target of new Set(targets)) {
      const path = lockPath(folder, target);
      lock(path, target, command);
      held.push(path);
    }
  } catch (error) {
    release();
    throw cannotWrite(`the locks in ${folder}`, error, 'start again: nothing was touched');
  }
  return release;
}

/** Who holds a target now, in words; undefined while nobody does. */
export function holderOf(folder: string, target: string): string | undefined {
  const owner = ownerOf(contentOf(lockPath(folder, target)));
  return owner !== undefined && isAlive(owner) ? ownerWords(owner) : undefined;
}

function lockPath(folder: string, target: string): string {
  return join(folder, `${fileSlug(target, 120)}.lock`);
}

function lock(path: string, target: string, command: string): void {
  // Complete before it has its name: nobody finds a lock that says nothing yet.
  const own = `${path}.${process.pid}`;
  try {
    writeFileSync(own, JSON.stringify(ourselves(command)), { mode: 0o600 });
    // Twice: what a dead process left is taken away once.
    for (const again of [true, false]) {
      if (linked(own, path)) return;
      const text = contentOf(path);
      const owner = ownerOf(text);
      if (owner !== undefined && isAlive(owner)) throw isLocked(target, owner);
      if (again) takeAway(path, text);
    }
  } finally {
    rmSync(own, { force: true });
  }
  throw new DrillError('refused', `target ${target} was locked by somebody else just now`, {
    mend: 'Start again.',
  });
}

/** A lock that cannot be removed is taken over: its process will be gone. */
function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Nothing depends on it.
  }
}

/** Gives a file a second name, unless something has it. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock that was found dead, and no other that has come in its place since. */
function takeAway(path: string, text: string | undefined): void {
  const aside = `${path}.${process.pid}.dead`;
  try {
    renameSync(path, aside);
  } catch {
    // Somebody else took it away.
    return;
  }
  if (contentOf(aside) !== text) linked(aside, path);
  unlinkSync(aside);
}

function isLocked(target: string, owner: Owner): DrillError {
  return new DrillError('refused', `target ${target} is locked: ${ownerWords(owner)}`, {
    mend: 'Wait until it has ended, or end it: it heals what it broke.',
  });
}

function ownerWords({ command, user, host, pid, sinceIso }: Owner): string {
  return `\`${command}\` by ${user}@${host}, process ${pid}, since ${sinceIso}`;
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

/** Undefined where there is no lock any more. */
function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Undefined for a lock that makes no sense: it was made by nobody who could come back for it. */
function ownerOf(text: string | undefined): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}

function isAlive({ pid, startedTicks, bootId: boot }: Owner): boolean {
  return boot === bootId() && startOf(pid) === startedTicks;
}

/** Start of a process in ticks since boot (proc_pid_stat(5), field 22); undefined when there is none, or only its exit code is left. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
