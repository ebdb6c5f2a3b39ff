import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { limitText } from '../../core/format-duration.ts';
import type { Host } from '../../core/host.ts';
import { shorten } from '../../core/shorten.ts';
import { earlier, earliest, later, type RunMs, type WallMs } from '../../core/time.ts';
import { coarseMs, parsePulse, pulseScript, staleAfterMs, type Pulse } from './pulse.ts';

/**
 * A line that was added to the file, with bounds of its time on the host's clock, in ms since the Unix epoch.
 */
export interface FileLine {
  readonly text: string;
  readonly minMs: WallMs;
  readonly maxMs: WallMs;
}

/** Whether all lines up to the last heartbeat have been read. */
export type FileState = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** Poll interval of `tail` without change notifications (busybox, network file systems). */
const tailPollMs = 1000;
const reopenAfterMs = 1000;
/** Number of lines that are read again after a break, to find the lines that were added meanwhile. */
const reopenLines = 1000;

// A heartbeat also contains whether the file can be read. The nonce distinguishes it from a line of the file.
const script = `
nonce=$1 file=$2 lines=$3
${pulseScript('if [ -r "$file" ]; then is=there; else is=gone; fi; date "+$nonce %s.%N $is"')}
exec tail -n "$lines" -F -- "$file" 2>/dev/null`;

/**
 * Follows the lines that are added to a file on a host, also through rotation (`tail -F`). Heartbeats between
 * the lines give each line the bounds of its time. After a break, the last line that was read shows which
 * lines are new.
 */
export class FollowedFile {
  readonly #host: Host;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #onLine: (line: FileLine) => void;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  readonly #nonce = `pulse-${randomUUID()}`;
  /** The last line that was read. Undefined while the file was empty. */
  #lastLine: string | undefined;
  /** Lines since the last heartbeat. */
  #pending: string[] = [];
  /** The beginning of a line that a heartbeat interrupted. */
  #torn = '';
  /** The last heartbeat of any run. */
  #pulse: Pulse | undefined;
  /** Its arrival on the run clock. Undefined before the first heartbeat of this run. */
  #pulseAtMs: RunMs | undefined;
  #isThere = false;
  #broken = 'it has not started';
  /** Set if it is unknown which lines are new after a break. */
  #gap = false;

  constructor(host: Host, path: string, clock: Clock, onLine: (line: FileLine) => void) {
    this.#host = host;
    this.#path = path;
    this.#clock = clock;
    this.#onLine = onLine;
    this.#running = this.#run();
  }

  /** The current state. A gap is reported once. */
  takeState(): FileState {
    const name = `${this.#path} on ${this.#host.name}`;
    if (this.#pulseAtMs === undefined) return { ok: false, why: `${name} is not followed: ${this.#broken}` };
    if (this.#clock.nowMs() - this.#pulseAtMs > staleAfterMs)
      return { ok: false, why: `following ${name} sent no heartbeat for ${limitText(staleAfterMs)}` };
    if (!this.#isThere) return { ok: false, why: `${name} cannot be read` };
    if (!this.#gap) return { ok: true };
    this.#gap = false;
    return { ok: false, why: `new lines of ${name} may be missing: it could not be followed for a while` };
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
    // The first run reads one line, to recognize it after a break.
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
    // The heartbeat came after half a line.
    this.#torn += line.slice(0, at);
    const [, stamp = '', is] = line.slice(at).split(' ');
    const pulse = parsePulse(stamp);
    if (pulse === undefined) return;
    this.#isThere = is === 'there';
    this.#give(pulse);
    this.#pulse = pulse;
    this.#pulseAtMs = this.#clock.nowMs();
  }

  /** Reports the lines that were read between the last heartbeat and this one. */
  #give(pulse: Pulse): void {
    const lines = this.#pulseAtMs === undefined ? this.#newIn(this.#pending) : this.#pending;
    this.#lastLine = this.#pending.at(-1) ?? this.#lastLine;
    this.#pending = [];
    const maxMs = later(pulse.wallMs, pulse.isCoarse ? coarseMs : 0);
    const minMs = earliest(maxMs, earlier((this.#pulse ?? pulse).wallMs, tailPollMs));
    for (const text of lines) this.#onLine({ text, minMs, maxMs });
  }

  /** The lines among a run's first lines that were not read before the break. */
  #newIn(lines: readonly string[]): readonly string[] {
    if (this.#pulse === undefined) return [];
    if (this.#lastLine === undefined) return lines;
    const known = lines.lastIndexOf(this.#lastLine);
    if (known < 0 && lines.length > 0) this.#gap = true;
    return known < 0 ? [] : lines.slice(known + 1);
  }
}
