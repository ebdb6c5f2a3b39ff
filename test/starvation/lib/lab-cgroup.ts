/** A folder of control groups whose limits hold for all containers of the lab together. */
export interface LabCgroup {
  readonly version: 1 | 2;
  readonly folder: string;
}

/** Why a condition cannot be made on this machine, for the report. */
export interface Unavailable {
  readonly unavailable: string;
}

/** These hold more than containers: a limit on them would hold for the whole machine, firedrill included. */
const notOfTheLabAlone = /^\/?$|^\/(system|user|machine)\.slice\b/;

/**
 * The control group above a container's own for a controller.
 * @param controller as /proc names it in v1: `cpu`, `blkio`; v2 has one hierarchy for all
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
      unavailable: `the lab's containers have no control group of their own: they are in ${parent === '' ? '/' : parent} (set \`cgroup-parent\` of the Docker engine)`,
    };
  return v1 === undefined
    ? { version: 2, folder: `/sys/fs/cgroup${parent}` }
    : { version: 1, folder: `/sys/fs/cgroup/${v1.controllers}${parent}` };
}
