import { type DurationMs, later, wallMs, type WallMs } from '../../core/time.ts';

/** Output of `docker logs --timestamps` for one container. */
export interface LogSection {
  readonly lines: readonly StampedLine[];
  /** Lines without a timestamp: docker's own messages. */
  readonly words: string;
  /** Undefined if the output was truncated before it. */
  readonly exitCode: number | undefined;
}

/** A line of a container's log. */
export interface StampedLine {
  readonly text: string;
  /** The engine's timestamp, as printed. */
  readonly stamp: string;
  /** The same time, in ms since the Unix epoch. */
  readonly wallMs: WallMs;
}

/** Parses sections, which begin with `log of NAME` and end with `log ended CODE`. */
export function parseSections(output: string): ReadonlyMap<string, LogSection> {
  const sections = new Map<string, LogSection>();
  const lines = output.split('\n');
  // The text after the last line end is an incomplete line, or empty.
  lines.pop();
  let name: string | undefined;
  let own: string[] = [];
  const end = (exitCode: number | undefined): void => {
    if (name === undefined) return;
    const stamped = own.flatMap((line) => parseLine(line) ?? []);
    const words = own
      .filter((line) => parseLine(line) === undefined)
      .join(' ')
      .trim();
    sections.set(name, { lines: stamped, words, exitCode });
    name = undefined;
    own = [];
  };
  for (const line of lines) {
    const begun = /^log of (.+)$/.exec(line)?.[1];
    const exitCode = /^log ended (\d+)$/.exec(line)?.[1];
    if (exitCode !== undefined) end(Number(exitCode));
    else if (begun !== undefined && name === undefined) name = begun;
    else if (name !== undefined) own.push(line);
  }
  end(undefined);
  return sections;
}

/** RFC 3339 with nanoseconds. podman prints the host's zone. */
const stamped = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d) ?(.*)$/;

function parseLine(line: string): StampedLine | undefined {
  const [, seconds, fraction = '', zone = '', text = ''] = stamped.exec(line.replace(/\r$/, '')) ?? [];
  if (seconds === undefined) return undefined;
  const wholeMs = wallMs(Date.parse(`${seconds}${zone}`));
  if (Number.isNaN(wholeMs)) return undefined;
  return {
    text,
    stamp: `${seconds}${fraction}${zone}`,
    wallMs: later(wholeMs, Number(`0${fraction}`) * 1000),
  };
}

/**
 * The engine timestamps standard output and standard error separately, so lines may be slightly out of order.
 */
const overlapMs = 1000;
/** Start time for a log that was empty: reads every line. */
const fromTheStart = '1970-01-01T00:00:00Z';

/** Earlier than every line. */
const beforeAll = wallMs(-Infinity);

/** The read position in one container's log. */
export class ContainerLog {
  /** Undefined before the first sample. Null while the log was empty. */
  #latest: StampedLine | null | undefined;
  /** Lines of the overlap, which the next sample reads again. */
  #recent: ReadonlySet<string> = new Set();
  #overlapMs = overlapMs;
  /** Where reading began. Lines with a timestamp up to this time are not new. */
  #startMs = beforeAll;

  /** The value for `--since`. Empty for the first sample, which reads only the newest line. */
  since(): string {
    if (this.#latest === undefined) return '';
    if (this.#latest === null) return fromTheStart;
    if (this.#overlapMs === 0) return this.#latest.stamp;
    return new Date(this.#latest.wallMs - this.#overlapMs).toISOString();
  }

  /** Processes a section and returns its new lines. */
  take({ lines, exitCode }: LogSection, isCut: boolean): readonly StampedLine[] {
    const isFirst = this.#latest === undefined;
    if (isFirst && exitCode !== 0) return [];
    const unread = lines.filter((line) => !this.#recent.has(keyOf(line)));
    const before = this.#latest?.wallMs ?? beforeAll;
    const latest = lines.reduce(
      (late, line) => (line.wallMs >= late.wallMs ? line : late),
      lines[0] ?? nothing,
    );
    if (latest.wallMs > before) this.#latest = latest;
    else this.#latest ??= null;
    // If a truncated output contained only the overlap, the next sample reads without overlap.
    this.#overlapMs = isCut && unread.length === 0 ? 0 : overlapMs;
    const fromMs = Math.max(before, latest.wallMs) - overlapMs;
    const kept = [...this.#recentAfter(fromMs), ...lines.filter(({ wallMs }) => wallMs >= fromMs).map(keyOf)];
    this.#recent = new Set(kept);
    if (isFirst) this.#startMs = latest.wallMs;
    return isFirst ? [] : unread.filter(({ wallMs }) => wallMs > this.#startMs);
  }

  #recentAfter(ms: DurationMs): string[] {
    return [...this.#recent].filter((key) => Number(key.slice(0, key.indexOf(' '))) >= ms);
  }
}

const nothing: StampedLine = { text: '', stamp: '', wallMs: beforeAll };

function keyOf({ wallMs, stamp, text }: StampedLine): string {
  return `${wallMs} ${stamp} ${text}`;
}
