import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LedgerRecord } from '../../engine/ledger.ts';
import { locksFolder, userLedger } from '../run-folder.ts';
import { lockTargets } from '../target-lock.ts';
import { forgetCommand, healCommand, statusCommand } from './heal.ts';
import { temporaryFolder } from '../../../test/temporary-folder.ts';

const stop = { abandonHeals: new AbortController().signal };
let folder: string;
let out: string[];
let progress: string[];
const output = {
  data: (text: string) => void out.push(text),
  text: (text: string) => void out.push(text),
  progress: (line: string) => void progress.push(line),
};
beforeEach(() => {
  folder = temporaryFolder();
  vi.stubEnv('FIREDRILL_STATE_DIR', folder);
  out = [];
  progress = [];
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const mark = (name: string): string => join(folder, name);
/** A command on this machine whose undo, or whose repair, writes its name into one file. */
const record = (faultId: string, more: Partial<LedgerRecord> = {}): LedgerRecord => {
  const note = ['sh', '-c', `echo ${faultId} >>${mark('done')}`];
  return {
    version: 1,
    runId: 'r',
    target: 'shop',
    faultId,
    kind: 'command',
    host: { name: 'here', transport: { kind: 'local' } },
    params:
      more.repair === true
        ? { run: note, timeout: 120_000 }
        : { run: ['true'], undo: note, timeout: 120_000 },
    before: null,
    openedAt: `2026-01-01T00:00:0${userLedger().list().length}Z`,
    ...more,
  };
};
const open = (...records: readonly Parameters<typeof record>[]): void => {
  for (const parts of records) userLedger().open(record(...parts));
};

describe('heal', () => {
  test('undoes faults newest first, then does the repairs in order', async () => {
    open(['fault-1'], ['repair-1', { repair: true }], ['repair-2', { repair: true }], ['fault-2']);
    expect(await healCommand(output, stop)).toBe(0);
    expect(out).toEqual([
      'healed, proven: r fault-2: command on here\n',
      'healed, proven: r fault-1: command on here\n',
      'repaired: r repair-1: command on here\n',
      'repaired: r repair-2: command on here\n',
    ]);
    expect(userLedger().list()).toEqual([]);
  });

  test('does no repair while a fault of its run is not healed', async () => {
    const machine = { id: 'another', bootId: 'boot' };
    open(
      ['fault-1', { machine }],
      ['repair-1', { repair: true }],
      ['repair-2', { repair: true, runId: 's' }],
    );
    expect(await healCommand(output, stop)).toBe(4);
    expect(out).toEqual([
      expect.stringMatching(/^NOT healed: r fault-1: .*another machine/),
      'NOT repaired: r repair-1: command on here: other faults of its run are not healed yet\n',
      'repaired: s repair-2: command on here\n',
    ]);
    expect(
      userLedger()
        .list()
        .map(({ faultId }) => faultId),
    ).toEqual(['fault-1', 'repair-1']);
  });

  test('does no repair for a fault that was not injected before firedrill ended', async () => {
    open(['fault-1'], ['repair-1', { repair: true, awaitsFault: true }]);
    expect(statusCommand(output, false)).toBe(4);
    expect(out[1]).toMatch(/target shop, a repair that is not needed: its fault was not injected\n$/);
    out = [];
    expect(await healCommand(output, stop)).toBe(0);
    expect(out).toEqual([
      'healed, proven: r fault-1: command on here\n',
      'not needed: r repair-1: command on here: its fault was not injected\n',
    ]);
    expect(readFileSync(mark('done'), 'utf8')).toBe('fault-1\n');
    expect(userLedger().list()).toEqual([]);
  });

  test('does not repeat a repair whose outcome is unknown, and prints a hint', async () => {
    open(['repair-1', { repair: true, issued: { before: null } }]);
    expect(statusCommand(output, false)).toBe(4);
    expect(out[0]).toMatch(/target shop, a repair whose outcome is unknown\n$/);
    expect(await healCommand(output, stop)).toBe(4);
    expect(out.at(-1)).toMatch(
      /^NOT repaired: r repair-1: command on here: repair .* is not repeated: its outcome is unknown/,
    );
    expect(progress.at(-1)).toMatch(/firedrill heal --forget r\/repair-1/);
    expect(existsSync(mark('done'))).toBe(false);
    expect(userLedger().list()).toHaveLength(1);
  });

  test('skips the faults of a running drill, and heals the others', async () => {
    open(['fault-1'], ['repair-1', { repair: true }], ['fault-2', { target: 'other', runId: 's' }]);
    const unlock = lockTargets(locksFolder(), ['shop'], 'run');
    expect(statusCommand(output, false)).toBe(4);
    expect(out[0]).toMatch(/target shop; its target is locked: `run` by .*, process \d+, since/);
    expect(out[1]).toMatch(/target shop, a pending repair; its target/);
    out = [];
    expect(await healCommand(output, stop)).toBe(5);
    expect(progress[0]).toMatch(/^target shop is locked: `run` by /);
    expect(progress[1]).toMatch(/hint: Wait until it ends, or stop it with `kill \d+`; .* pass --force\.$/);
    expect(out).toEqual([
      'not healed: target shop is locked; its holder heals the faults\n',
      'healed, proven: s fault-2: command on here\n',
    ]);
    expect(() => forgetCommand('r/fault-1', output)).toThrow(/^target shop is locked: `run` by /);
    expect(userLedger().list()).toHaveLength(2);
    unlock();
    progress = [];
    expect(await healCommand(output, stop)).toBe(0);
    expect(progress).toEqual(['healing r fault-1: command on here', 'repairing r repair-1: command on here']);
  });

  test('does each repair once when two heals run at once', async () => {
    open(['fault-1'], ['repair-1', { repair: true }]);
    const codes = await Promise.all([healCommand(output, stop), healCommand(output, stop)]);
    expect(codes.toSorted()).toEqual([0, 5]);
    expect(readFileSync(mark('done'), 'utf8')).toBe('fault-1\nrepair-1\n');
    expect(out).toContain('not healed: target shop is locked; its holder heals the faults\n');
    // It has removed its locks.
    lockTargets(locksFolder(), ['shop'], 'run')();
  });

  test('heals faults of a running drill with --force', async () => {
    open(['fault-1'], ['fault-2']);
    const unlock = lockTargets(locksFolder(), ['shop'], 'run');
    forgetCommand('r/fault-2', output, { force: true });
    expect(await healCommand(output, stop, { force: true })).toBe(0);
    expect(progress.slice(0, 2)).toEqual([
      expect.stringMatching(/^target shop is locked: `run` by /),
      '  --force: healing its faults anyway',
    ]);
    expect(out.at(-1)).toBe('healed, proven: r fault-1: command on here\n');
    expect(userLedger().list()).toEqual([]);
    unlock();
  });

  test('heals readable records, and reports an unreadable one with a hint', async () => {
    open(['fault-1'], ['repair-1', { repair: true }], ['repair-2', { repair: true, runId: 's' }]);
    const path = join(folder, 'ledger', 'r--fault-9.json');
    writeFileSync(path, '{"version":1,"target":"other","fau');
    const hint = `hint: Run \`firedrill heal\` with the version that wrote it. Or run the file's \`undo\` command on the host that it names, then delete the file: rm ${path}`;
    expect(statusCommand(output, false)).toBe(4);
    expect(out[0]).toMatch(`the undo record ${path} cannot be read: `);
    expect(out[0]).toMatch(/, target other\n$/);
    expect(out[1]).toMatch(/r\/fault-1: command on here/);
    expect(progress).toEqual([`  ${hint}`]);
    out = [];
    expect(await healCommand(output, stop)).toBe(4);
    expect(out).toEqual([
      expect.stringContaining(`NOT healed: the undo record ${path} cannot be read: `),
      'healed, proven: r fault-1: command on here\n',
      'NOT repaired: r repair-1: command on here: other faults of its run are not healed yet\n',
      'repaired: s repair-2: command on here\n',
    ]);
    out = [];
    expect(statusCommand(output, true)).toBe(4);
    expect(JSON.parse(out.join(''))).toMatchObject({
      openFaults: [{ faultId: 'repair-1' }],
      unreadable: [{ path, target: 'other' }],
    });
  });
});
