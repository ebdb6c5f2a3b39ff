import { randomBytes } from 'node:crypto';
import { scattered, scatteredArgv, shellCommand } from '../core/shell-quote.ts';

/**
 * Marks around a command's output. The command is run by a script for a POSIX shell, which writes a mark to both streams
 * right before the command starts, and another with its exit code after its end. What comes before the first mark or after
 * the last (login shells, sudo, forced commands, the Docker client) is no output of the command; without the first one the
 * command was not run.
 *
 * Each command has a mark of its own. The script gets it in two halves: whoever prints the script, or the command line
 * that has it (`set -x`, "command not allowed"), does not print the mark.
 */
export interface Mark {
  readonly halves: readonly [string, string];
  readonly whole: string;
}

/** A random mark that occurs in no output. */
export function newMark(): Mark {
  const half = (): string => randomBytes(12).toString('hex');
  const halves = [half(), half()] as const;
  return { halves, whole: halves.join('') };
}

/** What a marked command does with its process. */
export type MarkedShape =
  /** Runs to its end; both ends are marked. */
  | 'run'
  /** Runs for as long as the standard input is open; both ends are marked. */
  | 'follow'
  /** A dialogue: its end is marked on the standard error only, for nothing of its output may be held back. */
  | 'pipe';

/**
 * The environment of commands on hosts: messages in English, in UTF-8 where the host has it without a language, and
 * programs for administrators found although the user is none. LANGUAGE goes before LC_ALL in programs that use gettext.
 */
export const environmentScript = `PATH=\${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin LC_ALL=C
if [ -e /usr/lib/locale/C.utf8 ] || [ -e /usr/lib/locale/C.UTF-8 ]; then LC_ALL=C.UTF-8; fi
export PATH LC_ALL; unset LANGUAGE`;

/** Sets the halves of a mark. */
const setMark = ({ halves: [first, second] }: Mark): string => `fd_a=${first} fd_b=${second}`;

/** Writes a mark to both streams. */
const sayMark = (kind: string, value: string): string =>
  `${printMark(kind, value)}; ${printMark(kind, value)} >&2`;
const printMark = (kind: string, value: string): string =>
  `printf '%s%s ${kind}%d\\n' "$fd_a" "$fd_b" ${value}`;

/**
 * The process group that has to be killed to end the command: that of the session which sshd made for it, whoever leads it.
 */
const startScript = `{ read -r _ _ _ _ fd_g _ </proc/$$/stat; } 2>/dev/null || fd_g=$$
${sayMark('S', '"$fd_g"')}`;

/** `exec`: for programs, not for the shell's builtins. What the shell itself says of a command that was killed goes nowhere. */
const waited = '{ ( exec "$@" 2>&3 3>&- ); fd_c=$?; } 3>&2 2>/dev/null';

const endings: Readonly<Record<MarkedShape, string>> = {
  run: `${waited}
${sayMark('E', '"$fd_c"')}
exit "$fd_c"`,
  /*
   * Runs the command for as long as somebody holds the shell's standard input. Whoever follows holds it; when he stops or
   * dies, it is closed all the way down (`docker exec -i` closes it when its client goes, sshd when the connection does),
   * and the command is ended: first asked, then killed. A signal would end the client alone and leave the command behind.
   */
  follow: `exec 3<&0 </dev/null
( exec "$@" 3<&- ) & fd_p=$!
{ while read -r fd_l; do :; done <&3; kill "$fd_p"; sleep 1; kill -9 "$fd_p"; } >/dev/null 2>&1 & fd_w=$!
wait "$fd_p"; fd_c=$?
kill "$fd_w" 2>/dev/null
${sayMark('E', '"$fd_c"')}
exit "$fd_c"`,
  pipe: `${waited}
${printMark('E', '"$fd_c"')} >&2
exit "$fd_c"`,
};

const scriptOf = (shape: MarkedShape): string => `${environmentScript}\n${startScript}\n${endings[shape]}`;

/** The argv that runs an argv between marks. */
export function markedArgv(argv: readonly string[], mark: Mark, shape: MarkedShape): string[] {
  return scatteredArgv(scattered(markedScript(argv, mark, shape)));
}

/** The same as a script for a POSIX shell that reads it. */
export function markedScript(argv: readonly string[], mark: Mark, shape: MarkedShape): string {
  return `${setMark(mark)}; set -- ${shellCommand(argv)}\n${scriptOf(shape)}`;
}

/**
 * A script that runs, by the argv of another program (sudo), the scattered script that is its `$2`; in English, after a mark
 * that says: the login shell did what it was asked to.
 */
export function arrivedScript(by: readonly string[], mark: Mark): string {
  const argv = [...by, ...scatteredArgv('').slice(0, -1)];
  return `${environmentScript}\n${setMark(mark)}; ${sayMark('A', '0')}\nexec ${shellCommand(argv)} "$2"`;
}

