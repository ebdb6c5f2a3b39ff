import type { Clock } from '../../../src/core/clock.ts';
import { DrillError } from '../../../src/core/errors.ts';
import type { ExecResult, Host } from '../../../src/core/host.ts';
import { runMs } from '../../../src/core/time.ts';
import { armLease, endLease, renewLeases } from '../../../src/engine/leases.ts';
import { simulatedClock } from '../../../src/engine/testing/simulated-clock.ts';
import { undoRecord } from '../../../src/engine/testing/undo-record.ts';
import { faultKind } from '../../../src/faults/catalog.ts';
import { neverFollowed } from '../../../src/hosts/testing/never-followed.ts';

/** The text below a heading, up to the next heading of the same level. */
export function sectionOf(text: string, heading: string, level = '## '): string {
  const parts = `\n${text}`.split(`\n${level}`);
  const part = parts.slice(1).find((one) => one.split('\n', 1)[0] === heading);
  if (part === undefined) throw new Error(`no heading "${heading}"`);
  return part;
}

/** The cells of a table's row, trimmed. */
export function cellsOf(row: string): string[] {
  return row
    .slice(1, row.lastIndexOf('|'))
    .split('|')
    .map((cell) => cell.trim());
}

/** The rows of each table of a text, without the headings of columns. */
export function tablesOf(text: string): string[][][] {
  const tables: string[][][] = [];
  let rows: string[][] | undefined;
  for (const line of text.replaceAll(/```[^]*?```/g, '').split('\n')) {
    if (!line.startsWith('|')) rows = undefined;
    else if (rows === undefined) tables.push((rows = []));
    else if (!/^\|[-: |]+$/.test(line)) rows.push(cellsOf(line));
  }
  return tables;
}

/** A column of a table by the cells of its first one. */
export function columnOf(rows: readonly (readonly string[])[], column = 1): Map<string, string> {
  return new Map(rows.map((row) => [row[0] ?? '', row[column] ?? '']));
}

/** The lines of a text's fences with the language `text`. */
export function textBlockOf(text: string): string[] {
  return [...text.matchAll(/```text\n([^]*?)\n```/g)].flatMap(([, lines = '']) => lines.split('\n'));
}

/** A text without tables and fences of results. Drawings (fences without a language) stay: their figures are checked, too. */
export function proseOf(text: string): string {
  return text.replaceAll(/```text\n[^]*?\n```/g, '').replaceAll(/^\|.*$/gm, '');
}

/** `1.50 s`, `20 ms`, and so on, in a text. */
export function figuresIn(text: string): string[] {
  return [...text.matchAll(/\b\d+(?:\.\d+)? (?:ms|s)\b/g)].map(([figure]) => figure);
}

/** `1.50 s` or `20 ms` as ms. */
export function toMs(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?) (ms|s)$/.exec(text.trim()) ?? [];
  if (number === undefined) throw new Error(`not a duration: "${text}"`);
  return Math.round(Number(number) * (unit === 's' ? 1000 : 1) * 1000) / 1000;
}

/** What happens to a fault with a lease, ms since its timer was armed. */
export interface LeaseCase {
  readonly leaseMs: number;
  /** A connection that brings nothing for this long is closed. */
  readonly giveUpMs: number;
  readonly healedMs: number | undefined;
  readonly killedMs: number | undefined;
  /** Beginning and end of a time in which no command reaches the host; empty without one. */
  readonly cutMs: readonly number[];
}

const at = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/**
 * Runs the lease code of a drill on a simulated clock, against a host that keeps timers as systemd does. Returns a line for each
 * thing that happens.
 */
