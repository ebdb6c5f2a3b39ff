import { randomBytes } from 'node:crypto';
import { scattered, scatteredArgv, shellCommand } from '../core/shell-quote.ts';

/**
 * Marks around a command's output. A POSIX shell script runs the command. It writes a mark to both streams right before the
 * command starts, and another with the exit code after its end. Text before the first mark or after the last (from login
 * shells, sudo, forced commands, the Docker client) is not output of the command. Without the first mark, the command was
 * not run.
 *
 * Each command has its own mark. The script contains it in two halves, so that a program that prints the script or the
 * command line (`set -x`, "command not allowed") does not print the mark.
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

/** How a marked command runs. */
export type MarkedShape =
  /** Runs to its end; both ends are marked. */
  | 'run'
  /** Runs while the standard input is open; both ends are marked. */
  | 'follow'
  /** A dialogue. Its end is marked only on standard error, because its output must not be held back to look for a mark. */
  | 'pipe';

/**
 * The environment of commands on hosts. Messages are in English, in UTF-8 if the host has C.UTF-8. PATH includes the sbin
 * folders also for users who are not root. LANGUAGE is unset because programs with gettext prefer it to LC_ALL.
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
 * Reports the process group that must be killed to end the command: the group that sshd made for its session.
 */
const startScript = `{ read -r _ _ _ _ fd_g _ </proc/$$/stat; } 2>/dev/null || fd_g=$$
${sayMark('S', '"$fd_g"')}`;

/** Runs the command with `exec`, so it must be a program and not a builtin. The shell's own message about a killed command is discarded. */
const waited = '{ ( exec "$@" 2>&3 3>&- ); fd_c=$?; } 3>&2 2>/dev/null';

const endings: Readonly<Record<MarkedShape, string>> = {
  run: `${waited}
${sayMark('E', '"$fd_c"')}
exit "$fd_c"`,
  /*
   * Runs the command while the shell's standard input is open. firedrill holds it open. When firedrill stops or dies, the
   * input is closed on the host, too: `docker exec -i` closes it with its client, sshd with the connection. The command
   * then gets SIGTERM, and SIGKILL 1 s later. A signal to the local client would end only the client.
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

/** The argv that runs a command between marks. */
export function markedArgv(argv: readonly string[], mark: Mark, shape: MarkedShape): string[] {
  return scatteredArgv(scattered(markedScript(argv, mark, shape)));
}

/** The same as a script for a POSIX shell. */
export function markedScript(argv: readonly string[], mark: Mark, shape: MarkedShape): string {
  return `${setMark(mark)}; set -- ${shellCommand(argv)}\n${scriptOf(shape)}`;
}

/**
 * A script that runs the scattered script in its `$2` through another program (sudo), in English. Before that it writes a
 * mark: the login shell ran the command line.
 */
export function arrivedScript(by: readonly string[], mark: Mark): string {
  const argv = [...by, ...scatteredArgv('').slice(0, -1)];
  return `${environmentScript}\n${setMark(mark)}; ${sayMark('A', '0')}\nexec ${shellCommand(argv)} "$2"`;
}

/** A script for a kept shell: the command between marks, without input. */
export function keptScript(argv: readonly string[], mark: Mark): string {
  const command = `{ ( exec ${shellCommand(argv)} 2>&3 3>&- ) </dev/null; fd_c=$?; } 3>&2 2>/dev/null`;
  return `${setMark(mark)}; ${sayMark('S', '0')}\n${command}\n${sayMark('E', '"$fd_c"')}\n`;
}

/** Text before the start mark is kept for messages up to this limit, bytes. */
const strayLimitBytes = 2000;
/** If more bytes than this come before the start mark, the command counts as not run. */
export const strayMostBytes = 1_048_576;
/** Upper limit of the bytes that marks add to a stream. */
export const marksBytes = 256;

/** Finds the marks in one stream, in pieces of any size, and returns the bytes between them at once. */
export interface MarkReader {
  /** Takes a piece of the stream. Returns the bytes that are now known to be the command's output. */
  add(piece: Buffer): Buffer;
  /** The login shell ran the command line, up to sudo. */
  readonly arrived: boolean;
  /** The process group of the command after its start; 0 if it is not needed. */
  readonly started: number | undefined;
  /** The exit code after the command's end. */
  readonly ended: number | undefined;
  /** Text before the login shell ran the command line, and after the command's end. */
  readonly stray: string;
  /** Text from sudo before it ran the command. */
  readonly sudoSaid: string;
  /** Number of bytes before the start mark. */
  readonly strayBytes: number;
}

/** Reads a stream of a command that runs between these marks. */
export function readMarks(mark: Mark, shape: MarkedShape): MarkReader {
  const requested = Buffer.from(`${mark.whole} `);
  let rest: Buffer = Buffer.alloc(0);
  let arrived = false;
  let started: number | undefined;
  let ended: number | undefined;
  let strayBytes = 0;
  const stray = limitedText();
  const sudoSaid = limitedText();
  /** A dialogue has no end mark on this stream, so no bytes are held back. */
  const isDialogue = (): boolean => shape === 'pipe' && started !== undefined;
  /** Bytes before the start that are held back because they could become a mark. */
  const pending = (): string => (started === undefined ? rest.toString('utf8') : '');
  /** Sorts the bytes before the next mark. */
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
        const at = rest.indexOf(requested);
        if (at < 0) break;
        const end = rest.indexOf(0x0a, at);
        take(rest.subarray(0, at), own);
        rest = rest.subarray(at);
        if (end < 0) return Buffer.concat(own);
        const [, kind = '', value = ''] =
          /^([ASE])(\d+)$/.exec(rest.toString('latin1', requested.length, end - at)) ?? [];
        onMark(kind, Number(value));
        rest = rest.subarray(end - at + 1);
      }
      const kept = isDialogue() || ended !== undefined ? 0 : beginningOf(requested, rest);
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

/** How many bytes at the end of `bytes` may be the beginning of `requested`. */
function beginningOf(requested: Buffer, bytes: Buffer): number {
  for (let length = Math.min(requested.length - 1, bytes.length); length > 0; length -= 1) {
    if (bytes.subarray(bytes.length - length).equals(requested.subarray(0, length))) return length;
  }
  return 0;
}

/** Keeps the beginning of a text, up to the limit. */
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
