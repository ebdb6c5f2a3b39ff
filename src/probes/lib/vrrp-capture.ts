import type { Clock } from '../../core/clock.ts';
import { DrillError, messageOf } from '../../core/errors.ts';
import { limitWords } from '../../core/format-duration.ts';
import type { Host } from '../../core/host.ts';
import { installHint } from '../../core/install-hint.ts';
import { shorten } from '../../core/shorten.ts';
import { coarseMs, parsePulse, pulseScript, staleAfterMs } from './pulse.ts';
import { parseAdvert, readUnknownLine, type UnreadPacket, type VrrpAdvert } from './vrrp-advert.ts';

/** What follows a capture. Times in ms since the Unix epoch on the clock of the capture's host. */
export interface CaptureListener {
  /** It runs from this moment on, at the latest. */
  listens(wallMs: number): void;
  hears(advert: VrrpAdvert): void;
  /** A line that is not understood was captured at that time, or up to then: it may have been an advert. */
  misses(packet: UnreadPacket & { readonly wallMs: number }, line: string): void;
  breaks(): void;
}

/** How far a capture has come. */
export type CaptureState =
  /** All that was captured up to `wallMs` has been read. */
  { readonly ok: true; readonly wallMs: number } | { readonly ok: false; readonly why: string };

/** A capture in use; it ends with its last user. */
export interface CaptureUse {
  state(): CaptureState;
  close(): Promise<void>;
}

/** VRRP, version 2 and 3, and what hides version 2 behind an authentication header (RFC 2338, 5.3.6.3). */
const filter = 'ip proto 112 or (ip proto 51 and dst host 224.0.0.18)';

// Without immediate mode the kernel hands packets over when a block is full or after a second. No -v: it prints the password.
const tcpdump = ['tcpdump', '--immediate-mode', '-l', '-n', '-tt', '-i'];

/** A clock that went ahead by so much was set. */
const steppedByMs = 1000;
const reopenAfterMs = 1000;
const preflightTimeoutMs = 5000;

/** tcpdump takes the place of the shell, which has left the pulse behind. What tcpdump complains of comes as lines, too. */
const script = `
${pulseScript('date +%s.%N')}
exec "$@" 2>&1`;

const captures = new WeakMap<Host, Map<string, Capture>>();

/**
 * Follows VRRP on an interface of a host, with one tcpdump for all who ask.
 * @throws DrillError `invalid-input` where the host has no tcpdump
 */
export async function useCapture(
  host: Host,
  networkInterface: string,
  clock: Clock,
  listener: CaptureListener,
): Promise<CaptureUse> {
  const ofHost = captures.get(host) ?? new Map<string, Capture>();
  captures.set(host, ofHost);
  let capture = ofHost.get(networkInterface);
  if (capture === undefined) {
    await requireTcpdump(host, AbortSignal.timeout(preflightTimeoutMs));
    capture = ofHost.get(networkInterface) ?? new Capture(host, networkInterface, clock);
    ofHost.set(networkInterface, capture);
  }
  const used = capture;
  used.add(listener);
  return {
    state: () => used.state(),
    close: async () => {
      if (!used.remove(listener)) return;
      ofHost.delete(networkInterface);
      await used.stop();
    },
  };
}

/**
 * Whether a host has tcpdump. A host that cannot be reached now may be so later: that is no reason not to begin.
 * @throws DrillError `invalid-input`
 */
export async function requireTcpdump(host: Host, signal: AbortSignal): Promise<void> {
  const result = await host.exec(['tcpdump', '--version'], { timeoutMs: preflightTimeoutMs, signal }).then(
    (done) => done,
    () => undefined,
  );
  if (result?.exitCode !== 127) return;
  throw new DrillError('invalid-input', `${host.name} has no tcpdump, with which adverts are captured`, {
    mend:
      host.container === undefined
        ? `Install tcpdump on ${host.name}, or look from another host (\`from:\`).`
        : installHint(host, 'tcpdump'),
  });
}

class Capture {
  readonly #host: Host;
  readonly #interface: string;
  readonly #clock: Clock;
  readonly #listeners = new Set<CaptureListener>();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #broken: string | undefined = 'it has not started';
  /** The latest time that a line told; undefined before the first one. */
  #wallMs: number | undefined;
  /** Signs of life come in whole seconds. */
  #isCoarse = false;
  /** Least time between a line's stamp and its arrival on the run clock: what is more is delay. */
  #leastOffsetMs = Infinity;

