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
import { fileSlug } from '../core/names.ts';
import { shellQuote } from '../core/shell-quote.ts';
import type { Json, PlannedHost } from '../core/plan.ts';
import { cannotWrite, diskFailure, syncDirectory, writeFully } from './disk.ts';

/** What is needed to undo one fault without the run that made it. */
export interface LedgerRecord {
  readonly version: 1;
  readonly runId: string;
  readonly target: string;
  readonly faultId: string;
  readonly kind: string;
  readonly host: PlannedHost;
  readonly params: Json;
  /** The state observed before the fault. */
  readonly before: Json;
  /** A repair that the scenario owes the stack once its faults are healed: it is to be made, not undone. */
  readonly repair?: true;
  /** Of a repair: its fault has not been injected, so the repair is not pending yet. Absent in records of older versions. */
  readonly awaitsFault?: true;
  /**
   * The repair was about to be made, and no answer to it is known: it may have been made. `before` is the state observed
   * before it. Absent: it was not made yet, or its host refused it.
   */
  readonly issued?: { readonly before: Json };
  /** The inverse as a script for /bin/sh on the host, where the kind has one: for people whose firedrill does not know the kind. */
  readonly undo?: string;
  /** The timer on the host that runs `undo` when firedrill is silent for so long, ms; absent where there is none. */
  readonly lease?: { readonly tag: string; readonly ms: number };
  /** Which machine the host was, and since which boot (machine-id(5), /proc/sys/kernel/random/boot_id); absent where it does not say. */
  readonly machine?: { readonly id: string; readonly bootId: string };
  /** When the fault was about to be injected, ISO 8601. */
  readonly openedAt: string;
}

const recordSchema = z.object({
  version: z.literal(1),
  runId: z.string(),
  target: z.string(),
  faultId: z.string(),
  kind: z.string(),
  host: z.object({
    name: z.string(),
    address: z.string().optional(),
    transport: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('local') }),
      z.object({ kind: z.literal('docker'), container: z.string(), context: z.string().optional() }),
      z.object({
        kind: z.literal('ssh'),
        host: z.string(),
        user: z.string().optional(),
        port: z.int().optional(),
        identityFile: z.string().optional(),
        knownHosts: z.string().optional(),
        config: z.string().optional(),
        jump: z.string().optional(),
        sudo: z.boolean().optional(),
      }),
    ]),
    server: z.object({ cloud: z.string(), cloudsFile: z.string().optional(), id: z.string() }).optional(),
  }),
  params: z.json(),
  before: z.json(),
  repair: z.literal(true).optional(),
  awaitsFault: z.literal(true).optional(),
  issued: z.object({ before: z.json() }).optional(),
  undo: z.string().optional(),
  lease: z.object({ tag: z.string(), ms: z.number() }).optional(),
  machine: z.object({ id: z.string(), bootId: z.string() }).optional(),
  openedAt: z.string(),
});

/**
 * The open faults of this machine: one small file each, on disk before the fault acts, gone when it is proven healed. A
 * record is written whole, and its removal needs no space: a disk that fills up meanwhile keeps none from being closed.
 */
export interface Ledger {
  readonly directory: string;
  /** @throws DrillError `harness` when the record is not on disk; nothing is left of it then */
  open(record: LedgerRecord): void;
  /** Writes an open record again. @throws DrillError `harness` when it cannot: the record stays as it was */
  replace(record: LedgerRecord): void;
  /** Removes a record; one that is gone is no error. @throws DrillError `harness` when it stays */
  close(record: Pick<LedgerRecord, 'runId' | 'faultId'>): void;
  /** Open records that can be read, oldest first; writes nothing. @throws DrillError `harness` where the folder cannot be read */
  list(): readonly LedgerRecord[];
  /** Open records that cannot be read: each is a fault that may be there. @throws DrillError `harness` as `list` does */
  unreadable(): readonly UnreadableRecord[];
}

