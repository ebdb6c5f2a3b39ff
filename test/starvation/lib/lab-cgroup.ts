/** A folder of control groups whose limits hold for all containers of the lab together. */
export interface LabCgroup {
  readonly version: 1 | 2;
  readonly folder: string;
}

/** Why this machine cannot have a condition, for the report. */
export interface Unavailable {
  readonly unavailable: string;
}

/** Groups that contain more than containers: a limit on them would apply to the complete machine, including firedrill. */
const notOfTheLabAlone = /^\/?$|^\/(system|user|machine)\.slice\b/;

/**
 * The parent of a container's control group, for a controller.
 * @param controller v1 name in /proc: `cpu` or `blkio`; v2 has one hierarchy for all controllers
 * @param procCgroup text of /proc/PID/cgroup of a process of the container, read on the engine's host
 */
export function labCgroup(
  controller: 'cpu' | 'blkio',
  procCgroup: string,
  containerId: string,
): LabCgroup | Unavailable {
  const lines = procCgroup.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    return controllers === undefined || path === undefined ? [] : [{ controllers, path }];
  });
  const v1 = lines.find(({ controllers }) => controllers.split(',').includes(controller));
  const found = v1 ?? lines.find(({ controllers }) => controllers === '');
  if (found === undefined) return { unavailable: `no control group for ${controller}` };
  const segments = found.path.split('/');
  const own = segments.findIndex((segment) => segment.includes(containerId));
  if (own === -1)
    return { unavailable: `the control group ${found.path} does not name the container ${containerId}` };
  const parent = segments.slice(0, own).join('/');
  if (notOfTheLabAlone.test(parent))
    return {
      unavailable: `the lab's containers do not have their own control group: they are in ${parent === '' ? '/' : parent} (set \`cgroup-parent\` of the Docker engine)`,
    };
  return v1 === undefined
    ? { version: 2, folder: `/sys/fs/cgroup${parent}` }
    : { version: 1, folder: `/sys/fs/cgroup/${v1.controllers}${parent}` };
}
