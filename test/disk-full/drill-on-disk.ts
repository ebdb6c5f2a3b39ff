import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { SmallDisk } from '../../src/engine/testing/small-disk.ts';
import type { WritePointMode } from './write-points.ts';

const root = join(import.meta.dirname, '../..');
const bin = join(root, 'bin/firedrill.mjs');
const preload = join(import.meta.dirname, 'write-points.ts');

/** A disk failure that starts at a given write. */
export interface WritePoint {
  readonly at: number;
  /** Regular expression for call and path: counting starts at the first match. Default: the first write. */
  readonly from?: string;
  readonly mode: WritePointMode;
}

/** Results of a drill on a disk, and of the commands after it. */
export interface ObservedState {
  /** Null: killed. */
  readonly exitCode: number | null;
  readonly output: string;
  /** Calls that change the disk, in order; the last ones happened after the failure started. */
  readonly points: readonly string[];
  /** Whether the fault ran. */
  readonly acted: boolean;
  /** Whether its effect remained after the drill. */
  readonly left: boolean;
  /** Number of undo records after the drill. */
  readonly records: number;
  /** Number of pending repair records after the drill, and whether the repair ran. */
  readonly pendingRepairs: number;
  readonly mended: boolean;
  /** Number of run folders. */
  readonly runs: number;
  /** Types of the events in the log, without samples. */
  readonly types: readonly string[];
  /** Whether the log has an invalid line, and whether it is the last line. */
  readonly torn: 'no' | 'last line' | 'WITHIN';
  /** Broken guarantees; expected: none. */
  readonly broken: readonly string[];
}

function scenario(work: string, state: string, faultFor: string): string {
  const effect = join(work, 'effect');
  // The fault creates `acted`, and `unrecorded` if it does not find the undo records of itself and of the repair. Its command
  // is longer than a disk block, so that its record and its event are too.
  const act = `test "$(ls ${state}/ledger/*.json | wc -l)" -eq 2 || touch ${work}/unrecorded; touch ${work}/acted ${effect}; : ${'y'.repeat(5000)}`;
  return `name: small
title: A file exists
steady: { for: 150ms, within: 120s }
faults:
  - kind: command
    on: here
    for: ${faultFor}
    run: [sh, -c, '${act}']
    effect: [test, -e, '${effect}']
    undo: [rm, -f, '${effect}']
    undone: [test, '!', -e, '${effect}']
repair:
  - { kind: command, on: here, run: [touch, '${join(work, 'mended')}'], repeatable: true }
recovery: { probe: there, within: 120s, stableFor: 150ms }
redundancy: { for: 100ms, within: 120s }
checks:
  - { kind: rto, max: 100s }
`;
}

function target(work: string, interval: string): string {
  // Large samples, so that the log needs another disk block several times during a drill.
  const long = 'x'.repeat(200);
  return `name: small
environment: test
hosts:
  here: { transport: local }
probes:
  - { id: there, kind: exec, on: here, argv: [sh, -c, 'echo ${long}; test ! -e ${join(work, 'effect')}'], interval: ${interval}, timeout: 2s }
steady: { require: [{ probe: there }], for: 150ms, within: 120s }
`;
}

/**
 * Runs a drill of the command line with all of its files on a disk that fails at `point`. Then, with the disk unchanged, it
 * runs `heal` (with records left also `status` before it and `heal` again after it). Then it frees the disk and runs `report`.
 * `faultFor` and `interval` determine how much disk space the samples take.
 */
