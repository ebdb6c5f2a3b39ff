import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabCgroup, Unavailable } from './lab-cgroup.ts';

/** A condition in force. */
export interface InForce {
  /** Whether it is still in force. */
  readonly holds: () => boolean;
  /** Ends it; safe to call twice. Synchronous, so that it also runs while the process exits. */
  readonly undo: () => void;
}

/** A control group's CPU quota for all of its processes together, in CPUs; null: none. @throws Error if it cannot be read */
export function cpuQuota({ version, folder }: LabCgroup): number | null {
  const [quota, period] =
    version === 2
      ? read(join(folder, 'cpu.max')).split(' ')
      : [read(join(folder, 'cpu.cfs_quota_us')), read(join(folder, 'cpu.cfs_period_us'))];
  const cpus = Number(quota) / Number(period);
  return Number.isFinite(cpus) && cpus > 0 ? cpus : null;
}

/** Limits the CPUs of a control group, for all of its processes together. */
export function limitCpus(cgroup: LabCgroup, cpus: number): InForce | Unavailable {
  const { version, folder } = cgroup;
  const path = join(folder, version === 2 ? 'cpu.max' : 'cpu.cfs_quota_us');
  if (!existsSync(path)) return { unavailable: `no CPU quota: ${path} is missing` };
  const before = read(path);
  const periodUs = version === 2 ? before.split(' ')[1] : read(join(folder, 'cpu.cfs_period_us'));
  const quotaUs = Math.round(cpus * Number(periodUs));
  writeFileSync(path, version === 2 ? `${quotaUs} ${periodUs}` : String(quotaUs));
  return { holds: () => cpuQuota(cgroup) === cpus, undo: () => writeFileSync(path, before) };
}

/**
 * Limits the writes of a control group to a disk, in operations per second.
 *
 * In v1, groups below do not inherit the limit, so each gets its own; a container that restarts later has none. v1 also
 * limits only writes that a process waits for (fsync, direct I/O).
 * @param device `major:minor` of a whole disk
 */
export function limitWrites(
  { version, folder }: LabCgroup,
  device: string,
  opsPerSecond: number,
): InForce | Unavailable {
  const name = version === 2 ? 'io.max' : 'blkio.throttle.write_iops_device';
  const groups = version === 2 ? [folder] : [folder, ...foldersBelow(folder)];
  const paths = groups.map((group) => join(group, name)).filter((path) => existsSync(path));
  if (paths.length === 0) return { unavailable: `no limit on writes: ${join(folder, name)} is missing` };
  const line = (ops: number | undefined): string =>
    version === 2 ? `${device} wiops=${ops ?? 'max'}` : `${device} ${ops ?? 0}`;
  const before = paths.map((path) => ({ path, ops: writeLimit(path, device) }));
  for (const path of paths) writeFileSync(path, line(opsPerSecond));
  return {
    holds: () => writeLimit(join(folder, name), device) === opsPerSecond,
    // The group of a container that has ended is gone, together with its limit.
    undo: () => {
      for (const { path, ops } of before) if (existsSync(path)) writeFileSync(path, line(ops));
    },
  };
}

/** The write limit of a device in a limits file; undefined without one. */
function writeLimit(path: string, device: string): number | undefined {
  const line = read(path)
    .split('\n')
    .find((one) => one.startsWith(`${device} `));
  const ops = Number(/(?: |wiops=)(\d+)\b/.exec(line ?? '')?.[1]);
  return Number.isFinite(ops) && ops > 0 ? ops : undefined;
}

/** `major:minor` of the disk of a file; not of its partition, because the kernel refuses a limit on a partition. */
export function diskOf(path: string): string | Unavailable {
  const { dev } = statSync(path);
  const device = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  const folder = `/sys/dev/block/${device}`;
  if (!existsSync(folder)) return { unavailable: `no limit on writes: ${path} is not on a disk (${device})` };
  return existsSync(join(folder, 'partition')) ? read(`${folder}/../dev`) : device;
}

function foldersBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

function read(path: string): string {
  return readFileSync(path, 'utf8').trim();
}
