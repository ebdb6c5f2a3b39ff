import type { Clock } from '../../core/clock.ts';
import { DrillError, messageOf } from '../../core/errors.ts';
import { limitText } from '../../core/format-duration.ts';
import type { Host } from '../../core/host.ts';
import { installHint } from '../../core/install-hint.ts';
import { shorten } from '../../core/shorten.ts';
import { later, latest, type WallMs } from '../../core/time.ts';
import { coarseMs, parsePulse, pulseScript, staleAfterMs } from './pulse.ts';
import { parseAdvert, readUnknownLine, type UnreadPacket, type VrrpAdvert } from './vrrp-advert.ts';

/** Receives the events of a capture. Times are in ms since the Unix epoch on the capturing host's clock. */
export interface CaptureListener {
  /** The capture is running from this time on, at the latest. */
  listens(wallMs: WallMs): void;
  hears(advert: VrrpAdvert): void;
  /** A line that cannot be parsed was captured at this time, or before. It may be an advert. */
  misses(packet: UnreadPacket & { readonly wallMs: WallMs }, line: string): void;
  breaks(): void;
}

/** The state of a capture. */
export type CaptureState =
  /** All packets up to `wallMs` have been read. */
  { readonly ok: true; readonly wallMs: WallMs } | { readonly ok: false; readonly why: string };

/** A capture in use. It stops when its last user closes it. */
export interface CaptureUse {
  state(): CaptureState;
  close(): Promise<void>;
}

/** VRRP version 2 and 3, and version 2 behind an authentication header (RFC 2338, 5.3.6.3). */
const filter = 'ip proto 112 or (ip proto 51 and dst host 224.0.0.18)';

// Without immediate mode, the kernel delivers packets when a block is full, or after 1 s. No -v, because it
// prints the password.
const tcpdump = ['tcpdump', '--immediate-mode', '-l', '-n', '-tt', '-i'];

/** A forward step of the host's clock by more than this means that the clock was set, ms. */
const steppedByMs = 1000;
const reopenAfterMs = 1000;
const preflightTimeoutMs = 5000;

/**
 * tcpdump replaces the shell, which has started the heartbeats in the background. tcpdump's error messages
 * arrive as lines too.
 */
const script = `
${pulseScript('date +%s.%N')}
exec "$@" 2>&1`;

const captures = new WeakMap<Host, Map<string, Capture>>();

/**
 * Captures VRRP on an interface of a host. All probe instances on the interface share one tcpdump.
 * @throws DrillError `invalid-input` if the host has no tcpdump
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
 * Checks that a host has tcpdump. An unreachable host passes, because it may be reachable later.
 * @throws DrillError `invalid-input`
 */
export async function requireTcpdump(host: Host, signal: AbortSignal): Promise<void> {
  const result = await host.exec(['tcpdump', '--version'], { timeoutMs: preflightTimeoutMs, signal }).then(
    (done) => done,
    () => undefined,
  );
  if (result?.exitCode !== 127) return;
  throw new DrillError('invalid-input', `${host.name} has no tcpdump, which captures VRRP adverts`, {
    hint:
      host.container === undefined
        ? `Install tcpdump on ${host.name} (Debian: apt-get install tcpdump), or set \`from:\` to another host.`
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
  /** The latest time in a line. Undefined before the first one. */
  #wallMs: WallMs | undefined;
  /** Heartbeats have whole seconds only. */
  #isCoarse = false;
  /**
   * Smallest difference between a line's timestamp and its arrival on the run clock. Anything above it is
   * delay.
   */
  #leastOffsetMs = Infinity;

  constructor(host: Host, networkInterface: string, clock: Clock) {
    this.#host = host;
    this.#interface = networkInterface;
    this.#clock = clock;
    this.#running = this.#run();
  }

  add(listener: CaptureListener): void {
    this.#listeners.add(listener);
    if (this.#wallMs !== undefined) listener.listens(later(this.#wallMs, this.#isCoarse ? coarseMs : 0));
  }

  /** Returns true if it was the last listener. */
  remove(listener: CaptureListener): boolean {
    return this.#listeners.delete(listener) && this.#listeners.size === 0;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  state(): CaptureState {
    const where = `the capture on ${this.#host.name}`;
    if (this.#broken !== undefined) return { ok: false, why: `${where} is not running: ${this.#broken}` };
    if (this.#wallMs === undefined) return { ok: false, why: `${where} has just started` };
    const lateMs = this.#clock.nowMs() - this.#leastOffsetMs - this.#wallMs;
    if (lateMs > staleAfterMs) {
      return { ok: false, why: `${where} sent no heartbeat for ${limitText(staleAfterMs)}` };
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

  /** Follows tcpdump until it ends. Returns the reason. */
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

  /** Returns false for an unexpected line, which may contain the reason why the capture ends. */
  #take(line: string): boolean {
    if (/\blistening on \S+,/.test(line)) {
      this.#broken = undefined;
      return true;
    }
    if (/verbose output suppressed/.test(line)) return true;
    // A line before tcpdump listens may contain the reason why it does not. Heartbeats may also arrive
    // before.
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

  #keepTime(wallMs: WallMs): void {
    const offsetMs = this.#clock.nowMs() - wallMs;
    const marginMs = this.#isCoarse ? coarseMs : 0;
    // The host's clock was set forward, so the jump is not a period of silence.
    if (offsetMs < this.#leastOffsetMs - steppedByMs - marginMs && this.#leastOffsetMs !== Infinity) {
      for (const listener of this.#listeners) listener.breaks();
      this.#wallMs = undefined;
    }
    this.#leastOffsetMs = Math.min(this.#leastOffsetMs, offsetMs);
    // A time in whole seconds is up to 1 s earlier than the real time.
    if (this.#wallMs === undefined)
      for (const listener of this.#listeners) listener.listens(later(wallMs, marginMs));
    // Two programs write the lines, so an advert may arrive after a slightly later heartbeat.
    this.#wallMs = latest(this.#wallMs ?? wallMs, wallMs);
  }

  #breaks(why: string): void {
    this.#broken = why;
    this.#wallMs = undefined;
    this.#leastOffsetMs = Infinity;
    for (const listener of this.#listeners) listener.breaks();
  }
}
