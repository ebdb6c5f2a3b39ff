import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Transport } from '../core/plan.ts';
import { openLedger, type LedgerRecord } from './ledger.ts';
import { mountTmpfs, type SmallDisk, whyNoTmpfs } from './testing/small-disk.ts';

const record: LedgerRecord = {
  version: 1,
  runId: 'run-1',
  target: 'lab',
  faultId: 'fault-1',
  kind: 'container.stop',
  host: {
    name: 'alpha',
    address: '198.18.9.1',
    transport: { kind: 'docker', container: 'alpha-vm' },
    server: { cloud: 'lab', cloudsFile: '/etc/clouds.yaml', id: 'alpha' },
  },
  params: { container: 'web', graceSeconds: 10 },
  before: { status: 'running' },
  openedAt: '2026-01-01T00:00:00.000Z',
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the ledger', () => {
  test('gives another process back what it was told, oldest first', () => {
    const later = { ...record, faultId: 'fault-2', openedAt: '2026-01-01T00:00:01.000Z' };
    const ledger = openLedger(folder);
    ledger.open(later);
    ledger.open(record);
    expect(openLedger(folder).list()).toEqual([record, later]);
  });

  test('gives back each way to a host', () => {
    const transports: readonly Transport[] = [
      { kind: 'local' },
      { kind: 'docker', container: 'alpha-vm', context: 'far' },
      { kind: 'ssh', host: 'alpha' },
      {
        kind: 'ssh',
        host: 'alpha',
        user: 'ops',
        port: 2222,
        identityFile: '/keys/id',
        knownHosts: '/keys/known_hosts',
        config: '/keys/config',
        jump: 'bastion',
      },
    ];
    const ledger = openLedger(folder);
    for (const [index, transport] of transports.entries()) {
      ledger.open({ ...record, faultId: `fault-${index}`, host: { name: 'alpha', transport } });
    }
    expect(ledger.list().map((one) => one.host.transport)).toEqual(transports);
  });

  test('names files so that they are found from another folder, too', () => {
    const ledger = openLedger(folder);
    const transport = {
      kind: 'ssh',
      host: 'a',
      identityFile: 'id',
      knownHosts: 'kh',
      config: 'none',
    } as const;
    const server = { cloud: 'lab', cloudsFile: 'clouds.yaml', id: 'alpha' };
    ledger.open({ ...record, host: { ...record.host, transport, server } });
    expect(ledger.list()[0]?.host).toEqual({
      ...record.host,
      transport: { ...transport, identityFile: resolve('id'), knownHosts: resolve('kh') },
      server: { ...server, cloudsFile: resolve('clouds.yaml') },
    });
  });

  test('writes a record again, with what became of its repair', () => {
    const ledger = openLedger(folder);
    ledger.open({ ...record, repair: true });
    const issued = { ...record, repair: true, issued: { before: { startedAt: 'then' } } } as const;
    ledger.replace(issued);
    expect(openLedger(folder).list()).toEqual([issued]);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('forgets a fault that is proven healed', () => {
    const ledger = openLedger(folder);
    ledger.open(record);
    ledger.close(record);
    expect(ledger.list()).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('keeps hostile names inside its folder', () => {
    const ledger = openLedger(join(folder, 'inner'));
    ledger.open({ ...record, runId: '../../escape' });
    expect(readdirSync(folder)).toEqual(['inner']);
    expect(ledger.list()).toHaveLength(1);
  });

  test('never passes over a record that it cannot read, and has the others all the same', () => {
    const ledger = openLedger(folder);
    ledger.open(record);
    const put = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const torn = put('torn.json', '{"version":1,"runId"');
    const cut = put('cut.json', '{\n  "version": 1,\n  "target": "shop \\"two\\"",\n  "faultId": "fau');
    const newer = put('newer.json', JSON.stringify({ ...record, version: 2 }));
    expect(ledger.list()).toEqual([record]);
    const unreadable = ledger.unreadable();
    expect(Object.fromEntries(unreadable.map(({ path, target }) => [path, target]))).toEqual({
      [torn]: undefined,
      [cut]: 'shop "two"',
      [newer]: record.target,
    });
    for (const { path, message, mend } of unreadable) {
      expect(message).toContain(`the undo record ${path} cannot be read: `);
      expect(mend).toContain(`rm ${path}`);
    }
    expect(unreadable.find(({ path }) => path === newer)?.message).toMatch(/read: version: /);
  });

  test('leaves half-written records out: their fault was never injected', () => {
    writeFileSync(join(folder, 'run-1--fault-1.json.tmp'), '{"version":1,');
    expect(openLedger(folder).list()).toEqual([]);
  });
});

test.each(['../../outside', '/tmp/outside', 'a\0b', 'CON', 'x'.repeat(400)])(
  'keeps the record of a run and fault called %j in its own folder, and finds it again',
  (name) => {
    const ledger = openLedger(folder);
    const odd = { ...record, runId: name, faultId: name };
    ledger.open(odd);
    expect(readdirSync(folder)).toHaveLength(1);
    expect(ledger.list()).toEqual([odd]);
    ledger.close(odd);
    expect(readdirSync(folder)).toEqual([]);
  },
);

const noTmpfs = whyNoTmpfs();

describe.skipIf(noTmpfs !== undefined)('the ledger on a full disk', () => {
  let disk: SmallDisk;
  beforeEach(() => {
    disk = mountTmpfs(256);
  });
  afterEach(() => disk.unmount());

  test('lists and closes what is open: neither needs space', () => {
    const ledger = openLedger(join(disk.folder, 'ledger'));
    ledger.open(record);
    disk.fill();
    expect(ledger.list()).toEqual([record]);
    ledger.close(record);
    expect(readdirSync(ledger.directory)).toEqual([]);
  });

  test('keeps a record as it was that cannot be written again', () => {
    const ledger = openLedger(join(disk.folder, 'ledger'));
    ledger.open(record);
    disk.fill();
    expect(() => ledger.replace({ ...record, issued: { before: 'x'.repeat(10_000) } })).toThrow(
      /fault-1\.json cannot be written again/,
    );
    expect(ledger.list()).toEqual([record]);
    expect(readdirSync(ledger.directory)).toHaveLength(1);
  });

  test('opens a record whole or not at all', () => {
    const ledger = openLedger(join(disk.folder, 'ledger'));
    ledger.open(record);
    disk.fill(4096);
    const long = { ...record, faultId: 'fault-2', params: 'x'.repeat(10_000) };
    expect(() => ledger.open(long)).toThrow(/cannot write the undo record .*fault-2\.json: ENOSPC/);
    expect(ledger.list()).toEqual([record]);
    expect(readdirSync(ledger.directory)).toHaveLength(1);
  });
});

test('the ledger of a user without faults is read without being made', () => {
  const ledger = openLedger(join(folder, 'none'));
  expect(ledger.list()).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});
