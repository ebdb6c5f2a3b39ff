import { randomBytes } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { DrillError, messageOf } from '../core/errors.ts';
import { fileSlug } from '../core/names.ts';
import { shellQuote } from '../core/shell-quote.ts';
import { cannotWrite } from '../engine/disk.ts';
import { currentUser } from '../hosts/current-user.ts';

/** The process that holds a target's lock. */
const ownerSchema = z.object({
  pid: z.int(),
  /** Start of the process in ticks since boot. Together with the PID it identifies the process. */
  startedTicks: z.string(),
  bootId: z.string(),
  /** The PID namespace in which `pid` is that process (namespaces(7)); absent in locks of older versions. */
  pidNamespace: z.string().optional(),
  /** machine-id(5), or '' if there is none; absent in locks of older versions. */
  machineId: z.string().optional(),
  user: z.string(),
  host: z.string(),
  command: z.string(),
  sinceIso: z.string(),
});
type Owner = z.output<typeof ownerSchema>;

/** State of a lock. A lock may be taken over only in the state `gone`. */
type Lock =
  | { readonly state: 'gone' }
  | { readonly state: 'held'; readonly owner: Owner }
  | { readonly state: 'unknown'; readonly why: string; readonly owner?: Owner };

/** The holder of a target, and a hint for the user. */
export interface Holder {
  readonly words: string;
  readonly hint: string;
}

/**
 * Locks targets for this process, all or none. Two drills at once would each measure the other's fault as their own. A
 * lock whose process has ended is taken over. A lock from another container or machine cannot be checked, so it counts as
 * held.
 * @returns a function that unlocks the targets
 * @throws DrillError `refused`, with the owner; `harness` if the disk is full or not writable
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

/** The process that holds a target or may hold it; undefined if the target is free. */
export function holderOf(folder: string, target: string): Holder | undefined {
  const path = lockPath(folder, target);
  return holderText(path, lockIn(contentOf(path)));
}

function lockPath(folder: string, target: string): string {
  return join(folder, `${fileSlug(target, 120)}.lock`);
}

function lock(path: string, target: string, command: string): void {
  // The lock is written under another name first, so that no process can read an incomplete lock.
  const own = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(own, JSON.stringify(thisProcess(command)), { mode: 0o600 });
    // Two attempts: after the first one, the lock of a dead process is removed.
    for (const again of [true, false]) {
      if (linked(own, path)) return;
      const content = contentOf(path);
      const holder = holderText(path, lockIn(content));
      if (holder !== undefined)
        throw new DrillError('refused', `target ${target} is locked: ${holder.words}`, { hint: holder.hint });
      if (again) takeAway(path, content);
    }
  } finally {
    rmSync(own, { force: true });
  }
  throw new DrillError('refused', `target ${target} was just locked by another process`, {
    hint: 'Run the command again.',
  });
}

/** Removes a lock. If that fails, the next drill takes the lock over, because this process has ended by then. */
function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // See above.
  }
}

/** Links a file to a second name; false if that name exists. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of a dead process, but not a newer lock that has replaced it. */
function takeAway(path: string, found: Content): void {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.dead`;
  try {
    renameSync(path, aside);
  } catch {
    // Another process has removed it.
    return;
  }
  if (!isDeepStrictEqual(contentOf(aside), found)) linked(aside, path);
  unlinkSync(aside);
}

/** The holder of a lock; undefined if its owner has ended. */
function holderText(path: string, found: Lock): Holder | undefined {
  switch (found.state) {
    case 'gone':
      return undefined;
    case 'held':
      return {
        words: ownerText(found.owner),
        hint: `Wait until it ends, or stop it with \`kill ${found.owner.pid}\`; it heals its faults before it ends.`,
      };
    case 'unknown':
      return {
        words: `${found.owner === undefined ? '' : `${ownerText(found.owner)}; `}${found.why}`,
        hint: `If you are sure that this process has ended, delete its lock: rm ${shellQuote(path)}`,
      };
  }
}

function ownerText({ command, user, host, pid, sinceIso }: Owner): string {
  return `\`${command}\` by ${user}@${host}, process ${pid}, since ${sinceIso}`;
}

function thisProcess(command: string): Owner {
  const started = startOf(process.pid);
  return {
    pid: process.pid,
    startedTicks: started.state === 'there' ? started.ticks : '',
    bootId: bootId(),
    pidNamespace: pidNamespace(),
    machineId: machineId(),
    user: currentUser().username,
    host: hostname(),
    command,
    sinceIso: new Date().toISOString(),
  };
}

/** Content of a lock file. */
type Content =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly why: string };

function contentOf(path: string): Content {
  try {
    return { kind: 'text', text: readFileSync(path, 'utf8') };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'none' };
    return { kind: 'unreadable', why: `the lock ${path} cannot be read: ${messageOf(error)}` };
  }
}

function lockIn(content: Content): Lock {
  if (content.kind === 'none') return { state: 'gone' };
  if (content.kind === 'unreadable') return { state: 'unknown', why: content.why };
  let parsed: unknown;
  try {
    parsed = JSON.parse(content.text);
  } catch {
    // A lock is complete before it gets its name. A truncated lock means that the machine crashed, so its owner has ended.
    return { state: 'gone' };
  }
  const owner = ownerSchema.safeParse(parsed).data;
  return owner === undefined
    ? { state: 'unknown', why: 'its lock was written by another version of firedrill' }
    : stateOf(owner);
}

/** The state of a lock, as far as this process can check it. */
function stateOf(owner: Owner): Lock {
  if (owner.bootId !== bootId()) {
    const isRebooted = owner.host === hostname() && (owner.machineId ?? machineId()) === machineId();
    return isRebooted
      ? { state: 'gone' }
      : {
          state: 'unknown',
          owner,
          why: 'its lock was taken on another machine, or before this one last booted',
        };
  }
  if ((owner.pidNamespace ?? pidNamespace()) !== pidNamespace())
    return {
      state: 'unknown',
      owner,
      why: 'it runs in another container (PID namespace) and cannot be checked from here',
    };
  const started = startOf(owner.pid);
  switch (started.state) {
    case 'gone':
      return { state: 'gone' };
    case 'hidden':
      return {
        state: 'unknown',
        owner,
        why: 'a process with its PID runs, but its start time cannot be read',
      };
    case 'there':
      return started.ticks === owner.startedTicks ? { state: 'held', owner } : { state: 'gone' };
  }
}

/** Start of a process in ticks since boot (proc_pid_stat(5), field 22). gone: there is no such process, or it is a zombie. */
function startOf(
  pid: number,
): { readonly state: 'gone' | 'hidden' } | { readonly state: 'there'; readonly ticks: string } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields[19];
    if (fields[0] === 'Z' || fields[0] === 'X') return { state: 'gone' };
    return ticks === undefined ? { state: 'hidden' } : { state: 'there', ticks };
  } catch {
    // With the mount option `hidepid` (proc(5)) a process of another user has no folder in /proc.
    return { state: isThere(pid) ? 'hidden' : 'gone' };
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** The PID namespace of this process, such as `pid:[4026531836]`. */
function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid');
}

function machineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim();
  } catch {
    return '';
  }
}