export async function leaseTimeline(lease: LeaseCase): Promise<string[]> {
  const clock = simulatedClock();
  const signal = new AbortController().signal;
  const lines: string[] = [];
  const note = (text: string): void => {
    lines.push(`${at(clock.nowMs()).padStart(6)}  ${text}`);
  };
  const timers = new Timers(clock, note);
  const [cutFromMs = Infinity, cutToMs = Infinity] = lease.cutMs;
  const host: Host = {
    name: 'alpha',
    transport: 'fake',
    follow: neverFollowed,
    exec: async (argv) => {
      if (clock.nowMs() < cutFromMs || clock.nowMs() >= cutToMs) return timers.run(argv);
      note('firedrill tries to renew the lease');
      await clock.sleep(lease.giveUpMs, signal);
      throw new DrillError('host-unreachable', 'alpha: the connection broke');
    },
  };
  const ctx = { host, server: undefined, clock, signal };
  const record = undoRecord({ lease: { tag: 'ab12cd34', ms: lease.leaseMs } });
  await armLease(ctx, record);
  const open = [{ record, kind: faultKind('command')!, sinceMs: runMs(0) }];
  const log = {
    append: (event: { type: string }) => {
      if (event.type === 'log') note('no answer: the lease is not renewed');
      return { ...event, t: clock.nowMs() } as never;
    },
  };
  const keeper = renewLeases({ clock, log, open, accessTo: () => ({ host, server: undefined }) });
  const steps: readonly (readonly [number | undefined, () => void | Promise<void>])[] = [
    [lease.cutMs[0], () => note('the path to the host is cut')],
    [lease.cutMs[1], () => note('the path is back')],
    [
      lease.healedMs,
      async () => {
        note('firedrill heals the fault');
        await keeper.release(record.faultId);
        await endLease(ctx, record);
      },
    ],
    [
      lease.killedMs,
      async () => {
        note('firedrill is killed');
        await keeper.stop();
      },
    ],
  ];
  for (const [ms, step] of steps) {
    if (ms === undefined) continue;
    await clock.sleep(ms - clock.nowMs(), signal);
    await step();
  }
  await clock.sleep(10 * lease.leaseMs, signal);
  await keeper.stop();
  return lines;
}

/** The timers of a simulated host. They fire on the simulated clock. `note` gets a line for each change. */
class Timers {
  readonly #active = new Map<string, AbortController>();
  readonly #clock: Clock;
  readonly #note: (text: string) => void;

  constructor(clock: Clock, note: (text: string) => void) {
    this.#clock = clock;
    this.#note = note;
  }

  /** The commands of a lease: arm, renew, stop, list. */
  run(argv: readonly string[]): ExecResult {
    const command = argv.join(' ');
    const [, number, ms] = /--unit='?firedrill-\w+-(\d+)'? '?--on-active=(\d+)ms/.exec(command) ?? [];
    if (number !== undefined) {
      if (argv[0] !== 'systemd-run' && this.#active.size === 0)
        return { exitCode: 1, stdout: '', stderr: 'no older timer is left: one has fired' };
      const does = argv[0] === 'systemd-run' ? 'arms' : 'renews the lease:';
      this.#stopAll();
      this.#start(number, Number(ms));
      this.#note(`firedrill ${does} timer ${number}, which fires at ${at(this.#clock.nowMs() + Number(ms))}`);
    } else if (argv[1] === 'stop') {
      for (const timer of this.#active.keys()) this.#note(`firedrill stops timer ${timer}`);
      this.#stopAll();
    }
    return {
      exitCode: 0,
      stdout: argv[1] === 'list-units' ? [...this.#active.keys()].join() : '',
      stderr: '',
    };
  }

  #stopAll(): void {
    for (const timer of this.#active.values()) timer.abort();
    this.#active.clear();
  }

  #start(number: string, ms: number): void {
    const stopped = new AbortController();
    this.#active.set(number, stopped);
    // Rejects when the timer is stopped.
    this.#fire(number, ms, stopped.signal).catch(() => undefined);
  }

  async #fire(number: string, ms: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(ms, signal);
    this.#active.delete(number);
    this.#note(`timer ${number} fires: the host undoes the fault`);
  }
}
