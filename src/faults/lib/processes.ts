import { DrillError } from '../../core/errors.ts';
import type { ExecResult } from '../../core/host.ts';
import { ownShells } from '../../core/shell-quote.ts';
import { lastText, run, type CommandContext } from './commands.ts';

/** Where to search for processes: on the host, or in one of its containers. */
export interface ProcessPlace {
  readonly process: string;
  readonly container?: string | undefined;
}

/**
 * Shell function `own PID`: whether a process carries firedrill's commands or is one of them. These are the
 * ancestors of this script (such as an SSH server), the shells that run commands, and their children (such as
 * `nginx -t`). A daemon that a command has left behind is not one of them.
 */
const own = `parent() {
  { read -r fd_line <"/proc/$1/stat"; } 2>/dev/null || fd_line=
  fd_line=\${fd_line##*) } fd_up=\${fd_line#* } fd_up=\${fd_up%% *}
}
fd_own=' ' fd_others=' ' fd_at=$$ fd_by=$PPID
while [ "\${fd_at:-0}" -gt 1 ]; do
  fd_own="$fd_own$fd_at "
  parent "$fd_at"
  fd_at=$fd_up
done
own() {
  case $fd_own in *" $1 "*) return 0 ;; esac
  fd_at=$1 fd_seen=
  while [ "\${fd_at:-0}" -gt 1 ]; do
    case $fd_others in *" $fd_at "*) break ;; esac
    [ "$fd_at" != "$fd_by" ] || return 0
    # No external program, and each ancestor only once: a name may have hundreds of processes. read drops NUL bytes.
    fd_words=
    { read -r fd_words <"/proc/$fd_at/cmdline"; } 2>/dev/null
    case $fd_words in ${ownShells.map((text) => `*'${text}'*`).join('|')}) return 0 ;; esac
    parent "$fd_at"
    fd_at=$fd_up fd_seen="$fd_seen$fd_at "
  done
  fd_others="$fd_others$fd_seen"
  return 1
}
`;

/**
 * Finds processes by name in /proc, which every Linux has: many images lack `ps` and `pkill`, and those of
 * busybox have other options. It skips firedrill's own processes, zombies, and lines without a start time
 * (truncated). The script prints the mark at its end, so output without the mark is incomplete.
 */
const find = `${own}found=
for stat in /proc/[0-9]*/stat; do
  { read -r line <"$stat"; } 2>/dev/null || continue
  pid=\${line%% *} comm=\${line#*\\(} rest=\${line##*) }
  [ "\${comm%) *}" = "$1" ] || continue
  set -- "$1" "$2" $rest
  case $3 in Z|X) continue ;; esac
  ! own "$pid" || continue
  found="$found $pid"
  # Field 22 of the line: the start time, in clock ticks since the boot.
  [ -n "\${22}" ] && echo "$pid \${22}"
done
`;
const mark = 'all looked at';
const listScript = `${find}echo '${mark}'`;
/**
 * Several processes of one name must crash at the same moment, so they are frozen before they are killed.
 * Otherwise a child that notices its parent's death could exit gracefully (keepalived would send a final
 * advert).
 */
const killScript = `exec >/dev/null
signal=$2
${find}set -- $found
hit=
if [ "$signal" = KILL ] && [ $# -gt 1 ]; then kill -STOP "$@"; fi
for pid in "$@"; do kill "-$signal" "$pid" && hit=yes; done
[ -n "$hit" ]`;

/** The argv that runs a command on the host or in the container. */
export function within({ container }: ProcessPlace, argv: readonly string[]): string[] {
  return container === undefined ? [...argv] : ['docker', 'exec', container, ...argv];
}

/** The place, for messages. */
export function placeText({ container }: ProcessPlace): string {
  return container === undefined ? '' : ` in container ${container}`;
}

/**
 * Running processes with this name, as `PID START`. @throws DrillError `host-unreachable` if they cannot be
 * listed
 */
export async function listProcesses(ctx: CommandContext, place: ProcessPlace): Promise<string[]> {
  const result = await run(ctx, within(place, ['sh', '-c', listScript, 'sh', place.process, '']));
  const lines = result.stdout.trim().split('\n');
  if (result.exitCode === 0 && lines.at(-1) === mark) return lines.filter((line) => /^\d+ \d+$/.test(line));
  // sh is missing or not executable.
  if (result.exitCode === 126 || result.exitCode === 127) {
    throw new DrillError(
      'fault-failed',
      `${ctx.host.name}: cannot list the processes named ${place.process}${placeText(place)}: sh cannot run: ${lastText(result)}`,
      { hint: `Use a host or a container image that has \`sh\`, or install it${placeText(place)}.` },
    );
  }
  throw new DrillError(
    'host-unreachable',
    `${ctx.host.name}: cannot list the processes named ${place.process}${placeText(place)}: ${lastText(result) || `exit ${result.exitCode}`}`,
  );
}

/** Sends the signal to every process with this name. Exits 1 if there is none. */
export function signalProcesses(
  ctx: CommandContext,
  place: ProcessPlace,
  signal: string,
): Promise<ExecResult> {
  return run(ctx, within(place, ['sh', '-c', killScript, 'sh', place.process, signal]));
}
