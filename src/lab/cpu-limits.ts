/** The number of CPUs that a process may use, from `Cpus_allowed_list` of /proc/self/status (`0-3,8`). Undefined if it cannot be read. */
export function cpusAllowed(status: string | undefined): number | undefined {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status ?? '')?.[1];
  if (list === undefined) return undefined;
  const count = list.split(',').reduce((sum, range) => {
    const [from = Number.NaN, to = from] = range.split('-').map(Number);
    return sum + to - from + 1;
  }, 0);
  return Number.isFinite(count) && count > 0 ? count : undefined;
}

/**
 * The lowest CPU quota of this process's cgroups and their parents, in CPUs: `cpu.max` of v2, `cpu.cfs_quota_us` of v1.
 * Undefined without a quota.
 */
export async function cgroupCpus(
  read: (path: string) => Promise<string | undefined>,
): Promise<number | undefined> {
  const limits: number[] = [];
  for (const { folder, version } of cgroupFolders(await read('/proc/self/cgroup'))) {
    const limit =
      version === 2
        ? quotaOf((await read(`${folder}/cpu.max`))?.trim().split(' ') ?? [])
        : quotaOf([await read(`${folder}/cpu.cfs_quota_us`), await read(`${folder}/cpu.cfs_period_us`)]);
    if (limit !== undefined) limits.push(limit);
  }
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** The quota in CPUs. `max`, -1, and unreadable values mean no limit. */
function quotaOf([quota, period]: readonly (string | undefined)[]): number | undefined {
  if (quota === undefined || period === undefined) return undefined;
  const cpus = Number(quota) / Number(period);
  return Number.isFinite(cpus) && cpus > 0 ? cpus : undefined;
}

interface CgroupFolder {
  readonly folder: string;
  readonly version: 1 | 2;
}

/** The process's folder in each hierarchy that may limit its CPU, and every folder above it. */
function cgroupFolders(selfCgroup: string | undefined): CgroupFolder[] {
  return (selfCgroup ?? '').split('\n').flatMap((line): CgroupFolder[] => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    // The unified hierarchy is mounted at the top, or in a subfolder if v1 is mounted, too.
    if (controllers === '') {
      return ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].flatMap((root) =>
        pathAndParents(path).map((p) => ({ folder: `${root}${p}`, version: 2 as const })),
      );
    }
    if (!controllers.split(',').includes('cpu')) return [];
    return ['cpu', 'cpu,cpuacct'].flatMap((root) =>
      pathAndParents(path).map((p) => ({ folder: `/sys/fs/cgroup/${root}${p}`, version: 1 as const })),
    );
  });
}

/** `/a/b` gives `/a/b`, `/a`, and '' (the root). */
function pathAndParents(path: string): string[] {
  const parts = path.split('/').filter(Boolean);
  return Array.from({ length: parts.length + 1 }, (_, i) =>
    parts
      .slice(0, parts.length - i)
      .map((part) => `/${part}`)
      .join(''),
  );
}

/** The busy share of all CPUs between two readings of /proc/stat, with steal time, 0 to 1. Undefined if a reading is unusable. */
export function busyShareBetween(before: string | undefined, after: string | undefined): number | undefined {
  const [a, b] = [cpuTimes(before), cpuTimes(after)];
  if (a === undefined || b === undefined) return undefined;
  const total = b.total - a.total;
  return total <= 0 ? undefined : Math.min(1, Math.max(0, 1 - (b.idle - a.idle) / total));
}

/** Ticks since boot: user, nice, system, idle, iowait, irq, softirq, steal. The first two include guest time. */
function cpuTimes(stat: string | undefined): { readonly total: number; readonly idle: number } | undefined {
  const times = /^cpu\s+(.*)$/m
    .exec(stat ?? '')?.[1]
    ?.trim()
    .split(/\s+/)
    .slice(0, 8)
    .map(Number);
  if (times === undefined || times.length < 4 || times.some((ticks) => !Number.isFinite(ticks)))
    return undefined;
  return { total: times.reduce((sum, ticks) => sum + ticks, 0), idle: (times[3] ?? 0) + (times[4] ?? 0) };
}

/** `some avg10` of /proc/pressure/cpu, 0 to 1. Undefined if the kernel has no PSI. */
export function cpuPressure(text: string | undefined): number | undefined {
  const percent = /^some avg10=([\d.]+)/m.exec(text ?? '')?.[1];
  return percent === undefined ? undefined : Number(percent) / 100;
}
