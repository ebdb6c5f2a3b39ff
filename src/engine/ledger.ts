import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { DrillError, messageOf } from '../core/errors.ts';
import { fileKeys } from '../core/file-keys.ts';
import type { FaultId } from '../core/ids.ts';
import { fileSlug } from '../core/names.ts';
import { mapStrings } from '../core/placeholders.ts';
import { shellQuote } from '../core/shell-quote.ts';
import { type DeepReadonly, hostSchema, jsonSchema, moduleSchema, type PlannedHost } from '../core/plan.ts';
import { cannotWrite, diskFailure, syncDirectory, writeFully } from './disk.ts';

const faultId: z.ZodType<FaultId> = z.string();

const recordSchema = z.object({
  version: z.literal(1),
  runId: z.string(),
  target: z.string(),
  faultId,
  kind: z.string(),
  host: hostSchema,
  params: jsonSchema,
  /** The state observed before the fault. */
  before: jsonSchema,
  /** A pending repair: `firedrill heal` makes it; it is not undone. */
  repair: z.literal(true).exactOptional(),
  /**
   * For a repair: its fault has not been injected, so the repair is not pending yet. Absent in records of
   * older versions.
   */
  awaitsFault: z.literal(true).exactOptional(),
  /**
   * The repair was issued and its outcome is unknown. `before` is the state observed before it. Absent: it
   * was not issued, or its host refused it.
   */
  issued: z.object({ before: jsonSchema }).exactOptional(),
  /**
   * The inverse as a script for /bin/sh on the host, if the kind has one. An operator can run it if this
   * firedrill does not know the kind.
   */
  undo: z.string().exactOptional(),
  /**
   * The timer on the host that runs `undo` after the lease is not renewed for `ms`; absent if there is none.
   */
  lease: z.object({ tag: z.string(), ms: z.number() }).exactOptional(),
  /**
   * The host's machine and boot (machine-id(5), /proc/sys/kernel/random/boot_id); absent if the host does not
   * report them.
   */
  machine: z.object({ id: z.string(), bootId: z.string() }).exactOptional(),
  /**
   * The extension that the kind came from, and how its author undoes the fault, in words; absent for a
   * built-in kind. Without the module the fault stays open.
   */
  extension: z.object({ module: moduleSchema, heal: z.string() }).exactOptional(),
  /** When the fault was about to be injected, ISO 8601. */
  openedAt: z.string(),
});

/** What undoing one fault needs, without the run that injected it. */
export type LedgerRecord = DeepReadonly<z.output<typeof recordSchema>>;

/**
 * The open faults of this machine: one small file each, on disk before the fault acts, removed when the fault
 * is proven healed. A record is written atomically. Its removal needs no disk space, so a full disk prevents
 * no close.
 */
export interface Ledger {
  readonly directory: string;
  /** @throws DrillError `harness` if the record is not on disk; no file of it is left then */
  open(record: LedgerRecord): void;
  /** Replaces an open record. @throws DrillError `harness` if that fails: the old record stays */
  replace(record: LedgerRecord): void;
  /** Removes a record; a missing record is no error. @throws DrillError `harness` if it cannot be removed */
  close(record: Pick<LedgerRecord, 'runId' | 'faultId'>): void;
  /**
   * Readable open records, oldest first; writes nothing. @throws DrillError `harness` if the folder cannot be
   * read
   */
  list(): readonly LedgerRecord[];
  /**
   * Unreadable open records: each may be an open fault. @throws DrillError `harness` if the folder cannot be
   * read
   */
  unreadable(): readonly UnreadableRecord[];
}

/** A ledger file that cannot be parsed, or that another version wrote. */
export interface UnreadableRecord {
  readonly path: string;
  /** What was attempted and what came back. */
  readonly message: string;
  /** How to remove it safely. */
  readonly hint: string;
  /** The target in the file, if that part is readable; undefined: it may belong to any target. */
  readonly target: string | undefined;
}

