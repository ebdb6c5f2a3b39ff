import { z } from 'zod';
import { DrillError, messageOf } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { ProbeContext, ProbeKind, ProbeSession } from '../core/probe.ts';
import type { LogMark, Observation } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import { wallMs, type WallMs } from '../core/time.ts';
import { requireNames, unitName } from './lib/journal-names.ts';
import { logMarks, markFinder, type MarkLine } from './lib/log-marks.ts';
import { withoutNoise } from './lib/noise.ts';
import { inTurn } from './lib/in-turn.ts';

const params = z.strictObject({
  unit: z
    .string()
    .min(1)
    .regex(/^[^*?[\]\s/]+$/, { error: 'expected the full name of one unit: patterns are not supported' })
    .optional()
    .describe(
      'systemd unit whose lines are read, with systemd’s own lines about it. As in systemctl, `app` means app.service. The unit must exist.',
    ),
  containers: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      'Containers whose lines are read. They must use Docker’s log driver journald (for other drivers, use container-log). They must exist, or have lines in the journal. Without `unit` and `containers`, all lines are read.',
    ),
  marks: logMarks.describe('Lines to find. Each match creates a mark with the journal’s timestamp.'),
});
type Params = z.output<typeof params>;

/** Most output read per sample. The next sample reads the rest. */
const maxOutputBytes = 1_048_576;
const hostGraceMs = 1000;
const checkTimeoutMs = 5000;

/** Reads the new lines of a host's journal and creates marks from matching lines. */
export const journal: ProbeKind<Params> = {
  kind: 'journal',
  summary: 'New lines of a host’s journal. Lines that match become marks on the timeline.',
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
    await requireNames(namesOf(p), ctx.host, AbortSignal.timeout(checkTimeoutMs));
    return new JournalSession(p, ctx.host, ctx);
  },
  check: (p, { host, signal }) => requireNames(namesOf(p), host, signal),
};

class JournalSession implements ProbeSession {
  readonly #params: Params;
  readonly #host: Host;
  readonly #timeoutMs: number;
  readonly #marksIn: MarkLine;
  /** Cursor of the last entry read. Undefined before the first sample; null while the journal is empty. */
  #cursor: string | null | undefined;
  /** One attempt at a time: two attempts from the same cursor would report each line twice. */
  readonly observe = inTurn((signal: AbortSignal) => this.#attempt(signal));

  constructor(p: Params, host: Host, ctx: ProbeContext) {
    this.#params = p;
    this.#host = host;
    this.#timeoutMs = ctx.timeoutMs;
    this.#marksIn = markFinder(p.marks);
  }

  async close(): Promise<void> {}

  async #attempt(signal: AbortSignal): Promise<Observation> {
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
      // If the journal cannot be read, its new lines are unknown.
      const why = signal.aborted ? signal.reason : error;
      // The cursor is permanently invalid, as after a change of the machine ID. Reading starts again at the
      // newest entry.
      if (/seek to cursor/i.test(messageOf(why))) this.#cursor = undefined;
      return { status: 'unknown', message: shorten(messageOf(why)) };
    }
  }

  /**
   * The cursor of the newest entry of the whole journal, after which reading starts. Null: the journal is
   * empty.
   */
  async #newestCursor(signal: AbortSignal): Promise<string | null> {
    const [newest] = await this.#read(['--lines=1'], signal);
    return newest?.cursor ?? null;
  }

  #sinceArgs(cursor: string | null): string[] {
    return [...(cursor === null ? [] : [`--after-cursor=${cursor}`]), ...matches(this.#params)];
  }

  async #read(args: readonly string[], signal: AbortSignal): Promise<Entry[]> {
    const options = ['--no-pager', '--output=json', '--output-fields=MESSAGE', ...args];
    const timeoutMs = this.#timeoutMs + hostGraceMs;
    const argv = ['env', 'LC_ALL=C', 'journalctl', ...options];
    const result = await this.#host.exec(argv, { timeoutMs, signal, maxOutputBytes, attempt: true });
    const { exitCode, stdout, truncated } = result;
    const words = withoutNoise(result.stderr);
    // journalctl exits 1 without a message if nothing matches. It exits 0 if the user may not read the
    // journal, or only their own entries.
    const isRead = exitCode === 0 || (exitCode === 1 && words === '') || truncated !== undefined;
    if (!isRead || unreadable.test(words))
      throw new Error(`journalctl: exit ${exitCode}: ${words || stdout.trim()}`);
    return parseEntries(stdout);
  }

  #marksOf({ message, wallMs }: Entry): LogMark[] {
    return message === undefined ? [] : this.#marksIn(message, { wallMs });
  }
}

/** Messages of journalctl for a journal that it cannot read, or only in part. Some versions exit 0 then. */
const unreadable = /^No journal files were |insufficient permissions|currently not seeing messages/m;

function namesOf({ unit, containers }: Params): Parameters<typeof requireNames>[0] {
  return { unit: unit === undefined ? undefined : unitName(unit), containers };
}

/**
 * Match arguments: one group for the unit's own lines, one for systemd's lines about it, and one for the
 * containers.
 */
function matches(p: Params): string[] {
  const groups: string[][] = [];
  const unit = p.unit === undefined ? undefined : unitName(p.unit);
  if (unit !== undefined) groups.push([`_SYSTEMD_UNIT=${unit}`], ['_PID=1', `UNIT=${unit}`]);
  if (p.containers !== undefined) groups.push(p.containers.map((name) => `CONTAINER_NAME=${name}`));
  return groups.flatMap((group, i) => (i === 0 ? group : ['+', ...group]));
}

/** The fields of a journal entry that marks need. */
interface Entry {
  readonly cursor: string;
  readonly wallMs: WallMs;
  readonly message: string | undefined;
}

/**
 * Parses journalctl's JSON lines. An incomplete last line (truncated output) is dropped, and the next sample
 * reads it again.
 */
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
  return { cursor, wallMs: wallMs(Number(stamp) / 1000), message: textOf(message) };
}

/**
 * journalctl prints a message that is not plain UTF-8 as an array of bytes, and one that is too long as null.
 */
function textOf(message: unknown): string | undefined {
  if (typeof message === 'string') return message;
  if (!Array.isArray(message)) return undefined;
  const bytes = message.filter((byte): byte is number => typeof byte === 'number');
  return bytes.length === message.length ? new TextDecoder().decode(Uint8Array.from(bytes)) : undefined;
}
