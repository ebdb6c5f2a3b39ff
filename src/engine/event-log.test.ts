import { mkdtempSync, readFileSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DrillError } from '../core/errors.ts';
import type { DrillEvent } from '../core/event.ts';
import { runMs } from '../core/time.ts';
import { type EventLog, openEventLog } from './event-log.ts';
import { simulatedClock } from './testing/simulated-clock.ts';
import { mountTmpfs, type SmallDisk, whyNoTmpfs } from './testing/small-disk.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'events-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the event log', () => {
  test('has written each event as one line when append returns', () => {
    const path = join(folder, 'events.ndjson');
    const log = openEventLog(path, simulatedClock());
    const first = log.append({ type: 'phase.started', phase: 'steady' });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(first);
    log.append({ type: 'log', level: 'info', text: 'two\nlines' });
    log.close();
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(2);
  });

  test('never writes into the log of another run', () => {
    const path = join(folder, 'events.ndjson');
    openEventLog(path, simulatedClock()).close();
    expect(() => openEventLog(path, simulatedClock())).toThrow(/EEXIST/);
  });

  test('removes a listener that fails, logs that, and goes on', () => {
    const path = join(folder, 'events.ndjson');
    const log = openEventLog(path, simulatedClock());
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
    expect(readFileSync(path, 'utf8')).toContain(
      'an event listener failed and gets no more events: broken console',
    );
  });
});

const noTmpfs = whyNoTmpfs();

describe.skipIf(noTmpfs !== undefined)('the event log on a full disk', () => {
  let disk: SmallDisk;
  let path: string;
  beforeEach(() => {
    disk = mountTmpfs(1024);
    path = join(disk.folder, 'events.ndjson');
  });
  afterEach(() => disk.unmount());

  const linesOf = (): DrillEvent[] => {
    const lines = readFileSync(path, 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    return lines.map((line) => JSON.parse(line) as DrillEvent);
  };
  const mark = { type: 'mark', probe: 'p', name: 'n', atMs: runMs(1), text: 'x'.repeat(500) } as const;
  /** Appends until the log's last block is full, too. */
  const breakIt = (log: EventLog): number => {
    disk.fill();
    let count = 0;
    for (; !log.broken.aborted; count++) log.append(mark);
    return count;
  };

  test('takes the events that end a run, even if another program fills the freed space', () => {
    const log = openEventLog(path, simulatedClock());
    log.broken.addEventListener('abort', () => disk.fill());
    const seen = breakIt(log);
    for (let i = 0; i < 200; i++) log.append({ type: 'heal.started', fault: `fault-${i}` });
    log.append({ type: 'run.ended' });
    log.close();
    const events = linesOf();
    expect(events.filter(({ type }) => type === 'mark')).toHaveLength(seen);
    expect(events.filter(({ type }) => type === 'heal.started')).toHaveLength(200);
    expect(events.at(-1)?.type).toBe('run.ended');
  });

  test('aborts `broken` once, with file and hint, and fails sync()', () => {
    const log = openEventLog(path, simulatedClock());
    let reported = 0;
    log.broken.addEventListener('abort', () => (reported += 1));
    breakIt(log);
    for (let i = 0; i < 3000; i++) log.append(mark);
    expect(reported).toBe(1);
    const reason = log.broken.reason as DrillError;
    expect(reason).toMatchObject({
      code: 'harness',
      hint: expect.stringContaining('Free space on that disk'),
    });
    expect(reason.message).toContain(`cannot write ${path}: ENOSPC`);
    expect(() => log.sync()).toThrow(reason);
    log.close();
  });

  test('keeps complete lines, leaves space for the end of the run, and counts the missing events', () => {
    const log = openEventLog(path, simulatedClock());
    const before = breakIt(log);
    for (let i = 0; i < 1000; i++) log.append(mark);
    const message = 'x'.repeat(500);
    for (let i = 0; i < 100; i++) log.append({ type: 'heal.failed', fault: `fault-${i}`, message });
    log.close();
    const events = linesOf();
    const kept = events.filter(({ type }) => type === 'mark').length;
    expect(kept).toBeGreaterThan(before);
    expect(events.filter(({ type }) => type === 'heal.failed')).toHaveLength(100);
    expect(events.at(-1)).toMatchObject({
      type: 'log',
      level: 'error',
      text: `the disk rejected writes: ${before + 1000 - kept} events are missing`,
    });
  });

  test('goes on with complete lines when space becomes free', () => {
    const log = openEventLog(path, simulatedClock());
    breakIt(log);
    for (let i = 0; i < 2000; i++) log.append({ type: 'log', level: 'info', text: 'x'.repeat(300) });
    disk.free();
    log.append({ type: 'run.ended' });
    log.close();
    expect(linesOf().at(-2)?.type).toBe('run.ended');
  });

  test('is not opened without space for the reserve, and leaves no file', () => {
    disk.fill(200 * 1024);
    expect(() => openEventLog(path, simulatedClock())).toThrow(
      `cannot write ${path} with 256 KiB in reserve for the events that end a run: ENOSPC`,
    );
    expect(readdirSync(disk.folder)).toEqual(['filler']);
  });

  test('holds its reserve in a file without a name, and frees it', () => {
    const freeKib = (): number => statfsSync(disk.folder).bavail * 4;
    const before = freeKib();
    const log = openEventLog(path, simulatedClock());
    expect(before - freeKib()).toBe(256);
    expect(readdirSync(disk.folder)).toEqual(['events.ndjson']);
    log.close();
    expect(freeKib()).toBe(before);
  });
});
