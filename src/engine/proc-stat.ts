/**
 * Length of a tick (1 / USER_HZ), ms; the same on every machine that Node supports (time(7), "The software
 * clock, HZ, and jiffies").
 */
const tickMs = 10;
/**
 * Index ranges of the fields after the command's name in /proc/PID/stat (proc_pid_stat(5), fields 14 to 17
 * and 16 to 17).
 */
const places = { all: [11, 15], children: [13, 15] } as const;

/**
 * CPU time in the text of /proc/PID/stat, ms: `children` is its ended children, `all` includes the process
 * itself. null if the text has another format.
 */
export function cpuMsOf(stat: string, of: keyof typeof places): number | null {
  // The command's name may contain any character, also a parenthesis; the text after the last one does not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [from, to] = places[of];
  const ticks = fields.slice(from, to).map(Number);
  return ticks.length < to - from || ticks.some(Number.isNaN)
    ? null
    : ticks.reduce((a, b) => a + b, 0) * tickMs;
}
