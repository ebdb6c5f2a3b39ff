import { DrillError } from '../../core/errors.ts';
import type { ExecResult } from '../../core/host.ts';
import { ownShells } from '../../core/shell-quote.ts';
import { lastWords, run, type CommandContext } from './commands.ts';

/** Where processes are searched: on the host, or in one of its containers. */
export interface ProcessPlace {
  readonly process: string;
  readonly container?: string | undefined;
}

/**
 * Whether a process carries firedrill's commands or is one of them: what this script descends from (an SSH server), the shells
 * that run commands, and what runs in those now (`nginx -t`, for a probe). A daemon that a command has left behind is none.
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
    # Without a program, and each ancestor once: a name may have hundreds of processes. Shells leave out what separates words.
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
 * Finds processes by name in /proc, which every Linux has: `ps` and `pkill` are missing in many images, and those of busybox know
 * other options. What is firedrill's own is no answer, zombies are dead, and a line without a start time was cut short. It prints
 * nothing but the mark where there are none: without the mark it did not run to its end.
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
  # Field 22 of the line: when it started, in ticks since the boot.
  [ -n "\${22}" ] && echo "$pid \${22}"
done
`;
const mark = 'all looked at';
const listScript = `${find}echo '${mark}'`;
/**
 * A crash of several processes of one name is one moment: they are frozen before they are killed. One after the other,
 * a child that hears of its parent's death first would end in order (a keepalived that says goodbye).
 */
const killScript = `exec >/dev/null
signal=$2
${find}set -- $found
hit=
if [ "$signal" = KILL ] && [ $# -gt 1 ]; then kill -STOP "$@"; fi
for pid in "$@"; do kill "-$signal" "$pid" && hit=yes; done
[ -n "$hit" ]`;

/** The argv that runs a command at that place. */
export function within({ container }: ProcessPlace, argv: readonly string[]): string[] {
  return container === undefined ? [...argv] : ['docker', 'exec', container, ...argv];
}

/** The place in words, for messages. */
export function placeWords({ container }: ProcessPlace): string {
  return container === undefined ? '' : ` in container ${container}`;
}

/** Living processes of that name as `pid start-time`. @throws DrillError `host-unreachable` where they could not be looked for */
export async function listProcesses(ctx: CommandContext, place: ProcessPlace): Promise<string[]> {
  const result = await run(ctx, within(place, ['sh', '-c', listScript, 'sh', place.process, '']));
  const lines = result.stdout.trim().split('\n');
  if (result.exitCode === 0 && lines.at(-1) === mark) return lines.filter((line) => /^\d+ \d+$/.test(line));
  // sh: not there, or not to be run.
  if (result.exitCode === 126 || result.exitCode === 127) {
    throw new DrillError(
      'fault-failed',
      `${ctx.host.name}: cannot look for ${place.process}${placeWords(place)}: sh cannot be run: ${lastWords(result)}`,
      { mend: 'The fault needs a shell (sh) there.' },
    );
  }
  throw new DrillError(
    'host-unreachable',
    `${ctx.host.name}: cannot look for ${place.process}${placeWords(place)}: ${lastWords(result) || `exit ${result.exitCode}`}`,
  );
}

/** Sends the signal to every process of that name. Exit 1: there was none. */
export function signalProcesses(
  ctx: CommandContext,
  place: ProcessPlace,
  signal: string,
): Promise<ExecResult> {
  return run(ctx, within(place, ['sh', '-c', killScript, 'sh', place.process, signal]));
}