/** Opens a ledger in a folder; the folder is created with the first record. */
export function openLedger(directory: string): Ledger {
  const fileOf = (record: Pick<LedgerRecord, 'runId' | 'faultId'>): string =>
    join(directory, `${runPrefix(record.runId)}${fileSlug(record.faultId, 100)}.json`);
  const write = (record: LedgerRecord, path: string, temporary: string): void => {
    const known = {
      ...record,
      host: foundAnywhere(record.host),
      ...(record.extension === undefined
        ? {}
        : { extension: { ...record.extension, module: withAbsolute(record.extension.module, ['file']) } }),
    };
    writeSynced(temporary, Buffer.from(JSON.stringify(known, null, 2)));
    renameSync(temporary, path);
    syncDirectory(directory);
  };
  return {
    directory,
    open(record) {
      const path = fileOf(record);
      const temporary = `${path}.tmp`;
      try {
        makeSynced(directory);
        write(record, path, temporary);
      } catch (error) {
        // If a partial file cannot be removed, it remains as an open fault: its heal finds nothing to do.
        for (const file of [temporary, path]) removeQuietly(file);
        throw cannotWrite(`the undo record ${path}`, error, 'start again: the fault was not injected');
      }
    },
    replace(record) {
      const path = fileOf(record);
      const temporary = `${path}.tmp`;
      try {
        write(record, path, temporary);
      } catch (error) {
        removeQuietly(temporary);
        throw diskFailure(`cannot rewrite ${path}`, error, 'run the drill again');
      }
    },
    close(record) {
      const path = fileOf(record);
      try {
        rmSync(path, { force: true });
      } catch (error) {
        throw diskFailure(`cannot remove ${path}`, error, 'run `firedrill heal`: it finds nothing to undo');
      }
      // If a power failure restores the file, its heal finds nothing to undo.
      quietlySync(directory);
    },
    list() {
      return readAll(directory)
        .flatMap((read) => ('record' in read ? [read.record] : []))
        .sort((a, b) => a.openedAt.localeCompare(b.openedAt) || a.faultId.localeCompare(b.faultId));
    },
    unreadable() {
      return readAll(directory).flatMap((read) => ('unreadable' in read ? [read.unreadable] : []));
    },
  };
}

/** Whether an unreadable record belongs to a run, by its file name. */
export function isOfRun({ path }: UnreadableRecord, runId: string): boolean {
  return basename(path).startsWith(runPrefix(runId));
}

/** Prefix of the file names of a run. */
function runPrefix(runId: string): string {
  return `${fileSlug(runId, 120)}--`;
}

/** A ledger file: its record, or why it is unreadable. */
type ReadFile = { readonly record: LedgerRecord } | { readonly unreadable: UnreadableRecord };

function readAll(directory: string): readonly ReadFile[] {
  return namesIn(directory)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => readRecord(join(directory, name)) ?? []);
}

/** Creates a folder and its parents, each synced to disk. */
function makeSynced(directory: string): void {
  const first = mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = resolve(directory); made !== dirname(resolve(first)); made = dirname(made))
    syncDirectory(dirname(made));
}

function writeSynced(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    writeFully(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The error that led to this removal is reported instead.
  }
}

function quietlySync(directory: string): void {
  try {
    syncDirectory(directory);
  } catch {
    // The record is already removed for every process; only its durability is uncertain.
  }
}

/** Empty if the folder does not exist: no fault was ever recorded. */
function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new DrillError('harness', `cannot read the undo records in ${directory}: ${messageOf(error)}`, {
      cause: error,
      hint: `Check the permissions of that folder (\`ls -ld ${shellQuote(directory)}\`) and its disk: until then, the open faults are unknown.`,
    });
  }
}

/** The host with absolute paths, because `heal` may run in another folder. */
function foundAnywhere(host: PlannedHost): PlannedHost {
  return {
    ...host,
    transport:
      host.transport.kind === 'extension'
        ? {
            ...host.transport,
            params: mapStrings(host.transport.params, (text, key) =>
              fileKeys.has(key) ? resolve(text) : text,
            ),
            module: withAbsolute(host.transport.module, ['file']),
          }
        : withAbsolute(host.transport, ['identityFile', 'knownHosts', 'config']),
    ...(host.server === undefined ? {} : { server: withAbsolute(host.server, ['cloudsFile']) }),
  };
}

/** A copy with absolute paths under these keys. */
function withAbsolute<T extends object>(all: T, keys: readonly string[]): T {
  const entries = Object.entries(all).map(([key, value]) => {
    const isPath = keys.includes(key) && typeof value === 'string' && value !== 'none';
    return [key, isPath ? resolve(value) : value];
  });
  return Object.fromEntries(entries) as T;
}

/** Undefined if the file is gone: its fault was healed in the meantime. */
function readRecord(path: string): ReadFile | undefined {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
    const parsed: unknown = JSON.parse(text);
    return { record: recordSchema.parse(parsed) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    return { unreadable: unreadableRecord(path, text, error) };
  }
}

function unreadableRecord(path: string, text: string, error: unknown): UnreadableRecord {
  const reason =
    error instanceof z.ZodError
      ? error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
      : messageOf(error);
  return {
    path,
    message: `the undo record ${path} cannot be read: ${reason}`,
    hint: `Run \`firedrill heal\` with the version that wrote it. Or run the file's \`undo\` command on the host that it names, then delete the file: rm ${shellQuote(path)}`,
    target: targetIn(text),
  };
}

/** The target in a record, even if other parts are cut off or invalid. */
function targetIn(text: string): string | undefined {
  const [, quoted] = /"target"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text) ?? [];
  try {
    return z.string().safeParse(JSON.parse(quoted ?? 'null')).data;
  } catch {
    return undefined;
  }
}