/** A file of the ledger that is no record, or one of another version. */
export interface UnreadableRecord {
  readonly path: string;
  /** What was attempted and what came back. */
  readonly message: string;
  /** How to get rid of it. */
  readonly mend: string;
  /** The target that it names, as far as that can still be read; undefined: it may be any. */
  readonly target: string | undefined;
}

/** A ledger in a folder, which is made with the first record. */
export function openLedger(directory: string): Ledger {
  const fileOf = (record: Pick<LedgerRecord, 'runId' | 'faultId'>): string =>
    join(directory, `${runPrefix(record.runId)}${fileSlug(record.faultId, 100)}.json`);
  const write = (record: LedgerRecord, path: string, temporary: string): void => {
    const known = { ...record, host: foundAnywhere(record.host) };
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
        // One that cannot be removed is an open fault that never was: its heal finds nothing to do.
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
        throw diskFailure(`${path} cannot be written again`, error, 'free space on its disk');
      }
    },
    close(record) {
      const path = fileOf(record);
      try {
        rmSync(path, { force: true });
      } catch (error) {
        throw diskFailure(
          `${path} cannot be removed`,
          error,
          'run `firedrill heal`: it finds nothing to undo',
        );
      }
      // A removal that a power cut undoes makes a heal of what is healed.
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

/** Whether an unreadable record is one of a run, by the name of its file. */
export function isOfRun({ path }: UnreadableRecord, runId: string): boolean {
  return basename(path).startsWith(runPrefix(runId));
}

/** How the names of all files of a run begin. */
function runPrefix(runId: string): string {
  return `${fileSlug(runId, 120)}--`;
}

/** A file of the ledger: a record, or why it is none. */
type ReadFile = { readonly record: LedgerRecord } | { readonly unreadable: UnreadableRecord };

function readAll(directory: string): readonly ReadFile[] {
  return namesIn(directory)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => readRecord(join(directory, name)) ?? []);
}

/** Makes a folder with those above it, each on disk. */
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
    // The error that led here is the one to tell.
  }
}

function quietlySync(directory: string): void {
  try {
    syncDirectory(directory);
  } catch {
    // The record is gone for every process.
  }
}

/** None where there is no such folder: no fault was ever made. */
function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new DrillError('harness', `the undo records in ${directory} cannot be read: ${messageOf(error)}`, {
      cause: error,
      mend: 'Until they can be, nobody knows what is broken: look at that folder and its disk.',
    });
  }
}

/** A host whose files are named by absolute paths: `heal` may be run in another folder. */
function foundAnywhere(host: PlannedHost): PlannedHost {
  return {
    ...host,
    transport: withAbsolute(host.transport, ['identityFile', 'knownHosts', 'config']),
    ...(host.server === undefined ? {} : { server: withAbsolute(host.server, ['cloudsFile']) }),
  };
}

/** The same, with the paths under those keys absolute. */
function withAbsolute<T extends object>(all: T, keys: readonly string[]): T {
  const entries = Object.entries(all).map(([key, value]) => {
    const isPath = keys.includes(key) && typeof value === 'string' && value !== 'none';
    return [key, isPath ? resolve(value) : value];
  });
  return Object.fromEntries(entries) as T;
}

/** Undefined where the file is gone: its fault was healed meanwhile. */
function readRecord(path: string): ReadFile | undefined {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
    const parsed: unknown = JSON.parse(text);
    // The schema checks the shape; the cast drops the `| undefined` it puts on optional fields.
    return { record: recordSchema.parse(parsed) as LedgerRecord };
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
    mend: `Run \`firedrill heal\` with the version that wrote it. Or undo the fault by hand on the host that the file names (its command is under \`undo\`), then delete the file: rm ${shellQuote(path)}`,
    target: targetIn(text),
  };
}

/** The target that a record names, also where the rest of it is cut off or unknown. */
function targetIn(text: string): string | undefined {
  const [, quoted] = /"target"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text) ?? [];
  try {
    return z.string().safeParse(JSON.parse(quoted ?? 'null')).data;
  } catch {
    return undefined;
  }
}
