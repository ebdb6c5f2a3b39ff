/** USER_HZ, on every machine that Node runs on (time(7), "The software clock, HZ, and jiffies"). */
const tickMs = 10;
/** Fields of /proc/PID/stat behind the command's name (proc_pid_stat(5), fields 14 to 17 and 16 to 17). */
const places = { all: [11, 15], children: [13, 15] } as const;

/** CPU time in the text of /proc/PID/stat, ms: of its ended children alone, or of the process with them. null where it is not such a text. */
export function cpuMsOf(stat: string, of: keyof typeof places): number | null {
  // The name may hold anything, also a parenthesis; what follows the last one does not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [from, to] = places[of];
  const ticks = fields.slice(from, to).map(Number);
  return ticks.length < to - from || ticks.some(Number.isNaN)
    ? null
    : ticks.reduce((a, b) => a + b, 0) * tickMs;
}
