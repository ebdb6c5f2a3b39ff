import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Line } from './line.ts';
import { createLive, type Terminal } from './terminal.ts';

/** A terminal that accepts at most `room` more bytes. */
class SlowTerminal implements Terminal {
  columns = 40;
  room = Infinity;
  writes = 0;
  written = '';
  isGone = false;

  size() {
    return { columns: this.columns, rows: 10 };
  }

  write(bytes: Uint8Array): number {
    if (this.isGone) throw new Error('EIO');
    const taken = Math.min(this.room, bytes.length);
    this.room -= taken;
    this.writes++;
    this.written += Buffer.from(bytes.subarray(0, taken)).toString('latin1');
    return taken;
  }
}

const abilities = { color: false, unicode: true };
let terminal: SlowTerminal;
let frame = 0;
const view = (): Line[] => [[{ text: `frame ${frame++}` }], [{ text: 'below' }]];

beforeEach(() => {
  vi.useFakeTimers({
    toFake: [
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
      'setImmediate',
      'clearImmediate',
      'performance',
    ],
  });
  terminal = new SlowTerminal();
  frame = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

test('draws at most ten frames a second', () => {
  const live = createLive(terminal, abilities);
  live.show(view);
  for (let i = 0; i < 100; i++) {
    live.print(`line ${i}`);
    vi.advanceTimersByTime(10);
  }
  vi.advanceTimersByTime(1);
  expect(frame).toBeGreaterThan(5);
  expect(frame).toBeLessThanOrEqual(11);
  for (let i = 0; i < 90; i++) expect(terminal.written).toContain(`line ${i}\n`);
});

test('removes its block, and keeps the lines', () => {
  const live = createLive(terminal, abilities);
  const hide = live.show(view);
  live.print('stays');
  vi.advanceTimersByTime(500);
  terminal.written = '';
  hide();
  // Two lines of the block, and the empty line below it.
  expect(terminal.written.split('\u001B[2K')).toHaveLength(4);
  expect(stripVTControlCharacters(terminal.written)).toBe('');
  vi.advanceTimersByTime(500);
  live.print('after');
  expect(terminal.written).toContain('after\n');
});

test('skips frames for a blocked terminal, and does not wait for it', () => {
  const live = createLive(terminal, abilities);
  live.show(view);
  vi.advanceTimersByTime(100);
  terminal.room = 10;
  vi.advanceTimersByTime(300);
  const [frames, { writes }] = [frame, terminal];
  for (let i = 0; i < 2000; i++) live.print(`line ${i}`);
  vi.advanceTimersByTime(60_000);
  expect(frame).toBe(frames);
  // One attempt per tick, not one per line.
  expect(terminal.writes - writes).toBeLessThan(2700);

  terminal.room = Infinity;
  terminal.written = '';
  vi.advanceTimersByTime(200);
  expect(terminal.written).toContain('(1500 lines dropped: the terminal did not accept them)');
  expect(terminal.written).not.toContain('line 1499\n');
  expect(terminal.written).toContain('line 1500\n');
  expect(terminal.written).toContain(`frame ${frame - 1}`);
});

test('ends in time on a blocked terminal', async () => {
  const live = createLive(terminal, abilities);
  terminal.room = 0;
  live.print('never seen');
  const ended = live.end(1000);
  await vi.advanceTimersByTimeAsync(1100);
  await expect(ended).resolves.toBeUndefined();
});

test('writes pending lines at its end, once the terminal accepts them', async () => {
  const live = createLive(terminal, abilities);
  terminal.room = 0;
  live.print('late');
  const ended = live.end(1000);
  await vi.advanceTimersByTimeAsync(200);
  terminal.room = Infinity;
  await vi.advanceTimersByTimeAsync(100);
  await ended;
  expect(terminal.written).toContain('late\n');
});

test('hands pending lines over to the next writer, in order', () => {
  const live = createLive(terminal, abilities);
  live.show(view);
  vi.advanceTimersByTime(100);
  terminal.room = 5;
  live.print('first');
  live.print('second');
  vi.advanceTimersByTime(100);
  const rest = Buffer.from(live.handOver()).toString();
  const whole = terminal.written + rest;
  expect(whole.indexOf('first\n')).toBeGreaterThan(0);
  expect(whole.indexOf('second\n')).toBeGreaterThan(whole.indexOf('first\n'));
  // The block below them is removed again.
  expect(whole.slice(whole.lastIndexOf('below'))).toContain('\u001B[2K');
});

test('stops writing to a closed terminal', () => {
  const live = createLive(terminal, abilities);
  live.show(view);
  terminal.isGone = true;
  live.print('to nobody');
  vi.advanceTimersByTime(1000);
  expect(terminal.written).toBe('');
});

test('erases lines that a narrower terminal has wrapped', () => {
  const live = createLive(terminal, abilities);
  live.show(() => [[{ text: 'x'.repeat(39) }], [{ text: 'short' }]]);
  // A frame is drawn right after its timer.
  vi.advanceTimersByTime(101);
  terminal.columns = 15;
  terminal.written = '';
  vi.advanceTimersByTime(100);
  // 39 characters in 15 columns are three rows, the other line is one.
  expect(terminal.written).toContain('\u001B[4A\r\u001B[J');
});

test('escapes control characters in a line, and keeps its own line breaks', () => {
  const live = createLive(terminal, abilities);
  live.print('a\u001B[2J\rb\nc');
  expect(terminal.written).toContain('a\\u001b[2J\\u000db\nc\n');
});

test('removes a view that throws, and reports it', () => {
  const live = createLive(terminal, abilities);
  live.show(() => {
    throw new Error('no picture');
  });
  vi.advanceTimersByTime(200);
  live.print('goes on');
  expect(terminal.written).toContain('the live view failed: no picture\n');
  expect(terminal.written).toContain('goes on\n');
});