/** A script for a shell that is kept: marks, and the command between them, without any input. */
export function keptScript(argv: readonly string[], mark: Mark): string {
  const command = `{ ( exec ${shellCommand(argv)} 2>&3 3>&- ) </dev/null; fd_c=$?; } 3>&2 2>/dev/null`;
  return `${setMark(mark)}; ${sayMark('S', '0')}\n${command}\n${sayMark('E', '"$fd_c"')}\n`;
}

/** Of what comes before the start, this much is kept for messages, bytes. */
const strayLimitBytes = 2000;
/** With more text than this before the start mark, the command counts as not run, bytes. */
export const strayMostBytes = 1_048_576;
/** Bytes that marks take up of a stream, at most. */
export const marksBytes = 256;

/** Finds the marks in one stream, in pieces of any size, and hands on what is between them as it comes. */
export interface MarkReader {
  /** Takes a piece of the stream; gives what is known now to be the command's own. */
  add(piece: Buffer): Buffer;
  /** The login shell ran what it was asked to: it got as far as sudo. */
  readonly arrived: boolean;
  /** The process group of the command, once it has started; 0 where nobody has to know. */
  readonly started: number | undefined;
  /** The exit code, once the command has ended. */
  readonly ended: number | undefined;
  /** What came before the login shell had done its part, and after the command's end. */
  readonly stray: string;
  /** What sudo said before it ran the command. */
  readonly sudoSaid: string;
  /** Bytes that came before the start. */
  readonly strayBytes: number;
}

/** Reads a stream of a command that runs between these marks. */
export function readMarks(mark: Mark, shape: MarkedShape): MarkReader {
  const wanted = Buffer.from(`${mark.whole} `);
  let rest: Buffer = Buffer.alloc(0);
  let arrived = false;
  let started: number | undefined;
  let ended: number | undefined;
  let strayBytes = 0;
  const stray = limitedText();
  const sudoSaid = limitedText();
  /** Its end has no mark, and nothing of it may be held back that could become one. */
  const isDialogue = (): boolean => shape === 'pipe' && started !== undefined;
  /** What is held back before the start, because it could become a mark. */
  const pending = (): string => (started === undefined ? rest.toString('utf8') : '');
  /** What becomes of bytes that are in front of the next mark. */
  const take = (bytes: Buffer, own: Buffer[]): void => {
    if (started !== undefined && ended === undefined) return void own.push(bytes);
    if (started === undefined) strayBytes += bytes.length;
    (arrived && started === undefined ? sudoSaid : stray).add(bytes);
  };
  const onMark = (kind: string, value: number): void => {
    if (kind === 'A') arrived = true;
    if (kind === 'S') started ??= value;
    if (kind === 'E') ended ??= value;
  };
  return {
    add(piece) {
      const own: Buffer[] = [];
      rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      while (!isDialogue()) {
        const at = rest.indexOf(wanted);
        if (at < 0) break;
        const end = rest.indexOf(0x0a, at);
        take(rest.subarray(0, at), own);
        rest = rest.subarray(at);
        if (end < 0) return Buffer.concat(own);
        const [, kind = '', value = ''] =
          /^([ASE])(\d+)$/.exec(rest.toString('latin1', wanted.length, end - at)) ?? [];
        onMark(kind, Number(value));
        rest = rest.subarray(end - at + 1);
      }
      const kept = isDialogue() || ended !== undefined ? 0 : beginningOf(wanted, rest);
      take(rest.subarray(0, rest.length - kept), own);
      rest = rest.subarray(rest.length - kept);
      return Buffer.concat(own);
    },
    get arrived() {
      return arrived;
    },
    get started() {
      return started;
    },
    get ended() {
      return ended;
    },
    get stray() {
      return stray.text() + (arrived ? '' : pending());
    },
    get sudoSaid() {
      return sudoSaid.text() + (arrived ? pending() : '');
    },
    get strayBytes() {
      return strayBytes;
    },
  };
}

/** How many bytes at the end of `bytes` may be the beginning of `wanted`. */
function beginningOf(wanted: Buffer, bytes: Buffer): number {
  for (let length = Math.min(wanted.length - 1, bytes.length); length > 0; length -= 1) {
    if (bytes.subarray(bytes.length - length).equals(wanted.subarray(0, length))) return length;
  }
  return 0;
}

/** Text up to a limit: its beginning. */
function limitedText(): { add(bytes: Buffer): void; text(): string } {
  let kept = Buffer.alloc(0);
  return {
    add: (bytes) => {
      const room = strayLimitBytes - kept.length;
      if (room > 0 && bytes.length > 0) kept = Buffer.concat([kept, bytes.subarray(0, room)]);
    },
    text: () => kept.toString('utf8'),
  };
}
