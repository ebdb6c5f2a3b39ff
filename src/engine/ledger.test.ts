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
  test('returns the records to another process, oldest first', () => {
    const later = { ...record, faultId: 'fault-2', openedAt: '2026-01-01T00:00:01.000Z' };
    const ledger = openLedger(folder);
    ledger.open(later);
    ledger.open(record);
    expect(openLedger(folder).list()).toEqual([record, later]);
  });

  test('stores each kind of transport', () => {
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

  test('stores absolute file paths, so that they work from another folder', () => {
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

  test('replaces a record with the issue state of its repair', () => {
    const ledger = openLedger(folder);
    ledger.open({ ...record, repair: true });
    const issued = { ...record, repair: true, issued: { before: { startedAt: 'then' } } } as const;
    ledger.replace(issued);
    expect(openLedger(folder).list()).toEqual([issued]);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('removes the record of a healed fault', () => {
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

  test('reports each unreadable record, and lists the others', () => {
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
    for (const { path, message, hint } of unreadable) {
      expect(message).toContain(`the undo record ${path} cannot be read: `);
      expect(hint).toContain(`rm ${path}`);
    }
    expect(unreadable.find(({ path }) => path === newer)?.message).toMatch(/read: version: /);
  });

  test('ignores partial records, because their fault was not injected', () => {
    writeFileSync(join(folder, 'run-1--fault-1.json.tmp'), '{"version":1,');
    expect(openLedger(folder).list()).toEqual([]);
  });
});

test.each(['../../outside', '/tmp/outside', 'a\0b', 'CON', 'x'.repeat(400)])(
  'the record of a run and fault called %j stays in the ledger’s folder, and is found again',
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

  test('lists and closes records without free space', () => {
    const ledger = openLedger(join(disk.folder, 'ledger'));
    ledger.open(record);
    disk.fill();
    expect(ledger.list()).toEqual([record]);
    ledger.close(record);
    expect(readdirSync(ledger.directory)).toEqual([]);
  });

  test('keeps the old record if it cannot be replaced', () => {
    const ledger = openLedger(join(disk.folder, 'ledger'));
    ledger.open(record);
    disk.fill();
    expect(() => ledger.replace({ ...record, issued: { before: 'x'.repeat(10_000) } })).toThrow(
      /cannot rewrite .*fault-1\.json/,
    );
    expect(ledger.list()).toEqual([record]);
    expect(readdirSync(ledger.directory)).toHaveLength(1);
  });

  test('writes a record completely or not at all', () => {
    const ledger = openLedger(join(disk.folder, 'ledger'));
    ledger.open(record);
    disk.fill(4096);
    const long = { ...record, faultId: 'fault-2', params: 'x'.repeat(10_000) };
    expect(() => ledger.open(long)).toThrow(/cannot write the undo record .*fault-2\.json: ENOSPC/);
    expect(ledger.list()).toEqual([record]);
    expect(readdirSync(ledger.directory)).toHaveLength(1);
  });
});

test('reading the ledger of a user without faults does not create it', () => {
  const ledger = openLedger(join(folder, 'none'));
  expect(ledger.list()).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});