  constructor(host: Host, networkInterface: string, clock: Clock) {
    this.#host = host;
    this.#interface = networkInterface;
    this.#clock = clock;
    this.#running = this.#run();
  }

  add(listener: CaptureListener): void {
    this.#listeners.add(listener);
    if (this.#wallMs !== undefined) listener.listens(this.#wallMs + (this.#isCoarse ? coarseMs : 0));
  }

  /** True if that was the last one. */
  remove(listener: CaptureListener): boolean {
    return this.#listeners.delete(listener) && this.#listeners.size === 0;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  state(): CaptureState {
    const where = `the capture on ${this.#host.name}`;
    if (this.#broken !== undefined) return { ok: false, why: `${where} does not run: ${this.#broken}` };
    if (this.#wallMs === undefined) return { ok: false, why: `${where} has only begun` };
    const lateMs = this.#clock.nowMs() - this.#leastOffsetMs - this.#wallMs;
    if (lateMs > staleAfterMs) {
      return { ok: false, why: `${where} has given no sign of life for ${limitWords(staleAfterMs)}` };
    }
    return { ok: true, wallMs: this.#wallMs };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const why = await this.#follow(signal);
      this.#breaks(why);
      if (signal.aborted) return;
      await this.#clock.sleep(reopenAfterMs, signal).catch(() => {});
    }
  }

  /** Follows tcpdump to its end, and says how it ended. */
  async #follow(signal: AbortSignal): Promise<string> {
    const argv = ['sh', '-c', script, 'vrrp', ...tcpdump, this.#interface, filter];
    let said = '';
    try {
      const lines = this.#host.follow(argv, signal);
      for (;;) {
        const step = await lines.next();
        if (step.done === true)
          return shorten(`tcpdump ended with exit code ${step.value.exitCode}: ${said}`);
        if (!this.#take(step.value)) said = step.value;
      }
    } catch (error) {
      return shorten(messageOf(error));
    }
  }

  /** False for a line that nobody expects: it may tell why the capture ends. */
  #take(line: string): boolean {
    if (/\blistening on \S+,/.test(line)) {
      this.#broken = undefined;
      return true;
    }
    if (/verbose output suppressed/.test(line)) return true;
    // What comes before tcpdump listens may say why it does not, and a sign of life may come before, too.
    if (this.#broken !== undefined) return parsePulse(line) !== undefined;
    const pulse = parsePulse(line);
    if (pulse !== undefined) {
      this.#isCoarse ||= pulse.isCoarse;
      this.#keepTime(pulse.wallMs);
      return true;
    }
    const advert = parseAdvert(line);
    if (advert !== undefined) {
      this.#keepTime(advert.wallMs);
      for (const listener of this.#listeners) listener.hears(advert);
      return true;
    }
    if (line.trim() !== '') this.#miss(line);
    return false;
  }

  #miss(line: string): void {
    const packet = readUnknownLine(line);
    if (packet.wallMs !== undefined) this.#keepTime(packet.wallMs);
    const wallMs = packet.wallMs ?? this.#wallMs;
    if (wallMs === undefined) return;
    for (const listener of this.#listeners) listener.misses({ ...packet, wallMs }, line);
  }

  #keepTime(wallMs: number): void {
    const offsetMs = this.#clock.nowMs() - wallMs;
    const marginMs = this.#isCoarse ? coarseMs : 0;
    // The clock over there was set ahead: nothing was silent for that long.
    if (offsetMs < this.#leastOffsetMs - steppedByMs - marginMs && this.#leastOffsetMs !== Infinity) {
      for (const listener of this.#listeners) listener.breaks();
      this.#wallMs = undefined;
    }
    this.#leastOffsetMs = Math.min(this.#leastOffsetMs, offsetMs);
    // A time in whole seconds lies up to one second before the moment that it stands for.
    if (this.#wallMs === undefined)
      for (const listener of this.#listeners) listener.listens(wallMs + marginMs);
    // Two programs write the lines: an advert may be told after a sign of life that is a little younger.
    this.#wallMs = Math.max(this.#wallMs ?? wallMs, wallMs);
  }

  #breaks(why: string): void {
    this.#broken = why;
    this.#wallMs = undefined;
    this.#leastOffsetMs = Infinity;
    for (const listener of this.#listeners) listener.breaks();
  }
}