export async function drillOnDisk(
  disk: SmallDisk,
  point?: WritePoint,
  { faultFor, interval } = { faultFor: '400ms', interval: '40ms' },
): Promise<ObservedState> {
  const work = mkdtempSync(join(tmpdir(), 'disk-full-'));
  const state = join(disk.folder, 'state');
  const out = join(disk.folder, 'reports');
  const note = join(work, 'points');
  writeFileSync(note, '');
  writeFileSync(join(work, 'scenario.yaml'), scenario(work, state, faultFor));
  writeFileSync(join(work, 'target.yaml'), target(work, interval));
  const firedrill = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    execa(process.execPath, [bin, ...args], {
      cwd: work,
      env: { FIREDRILL_STATE_DIR: state, ...env },
      reject: false,
      all: true,
      stdin: 'ignore',
      // Ends a command that hangs; a busy machine takes 1 min for a drill.
      timeout: 300_000,
    });
  const watched = {
    NODE_OPTIONS: `--import=${preload}`,
    WRITE_POINT_ROOT: disk.folder,
    WRITE_POINT_NOTE: note,
    ...(point === undefined
      ? {}
      : {
          WRITE_POINT_AT: String(point.at),
          WRITE_POINT_FROM: point.from ?? '',
          WRITE_POINT_MODE: point.mode,
        }),
  };
  try {
    const run = await firedrill(
      ['run', join(work, 'scenario.yaml'), '--target', join(work, 'target.yaml'), '--out', out],
      watched,
    );
    const { records, pendingRepairs } = recordsIn(state);
    const left = existsSync(join(work, 'effect'));
    const isMended = (): boolean => existsSync(join(work, 'mended'));
    const mended = isMended();
    const isOpen = records + pendingRepairs > 0;
    const status = isOpen ? await firedrill(['status']) : undefined;
    const heal = await firedrill(['heal']);
    const healedTo = existsSync(join(work, 'effect'));
    const mendedThen = isMended();
    const again = isOpen ? await firedrill(['heal']) : heal;
    disk.free();
    const runs = runsIn(out);
    const [folder] = runs;
    const log = folder === undefined ? { types: [], torn: 'no' as const } : readEvents(folder);
    // After a pass the reports exist already.
    const report =
      log.types.includes('run.started') && folder !== undefined && run.exitCode !== 0
        ? await firedrill(['report', folder])
        : undefined;
    const exitCode = run.exitCode ?? null;
    const seen = {
      exitCode,
      runs: runs.length,
      acted: existsSync(join(work, 'acted')),
      left,
      records,
      pendingRepairs,
      mended,
      ...log,
    };
    const broken = [
      ...problems(seen, run.all),
      ...(existsSync(join(work, 'unrecorded'))
        ? ['the fault ran without the undo records of itself and of the repair']
        : []),
      ...(status === undefined || status.exitCode === 4 ? [] : [`status exits ${status.exitCode}`]),
      ...(heal.exitCode === 0 ? [] : [`heal exits ${heal.exitCode}: ${heal.all}`]),
      ...(healedTo ? ['heal leaves the effect'] : []),
      ...(seen.acted && !mendedThen ? ['the repair did not run'] : []),
      ...(Object.values(recordsIn(state)).some((count) => count > 0) ? ['heal leaves a record'] : []),
      ...(again.exitCode === 0 && again.stdout === 'no open faults' ? [] : [`the second heal: ${again.all}`]),
      ...(report === undefined || report.exitCode === 0
        ? []
        : [`report exits ${report.exitCode}: ${report.all}`]),
      ...(report === undefined || existsSync(join(folder ?? '', 'summary.json')) ? [] : ['no summary.json']),
    ];
    const points = readFileSync(note, 'utf8').trimEnd().split('\n');
    return { ...seen, output: run.all, points, broken };
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** The broken guarantees of a drill that has ended, whatever happened to its disk. */
function problems(
  seen: Pick<
    ObservedState,
    'exitCode' | 'left' | 'records' | 'pendingRepairs' | 'mended' | 'acted' | 'types' | 'torn'
  >,
  output: string,
): string[] {
  const { exitCode, left, records, pendingRepairs, mended, acted, types, torn } = seen;
  const killed = exitCode === null;
  const rules: [boolean, string][] = [
    [left && records === 0, 'UNDO RECORD LOST: the effect exists, its record does not'],
    [torn === 'WITHIN', 'a torn line within the log'],
    [torn === 'last line' && !killed, 'a torn last line without a kill'],
    [left && !killed, 'the drill ended, but its effect remains'],
    [![null, 0, 3].includes(exitCode), `exit code ${exitCode}`],
    [output.includes('firedrill broke'), 'firedrill broke'],
    [exitCode === 3 && !/ENOSPC|EIO|EROFS|EDQUOT/.test(output), 'exit code 3 without a reason'],
    [exitCode === 0 && records + pendingRepairs > 0, 'a pass with an open record'],
    [acted && !mended && !killed, 'the drill ended, but its repair is pending'],
    [exitCode === 0 && types.at(-1) !== 'run.ended', 'a pass without run.ended as the last event'],
  ];
  return rules.flatMap(([isSo, what]) => (isSo ? [what] : []));
}

function recordsIn(state: string): Pick<ObservedState, 'records' | 'pendingRepairs'> {
  const ledger = join(state, 'ledger');
  if (!existsSync(ledger)) return { records: 0, pendingRepairs: 0 };
  const all = readdirSync(ledger).filter((name) => name.endsWith('.json'));
  const pendingRepairs = all.filter((name) => {
    const { repair = false } = JSON.parse(readFileSync(join(ledger, name), 'utf8')) as { repair?: boolean };
    return repair;
  }).length;
  return { records: all.length - pendingRepairs, pendingRepairs };
}

function runsIn(out: string): string[] {
  return existsSync(out) ? readdirSync(out).map((name) => join(out, name)) : [];
}

function readEvents(folder: string): Pick<ObservedState, 'types' | 'torn'> {
  const path = join(folder, 'events.ndjson');
  if (!existsSync(path)) return { types: [], torn: 'no' };
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  let torn: ObservedState['torn'] = 'no';
  const types: string[] = [];
  for (const [index, line] of lines.entries()) {
    try {
      const { type } = JSON.parse(line) as { type: string };
      if (type !== 'sample') types.push(type);
    } catch {
      torn = index === lines.length - 1 ? 'last line' : 'WITHIN';
    }
  }
  return { types, torn };
}
