import { z } from 'zod';
import { DrillError, messageOf } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { ProbeContext, ProbeKind, ProbeSession } from '../core/probe.ts';
import type { LogMark, Observation } from '../core/sample.ts';
import { shorten } from './lib/net-errors.ts';
import { regex, requireRegex } from './lib/text-params.ts';

const params = z.strictObject({
  unit: z
    .string()
    .min(1)
    .optional()
    .describe('systemd unit whose lines are read, e.g. app.service; also what systemd says of it.'),
  containers: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      'Containers whose lines are read (Docker’s journald log driver). Without unit and containers: all.',
    ),
  marks: z
    .array(
      z.strictObject({
        name: z.string().min(1).describe('Name of the mark, for stages.'),
        match: regex.describe(
          'Regular expression that a line must match. Groups named `host` and `value` give the mark’s host (the probe’s by default) and value.',
        ),
      }),
    )
    .min(1)
    .describe('Lines to look for; each gives a mark at the time the journal stamped it with.'),
});
type Params = z.output<typeof params>;

/** Read at most this much a look; what is left over comes with the next one. */
const maxOutputBytes = 1_048_576;
const hostGraceMs = 1000;
/** Longest text of a mark, and longest value. */
const textLimit = 300;
const valueLimit = 200;

/** Reads what is new in a host's journal and picks out the lines that mean something. */
export const journal: ProbeKind<Params> = {
  kind: 'journal',
  summary: 'New lines of a host’s journal; those that match become marks on the time line.',
  params,
  uses: () => ({ tools: ['journalctl'] }),
  lane: 'host',
  needsHost: true,
  cost: () => ({ newConnections: 0, commands: 1, processes: 1 }),
  describe: (p) =>
    `journalctl ${matches(p).join(' ')} for ${p.marks.map((mark) => mark.name).join(', ')}`.replace(
      / {2,}/g,
      ' ',
    ),
  open: async (p, ctx) => {
    if (ctx.host === undefined)
      throw new DrillError('invalid-input', 'a probe of kind "journal" needs `on:`');
    return new JournalSession(p, ctx.host, ctx);
  },
};

class JournalSession implements ProbeSession {
  readonly #params: Params;
  readonly #host: Host;
  readonly #timeoutMs: number;
  readonly #rules: readonly { readonly name: string; readonly pattern: RegExp }[];
  /** Where the last look ended; undefined before the first one, null while the journal is empty. */
  #cursor: string | null | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(p: Params, host: Host, ctx: ProbeContext) {
    this.#params = p;
    this.#host = host;
    this.#timeoutMs = ctx.timeoutMs;
    this.#rules = p.marks.map((mark) => ({ name: mark.name, pattern: requireRegex(mark.match) }));
  }

  async observe(signal: AbortSignal): Promise<Observation> {
    // One at a time: two looks from the same cursor would tell each line twice.
    const look = this.#turn.then(() => this.#look(signal));
    this.#turn = look;
    return look;
  }

  async close(): Promise<void> {}

  async #look(signal: AbortSignal): Promise<Observation> {
    if (signal.aborted) return { status: 'unknown', message: messageOf(signal.reason) };
    try {
      if (this.#cursor === undefined) {
        this.#cursor = await this.#newestCursor(signal);
        return { status: 'ok' };
      }
      const entries = await this.#read(this.#sinceArgs(this.#cursor), signal);
      this.#cursor = entries.at(-1)?.cursor ?? this.#cursor;
      return { status: 'ok', marks: entries.flatMap((entry) => this.#marksOf(entry)) };
    } catch (error) {
      // A journal that cannot be read says nothing about what would be in it.
      const why = signal.aborted ? signal.reason : error;
      return { status: 'unknown', message: shorten(messageOf(why)) };
    }
  }

  /** From now on: after the newest entry of the whole journal. An empty journal is read from its start. */
  async #newestCursor(signal: AbortSignal): Promise<string | null> {
    const [newest] = await this.#read(['--lines=1'], signal);
    return newest?.cursor ?? null;
  }

  #sinceArgs(cursor: string | null): string[] {
    return [...(cursor === null ? [] : [`--after-cursor=${cursor}`]), ...matches(this.#params)];
  }

  async #read(args: readonly string[], signal: AbortSignal): Promise<Entry[]> {
    const argv = ['journalctl', '--quiet', '--no-pager', '--output=json', '--output-fields=MESSAGE', ...args];
    const timeoutMs = this.#timeoutMs + hostGraceMs;
    const result = await this.#host.exec(argv, { timeoutMs, signal, maxOutputBytes, look: true });
    // journalctl exits with 1 when nothing matches, silently.
    if (result.exitCode !== 0 && result.truncated === undefined && result.stderr.trim() !== '') {
      throw new Error(`journalctl: exit ${result.exitCode}: ${result.stderr.trim()}`);
    }
    if (result.exitCode > 1 && result.truncated === undefined) {
      throw new Error(`journalctl: exit ${result.exitCode}: ${result.stdout.trim()}`);
    }
    return parseEntries(result.stdout);
  }

  #marksOf(entry: Entry): LogMark[] {
    const text = entry.message;
    if (text === undefined) return [];
    return this.#rules.flatMap(({ name, pattern }) => {
      const match = pattern.exec(text);
      if (match === null) return [];
      const { host, value } = match.groups ?? {};
      return {
        name,
        wallMs: entry.wallMs,
        text: shorten(text).slice(0, textLimit),
        ...(host === undefined ? {} : { host }),
        ...(value === undefined ? {} : { value: value.slice(0, valueLimit) }),
      };
    });
  }
}

/** Match arguments: one group for the unit's own lines, one for systemd's about it, one for the containers. */
function matches(p: Params): string[] {
  const groups: string[][] = [];
  if (p.unit !== undefined) groups.push([`_SYSTEMD_UNIT=${p.unit}`], ['_PID=1', `UNIT=${p.unit}`]);
  if (p.containers !== undefined) groups.push(p.containers.map((name) => `CONTAINER_NAME=${name}`));
  return groups.flatMap((group, i) => (i === 0 ? group : ['+', ...group]));
}

/** A journal entry as far as marks care. */
interface Entry {
  readonly cursor: string;
  readonly wallMs: number;
  readonly message: string | undefined;
}

/** Reads journalctl's JSON lines. A torn last line (the output was cut) is left for the next look. */
function parseEntries(output: string): Entry[] {
  return output.split('\n').flatMap((line) => {
    const entry = parseEntry(line);
    return entry === undefined ? [] : [entry];
  });
}

function parseEntry(line: string): Entry | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null) return undefined;
  const {
    __CURSOR: cursor,
    __REALTIME_TIMESTAMP: stamp,
    MESSAGE: message,
  } = fields as Record<string, unknown>;
  if (typeof cursor !== 'string' || typeof stamp !== 'string') return undefined;
  return { cursor, wallMs: Number(stamp) / 1000, message: textOf(message) };
}

/** A message that is no plain UTF-8 comes as an array of bytes, one that is too long as null. */
function textOf(message: unknown): string | undefined {
  if (typeof message === 'string') return message;
  if (!Array.isArray(message)) return undefined;
  const bytes = message.filter((byte): byte is number => typeof byte === 'number');
  return bytes.length === message.length ? new TextDecoder().decode(Uint8Array.from(bytes)) : undefined;
}
