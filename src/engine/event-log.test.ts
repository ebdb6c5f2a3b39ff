import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openEventLog } from './event-log.ts';
import { createSystemClock } from './system-clock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'events-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the event log', () => {
  test('has each event on disk as one line by the time append returns', () => {
    const path = join(folder, 'events.ndjson');
    const log = openEventLog(path, createSystemClock());
    const first = log.append({ type: 'phase.started', phase: 'steady' });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(first);
    log.append({ type: 'log', level: 'info', text: 'two\nlines' });
    log.close();
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(2);
  });

  test('never writes into the log of another run', () => {
    const path = join(folder, 'events.ndjson');
    openEventLog(path, createSystemClock()).close();
    expect(() => openEventLog(path, createSystemClock())).toThrow(/EEXIST/);
  });

  test('drops a listener that fails, says so, and goes on', () => {
    const path = join(folder, 'events.ndjson');
    const log = openEventLog(path, createSystemClock());
    const seen: string[] = [];
    let calls = 0;
    log.subscribe(() => {
      calls += 1;
      throw new Error('broken console');
    });
    log.subscribe((event) => seen.push(event.type));
    log.append({ type: 'run.ended' });
    log.append({ type: 'run.ended' });
    log.close();
    expect(calls).toBe(1);
    expect(seen).toEqual(['run.ended', 'run.ended']);
    expect(readFileSync(path, 'utf8')).toContain('a listener failed and is left out: broken console');
  });

  test.runIf(existsSync('/dev/full'))('says what to do when the disk takes no more', () => {
    // Appending to a full device: every write fails with ENOSPC.
    expect(() => {
      const log = openEventLog('/dev/full', createSystemClock(), { exclusive: false });
      log.append({ type: 'run.ended' });
    }).toThrow(/cannot append to \/dev\/full: ENOSPC/);
  });
});
