import type { LogMark } from '../../core/sample.ts';
import { type DurationMs, later, type WallMs } from '../../core/time.ts';
import type { UnreadPacket, VrrpAdvert } from './vrrp-advert.ts';

/** The state of one address at a moment, from its adverts. */
export type VrrpView =
  | { readonly state: 'master'; readonly priority: number }
  | { readonly state: 'silent' }
  /** The adverts do not decide it. */
  | { readonly state: 'unknown'; readonly why: string };

/** A source that advertises: its latest advert, and the start of its uninterrupted series of adverts. */
interface MasterPeriod {
  readonly advert: VrrpAdvert;
  readonly sinceMs: WallMs;
}

/**
 * A backup takes over when it has received no advert for three intervals (and its skew): RFC 5798, 6.1,
 * Master_Down_Interval.
 */
const intervalsUntilDown = 3;
/**
 * While another master advertises: after this many intervals, an advert is late (keepalived's adverts arrive
 * within 0.01 intervals).
 */
const intervalsUntilLate = 1.1;
/**
 * While another master advertises: after this many intervals, no further advert is expected. A master that
 * receives a better advert stops at once.
 */
const intervalsUntilYielded = 1.5;

/**
 * Decides from a virtual router's adverts whether one address is master. A source is master for three of its
 * intervals after its latest advert. While another source advertises, it is master only from one of its own
 * adverts until the next is due. After that its state is unknown: usually it has just yielded, but both may
 * be masters.
 *
 * All times are capture times, in ms since the Unix epoch on the capturing host's clock. So lines that arrive
 * late or in a burst do not look like silence.
 */
export class VrrpWatch {
  readonly #source: string;
  readonly #defaultIntervalMs: number;
  /** By source, without sources that have stopped. */
  readonly #reigns = new Map<string, MasterPeriod>();
  /** Start of the capture without a gap. Undefined while it is not running. */
  #listeningSinceMs: WallMs | undefined;
  #latestIntervalMs: number | undefined;
  /** True if it is known to be silent, so that the next advert is a change to master. */
  #isSilent = false;
  #latestPriority: number | undefined;
  /** The latest line that cannot be parsed and may be an advert of the watched source. */
  #missed: { readonly wallMs: WallMs; readonly line: string } | undefined;
  readonly #marks: LogMark[] = [];

  /**
   * Watches the adverts from an address. `defaultIntervalMs` applies until an advert declares its interval.
   */
  constructor(source: string, defaultIntervalMs: DurationMs) {
    this.#source = source;
    this.#defaultIntervalMs = defaultIntervalMs;
  }

  /** The capture is running, from this time on at the latest. */
  listens(wallMs: WallMs): void {
    this.#listeningSinceMs ??= wallMs;
  }

  /** The capture broke, so the state is unknown. */
  breaks(): void {
    this.#listeningSinceMs = undefined;
    this.#reigns.clear();
    this.#isSilent = false;
    this.#latestPriority = undefined;
    this.#missed = undefined;
  }

