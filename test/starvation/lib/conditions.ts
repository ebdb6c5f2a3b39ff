import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { must } from '../../firedrill.ts';
import { labOf } from '../../lab/lib/ssh-target.ts';
import { labCgroup, type LabCgroup, type Unavailable } from './lab-cgroup.ts';
import { cpuQuota, diskOf, type InForce, limitCpus, limitWrites } from './limits.ts';

/** Conditions of the drills, in the trial's order. */
export const conditionNames = [
  'quiet',
  'neighbour-1',
  'neighbour-2',
  'lab-1.0',
  'lab-0.7',
  'lab-0.5',
  'slow-disk',
] as const;
export type ConditionName = (typeof conditionNames)[number];

/** Write limit of the lab under `slow-disk`, operations per second: as on a slow network volume. */
const slowDiskOps = 20;

/** The names of a comma-separated list, in the trial's order; all names without a list. */
export function chosenConditions(list: string | undefined): readonly ConditionName[] {
  if (list === undefined || list === '') return conditionNames;
  const asked = list.split(',').map((name) => name.trim());
  const unknown = asked.filter((name) => !conditionNames.some((known) => known === name));
  if (unknown.length > 0)
    throw new Error(
      `STARVATION_ONLY: unknown condition ${unknown.join(', ')}\nhint: use some of ${conditionNames.join(',')}`,
    );
  return conditionNames.filter((name) => asked.includes(name));
}

/** Puts a condition in force for a stack's lab, or returns why this machine cannot have it. */
export async function putInForce(name: ConditionName, stack: string): Promise<InForce | Unavailable> {
  switch (name) {
    case 'quiet':
      return { holds: () => true, undo: () => {} };
    case 'neighbour-1':
      return neighbours(1);
    case 'neighbour-2':
      return neighbours(2);
    case 'lab-1.0':
    case 'lab-0.7':
    case 'lab-0.5': {
      const cgroup = await cgroupOf(stack, 'cpu');
      return 'unavailable' in cgroup ? cgroup : limitCpus(cgroup, Number(name.slice('lab-'.length)));
    }
    case 'slow-disk':
      return slowDisk(stack);
  }
}

/** The existing CPU quota of the lab's control group, in CPUs; null: none. A quota that a killed run left would distort the quiet drills. */
export async function leftQuota(stack: string): Promise<number | null> {
  const cgroup = await cgroupOf(stack, 'cpu');
  return 'unavailable' in cgroup ? null : cpuQuota(cgroup);
}

/**
 * Processes that use one core each. Each has its own session, like another program, because schedulers share CPU between
 * sessions. They end after this process ends.
 */
function neighbours(count: number): InForce {
  const burn =
    'for (;;) { const until = Date.now() + 1000; while (Date.now() < until); process.kill(Number(process.argv[1]), 0); }';
  const children = Array.from({ length: count }, () => {
    const child = spawn(process.execPath, ['-e', burn, String(process.pid)], {
      detached: true,
      stdio: 'ignore',
    });
    child.unref();
    return child;
  });
  return {
    holds: () =>
      children.every(
        ({ pid, exitCode, signalCode }) => pid !== undefined && exitCode === null && signalCode === null,
      ),
    undo: () => {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}

async function slowDisk(stack: string): Promise<InForce | Unavailable> {
  const cgroup = await cgroupOf(stack, 'blkio');
  if ('unavailable' in cgroup) return cgroup;
  const root = await must(['docker', 'info', '--format', '{{.DockerRootDir}}']);
  const disk = diskOf(root.trim());
  return typeof disk === 'string' ? limitWrites(cgroup, disk, slowDiskOps) : disk;
}

async function cgroupOf(stack: string, controller: 'cpu' | 'blkio'): Promise<LabCgroup | Unavailable> {
  const { manifest } = await labOf(stack);
  const [vm] = manifest.vms;
  if (vm === undefined) return { unavailable: `the lab of ${stack} has no container` };
  const reported = await must(['docker', 'inspect', '--format', '{{.Id}} {{.State.Pid}}', vm.container]);
  const [id = '', pid = ''] = reported.trim().split(' ');
  return labCgroup(controller, readFileSync(`/proc/${pid}/cgroup`, 'utf8'), id);
}
