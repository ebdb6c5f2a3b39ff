import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { limitWords } from '../../core/format-duration.ts';
import type { Host } from '../../core/host.ts';
import { shorten } from '../../core/shorten.ts';
import { coarseMs, parsePulse, pulseScript, staleAfterMs, type Pulse } from './pulse.ts';

/** A line that was added to the file, and when: between two moments of the host's clock, ms since the Unix epoch. */
export interface FileLine {
  readonly text: string;
  readonly minMs: number;
  readonly maxMs: number;
}

/** Whether all lines that were added up to a moment ago have been read. */
export type FileState = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** `tail` looks that often where it is not told of changes (busybox, network filesystems). */
const tailPollMs = 1000;
const reopenAfterMs = 1000;
/** Lines that are read again after a break, to find those that were added meanwhile. */
const reopenLines = 1000;

// A sign of life says whether the file can be read, too. The nonce tells it from a line of the file.
const script = `
nonce=$1 file=$2 lines=$3
${pulseScript('if [ -r "$file" ]; then is=there; else is=gone; fi; date "+$nonce %s.%N $is"')}
exec tail -n "$lines" -F -- "$file" 2>/dev/null`;

/**
 * Follows what is added to a file on a host, also through rotation (`tail -F`). Signs of life between the lines give each of
 * them the bounds of its time. After a break the lines that came meanwhile are found by the last one that was read.
 */
export class FollowedFile {
  readonly #host: Host;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #onLine: (line: FileLine) => void;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  readonly #nonce = `pulse-${randomUUID()}`;
  /** The last line that was read; undefined while the file was empty. */
  #lastLine: string | undefined;
  /** Read since the last sign of life. */
  #pending: string[] = [];
  /** The beginning of a line that a sign of life came into. */
  #torn = '';
  /** The last sign of life, of any run. */
  #pulse: Pulse | undefined;
  /** When it came, run clock; undefined before the first one of this run. */
  #pulseAtMs: number | undefined;
  #isThere = false;
  #broken = 'it has not started';
  /** Set once if it is unknown which lines are new after a break. */
  #gap = false;

  constructor(host: Host, path: string, clock: Clock, onLine: (line: FileLine) => void) {
    this.#host = host;
    this.#path = path;
    this.#clock = clock;
    this.#onLine = onLine;
    this.#running = this.#run();
  }

  /** The state; a gap is reported once. */
  takeState(): FileState {
    const name = `${this.#path} on ${this.#host.name}`;
    if (this.#pulseAtMs === undefined) return { ok: false, why: `${name} is not followed: ${this.#broken}` };
    if (this.#clock.nowMs() - this.#pulseAtMs > staleAfterMs)
      return { ok: false, why: `following ${name} gave no sign of life for ${limitWords(staleAfterMs)}` };
    if (!this.#isThere) return { ok: false, why: `${name} cannot be read` };
    if (!this.#gap) return { ok: true };
    this.#gap = false;
    return { ok: false, why: `lines of ${name} were missed while it could not be followed` };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#broken = await this.#follow(signal);
      this.#pulseAtMs = undefined;
      this.#pending = [];
      this.#torn = '';
      if (signal.aborted) return;
      await this.#clock.sleep(reopenAfterMs, signal).catch(() => {});
    }
  }

  async #follow(signal: AbortSignal): Promise<string> {
    // The first run reads one line, to know it again.
    const lines = this.#pulse === undefined ? 1 : reopenLines;
    const argv = ['sh', '-c', script, 'log-file', this.#nonce, this.#path, String(lines)];
    try {
      const following = this.#host.follow(argv, signal);
      for (;;) {
        const step = await following.next();
        if (step.done === true)
          return shorten(`tail ended with exit code ${step.value.exitCode}: ${step.value.stderr.trim()}`);
        this.#take(step.value);
      }
    } catch (error) {
      return shorten(messageOf(error));
    }
  }

  #take(line: string): void {
    const at = line.indexOf(this.#nonce);
    if (at < 0) {
      this.#pending.push(this.#torn + line);
      this.#torn = '';
      return;
    }
    // The file's writer had written half a line.
    this.#torn += line.slice(0, at);
    const [, stamp = '', is] = line.slice(at).split(' ');
    const pulse = parsePulse(stamp);
    if (pulse === undefined) return;
    this.#isThere = is === 'there';
    this.#give(pulse);
    this.#pulse = pulse;
    this.#pulseAtMs = this.#clock.nowMs();
  }

  /** Hands on what was read between the last sign of life and this one. */
  #give(pulse: Pulse): void {
    const lines = this.#pulseAtMs === undefined ? this.#newIn(this.#pending) : this.#pending;
    this.#lastLine = this.#pending.at(-1) ?? this.#lastLine;
    this.#pending = [];
    const maxMs = pulse.wallMs + (pulse.isCoarse ? coarseMs : 0);
    const minMs = Math.min(maxMs, (this.#pulse ?? pulse).wallMs - tailPollMs);
    for (const text of lines) this.#onLine({ text, minMs, maxMs });
  }

  /** Those of a run's first lines that were not read before the break. */
  #newIn(lines: readonly string[]): readonly string[] {
    if (this.#pulse === undefined) return [];
    if (this.#lastLine === undefined) return lines;
    const known = lines.lastIndexOf(this.#lastLine);
    if (known < 0 && lines.length > 0) this.#gap = true;
    return known < 0 ? [] : lines.slice(known + 1);
  }
}