  /**
   * Processes a line that cannot be parsed. Unless it contains another source, it may be an advert of the
   * watched source.
   */
  misses({ source, wallMs }: UnreadPacket & { readonly wallMs: WallMs }, line: string): void {
    if (source !== undefined && source !== this.#source) return;
    this.#settle(wallMs);
    this.#missed = { wallMs, line };
    // `silent` requires a capture without unparsed lines.
    this.#isSilent = false;
  }

  /** Processes an advert of the virtual router. */
  hears(advert: VrrpAdvert): void {
    const { source, intervalMs, priority, wallMs } = advert;
    this.#settle(wallMs);
    if (intervalMs > 0) this.#latestIntervalMs = intervalMs;
    const before = this.#reigns.get(source);
    if (priority > 0) this.#reigns.set(source, { advert, sinceMs: before?.sinceMs ?? wallMs });
    else this.#reigns.delete(source);
    if (source === this.#source) this.#report(advert, before);
  }

  /** The state at a moment. All packets up to that moment must have been read. */
  view(wallMs: WallMs): VrrpView {
    this.#settle(wallMs);
    if (this.#listeningSinceMs === undefined) return { state: 'unknown', why: 'the capture is not running' };
    if (this.#isSilent) return { state: 'silent' };
    const own = this.#reigns.get(this.#source);
    if (own === undefined) {
      const why =
        this.#missed === undefined
          ? 'the capture has run for less than three advert intervals'
          : `cannot parse a line of the capture, which may be an advert: ${this.#missed.line}`;
      return { state: 'unknown', why };
    }
    const rival = this.#laterThan(own);
    if (rival !== undefined) {
      // The other source started after the latest advert of the watched source, so nothing proves that both
      // advertise.
      const isNew = rival.sinceMs > own.advert.wallMs;
      const isLate = wallMs - own.advert.wallMs > intervalsUntilLate * this.#intervalOf(own);
      const which = `the next advert of ${this.#source} is ${isLate ? 'late' : 'not due yet'}`;
      if (isNew || isLate)
        return { state: 'unknown', why: `${rival.advert.source} advertises, and ${which}` };
    }
    return { state: 'master', priority: own.advert.priority };
  }

  /** The marks since the last call. */
  takeMarks(): LogMark[] {
    return this.#marks.splice(0);
  }

  /** Processes an advert of the watched source. */
  #report({ wallMs, priority }: VrrpAdvert, before: MasterPeriod | undefined): void {
    if (priority === 0) {
      if (before !== undefined) this.#mark('fell-silent', wallMs, 'announced that it stops (priority 0)');
      this.#isSilent = true;
      return;
    }
    if (this.#isSilent) this.#mark('became-master', wallMs, `advertises with priority ${priority}`, priority);
    if (this.#latestPriority !== undefined && this.#latestPriority !== priority) {
      this.#mark('priority', wallMs, `priority ${this.#latestPriority} -> ${priority}`, priority);
    }
    this.#isSilent = false;
    this.#latestPriority = priority;
  }

  /** Removes sources whose adverts have been missing for too long. */
  #settle(nowMs: WallMs): void {
    for (const [source, masterPeriod] of this.#reigns) {
      if (
        source !== this.#source &&
        nowMs - masterPeriod.advert.wallMs > intervalsUntilDown * this.#intervalOf(masterPeriod)
      ) {
        this.#reigns.delete(source);
      }
    }
    const own = this.#reigns.get(this.#source);
    if (own === undefined) {
      const intervalMs = this.#latestIntervalMs ?? this.#defaultIntervalMs;
      const sinceMs = Math.max(this.#listeningSinceMs ?? Infinity, this.#missed?.wallMs ?? -Infinity);
      if (nowMs - sinceMs > intervalsUntilDown * intervalMs) this.#isSilent = true;
      return;
    }
    const dueMs = later(own.advert.wallMs, this.#intervalOf(own));
    const intervals = this.#laterThan(own) === undefined ? intervalsUntilDown : intervalsUntilYielded;
    if (nowMs - own.advert.wallMs <= intervals * this.#intervalOf(own)) return;
    this.#reigns.delete(this.#source);
    // A line that cannot be parsed arrived since, and may be that advert.
    if (this.#missed !== undefined && this.#missed.wallMs > own.advert.wallMs) return;
    this.#isSilent = true;
    // The time of the mark is when the missing advert was due. The node stopped between its last advert and
    // this time.
    this.#mark('fell-silent', dueMs, 'the advert that was due at this time did not arrive');
  }

  #intervalOf({ advert }: MasterPeriod): number {
    return advert.intervalMs > 0 ? advert.intervalMs : this.#defaultIntervalMs;
  }

  /** Another source whose latest advert is later than that of the watched source. */
  #laterThan(own: MasterPeriod): MasterPeriod | undefined {
    return [...this.#reigns.values()].find(
      ({ advert }) => advert.source !== this.#source && advert.wallMs > own.advert.wallMs,
    );
  }

  #mark(name: string, wallMs: WallMs, text: string, value?: number): void {
    this.#marks.push({
      name,
      wallMs,
      text: `${this.#source}: ${text}`,
      ...(value === undefined ? {} : { value: String(value) }),
    });
  }
}
