import type { LogMark } from '../../core/sample.ts';
import type { UnreadPacket, VrrpAdvert } from './vrrp-advert.ts';

/** What the adverts say of one address at a moment. */
export type VrrpView =
  | { readonly state: 'master'; readonly priority: number }
  | { readonly state: 'silent' }
  /** Too little was heard to tell. */
  | { readonly state: 'unknown'; readonly why: string };

/** A source that advertises: its latest advert, and since when it has gone on without a pause. */
interface Reign {
  readonly advert: VrrpAdvert;
  readonly sinceMs: number;
}

/** A backup takes over when it has heard nothing for three intervals (and its skew): RFC 5798, 6.1, Master_Down_Interval. */
const intervalsUntilDown = 3;
/** Beside another master: an advert that has not come by then is late (keepalived's come within a hundredth), */
const intervalsUntilLate = 1.1;
/** and by then is not to be expected any more: a master that hears a better one stops at once. */
const intervalsUntilYielded = 1.5;

/**
 * Judges by a virtual router's adverts whether one address is master. A source that was heard within three of its
 * intervals is. Once another one advertises, it is so only from one of its own adverts until the next is due: most often it
 * has just yielded, but both may be masters. In between nothing is known.
 *
 * All times are those of the capture, ms since the Unix epoch on the clock of its host, so that lines which come late or
 * all at once make no silence.
 */
export class VrrpWatch {
  readonly #source: string;
  readonly #defaultIntervalMs: number;
  /** By source; those that lapsed are not in it. */
  readonly #reigns = new Map<string, Reign>();
  /** Since when the capture runs without a gap; undefined while it does not. */
  #listeningSinceMs: number | undefined;
  #latestIntervalMs: number | undefined;
  /** It is known to be silent: what begins now is a beginning. */
  #isSilent = false;
  #latestPriority: number | undefined;
  /** The latest line that may have been an advert of our source. */
  #missed: { readonly wallMs: number; readonly line: string } | undefined;
  readonly #marks: LogMark[] = [];

  /** Watches the adverts that come from an address; `defaultIntervalMs` until an advert says its interval. */
  constructor(source: string, defaultIntervalMs: number) {
    this.#source = source;
    this.#defaultIntervalMs = defaultIntervalMs;
  }

  /** The capture runs, from now on at the latest. */
  listens(wallMs: number): void {
    this.#listeningSinceMs ??= wallMs;
  }

  /** The capture broke: what was known no longer holds. */
  breaks(): void {
    this.#listeningSinceMs = undefined;
    this.#reigns.clear();
    this.#isSilent = false;
    this.#latestPriority = undefined;
    this.#missed = undefined;
  }

  /** Takes in a line that could not be read: unless it names another source, it may have been an advert of ours. */
  misses({ source, wallMs }: UnreadPacket & { readonly wallMs: number }, line: string): void {
    if (source !== undefined && source !== this.#source) return;
    this.#settle(wallMs);
    this.#missed = { wallMs, line };
    // `silent` needs a capture that could be read.
    this.#isSilent = false;
  }

  /** Takes in an advert of the virtual router. */
  hears(advert: VrrpAdvert): void {
    const { source, intervalMs, priority, wallMs } = advert;
    this.#settle(wallMs);
    if (intervalMs > 0) this.#latestIntervalMs = intervalMs;
    const before = this.#reigns.get(source);
    if (priority > 0) this.#reigns.set(source, { advert, sinceMs: before?.sinceMs ?? wallMs });
    else this.#reigns.delete(source);
    if (source === this.#source) this.#tell(advert, before);
  }

  /** What is known at a moment up to which everything captured was read. */
  view(wallMs: number): VrrpView {
    this.#settle(wallMs);
    if (this.#listeningSinceMs === undefined) return { state: 'unknown', why: 'nothing is captured' };
    if (this.#isSilent) return { state: 'silent' };
    const own = this.#reigns.get(this.#source);
    if (own === undefined) {
      const why =
        this.#missed === undefined
          ? 'the capture has run for less than three advert intervals'
          : `a line of the capture could not be read and may be an advert: ${this.#missed.line}`;
      return { state: 'unknown', why };
    }
    const rival = this.#laterThan(own);
    if (rival !== undefined) {
      // The other one began after our latest advert: nothing says that both advertise.
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

  /** What an advert of our source changes. */
  #tell({ wallMs, priority }: VrrpAdvert, before: Reign | undefined): void {
    if (priority === 0) {
      if (before !== undefined) this.#mark('fell-silent', wallMs, 'said goodbye (priority 0)');
      this.#isSilent = true;
      return;
    }
    if (this.#isSilent) this.#mark('became-master', wallMs, `advertises, priority ${priority}`, priority);
    if (this.#latestPriority !== undefined && this.#latestPriority !== priority) {
      this.#mark('priority', wallMs, `priority ${this.#latestPriority} -> ${priority}`, priority);
    }
    this.#isSilent = false;
    this.#latestPriority = priority;
  }

  /** Lets lapse what has not been heard for too long. */
  #settle(nowMs: number): void {
    for (const [source, reign] of this.#reigns) {
      if (
        source !== this.#source &&
        nowMs - reign.advert.wallMs > intervalsUntilDown * this.#intervalOf(reign)
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
    const dueMs = own.advert.wallMs + this.#intervalOf(own);
    const intervals = this.#laterThan(own) === undefined ? intervalsUntilDown : intervalsUntilYielded;
    if (nowMs - own.advert.wallMs <= intervals * this.#intervalOf(own)) return;
    this.#reigns.delete(this.#source);
    // A line that could not be read came since; it may have been the advert.
    if (this.#missed !== undefined && this.#missed.wallMs > own.advert.wallMs) return;
    this.#isSilent = true;
    // Stamped with the first evidence: whatever stopped it did so after its last advert.
    this.#mark('fell-silent', dueMs, 'the advert that is due now does not come');
  }

  #intervalOf({ advert }: Reign): number {
    return advert.intervalMs > 0 ? advert.intervalMs : this.#defaultIntervalMs;
  }

  /** Another source whose latest advert came after ours. */
  #laterThan(own: Reign): Reign | undefined {
    return [...this.#reigns.values()].find(
      ({ advert }) => advert.source !== this.#source && advert.wallMs > own.advert.wallMs,
    );
  }

  #mark(name: string, wallMs: number, text: string, value?: number): void {
    this.#marks.push({
      name,
      wallMs,
      text: `${this.#source}: ${text}`,
      ...(value === undefined ? {} : { value: String(value) }),
    });
  }
}
