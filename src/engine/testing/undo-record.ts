import type { LedgerRecord } from '../ledger.ts';

/** An undo record of a command on host alpha, which `rm /x` undoes. */
export function undoRecord(more: Partial<LedgerRecord>): LedgerRecord {
  return {
    version: 1,
    runId: 'r',
    target: 't',
    faultId: 'cut',
    kind: 'command',
    host: { name: 'alpha', transport: { kind: 'local' } },
    params: {},
    before: null,
    undo: 'rm /x',
    openedAt: '2026-01-01T00:00:00.000Z',
    ...more,
  };
}
