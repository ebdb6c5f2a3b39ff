/** What `docker logs --timestamps` wrote of one container. */
export interface LogSection {
  readonly lines: readonly StampedLine[];
  /** Lines without a stamp: what docker itself said. */
  readonly words: string;
  /** undefined where the output was cut before. */
  readonly exitCode: number | undefined;
}

/** A line of a container. */
export interface StampedLine {
  readonly text: string;
  /** The engine's stamp, as it wrote it. */
  readonly stamp: string;
  /** The same, ms since the Unix epoch. */
  readonly wallMs: number;
}

/** Sections begin with `log of NAME` and end with `log ended CODE`. */
export function parseSections(output: string): ReadonlyMap<string, LogSection> {
  const sections = new Map<string, LogSection>();
  const lines = output.split('\n');
  // A line without an end is torn, or empty.
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

/** RFC 3339 with nanoseconds; podman writes the host's zone. */
const stamped = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d) ?(.*)$/;

function parseLine(line: string): StampedLine | undefined {
  const [, seconds, fraction = '', zone = '', text = ''] = stamped.exec(line.replace(/\r$/, '')) ?? [];
  if (seconds === undefined) return undefined;
  const wholeMs = Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(wholeMs)) return undefined;
  return { text, stamp: `${seconds}${fraction}${zone}`, wallMs: wholeMs + Number(`0${fraction}`) * 1000 };
}

/** The engine stamps the lines of standard output and standard error apart: they may be a little out of order. */
const overlapMs = 1000;
/** Every line of a log that was empty. */
const fromTheStart = '1970-01-01T00:00:00Z';

/** Position in one container's log. */
export class ContainerLog {
  /** undefined before the first look; null while the log was empty. */
  #latest: StampedLine | null | undefined;
  /** Lines of the overlap, which come again. */
  #recent: ReadonlySet<string> = new Set();
  #overlapMs = overlapMs;
  /** Where reading began: what was stamped up to then is not new. */
  #startMs = -Infinity;

  /** For `--since`; empty for the newest line only, which is where reading begins. */
  since(): string {
    if (this.#latest === undefined) return '';
    if (this.#latest === null) return fromTheStart;
    if (this.#overlapMs === 0) return this.#latest.stamp;
    return new Date(this.#latest.wallMs - this.#overlapMs).toISOString();
  }

  /** Takes in what was read; gives what is new in it. */
  take({ lines, exitCode }: LogSection, isCut: boolean): readonly StampedLine[] {
    const isFirst = this.#latest === undefined;
    if (isFirst && exitCode !== 0) return [];
    const fresh = lines.filter((line) => !this.#recent.has(keyOf(line)));
    const before = this.#latest?.wallMs ?? -Infinity;
    const latest = lines.reduce(
      (late, line) => (line.wallMs >= late.wallMs ? line : late),
      lines[0] ?? nothing,
    );
    if (latest.wallMs > before) this.#latest = latest;
    else this.#latest ??= null;
    // Where a look can read no more than the overlap, the next one goes on without it.
    this.#overlapMs = isCut && fresh.length === 0 ? 0 : overlapMs;
    const fromMs = Math.max(before, latest.wallMs) - overlapMs;
    const kept = [...this.#recentAfter(fromMs), ...lines.filter(({ wallMs }) => wallMs >= fromMs).map(keyOf)];
    this.#recent = new Set(kept);
    if (isFirst) this.#startMs = latest.wallMs;
    return isFirst ? [] : fresh.filter(({ wallMs }) => wallMs > this.#startMs);
  }

  #recentAfter(ms: number): string[] {
    return [...this.#recent].filter((key) => Number(key.slice(0, key.indexOf(' '))) >= ms);
  }
}

const nothing: StampedLine = { text: '', stamp: '', wallMs: -Infinity };

function keyOf({ wallMs, stamp, text }: StampedLine): string {
  return `${wallMs} ${stamp} ${text}`;
}
