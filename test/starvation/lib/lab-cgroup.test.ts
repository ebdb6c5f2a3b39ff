import { expect, test } from 'vitest';
import { labCgroup } from './lab-cgroup.ts';

const id = '00e35d031e87';

test.each([
  ['v1', `2:cpuacct:/docker/${id}\n1:cpu:/docker/${id}/init.scope\n0::/`, 1, '/sys/fs/cgroup/cpu/docker'],
  ['v1, two controllers', `4:cpu,cpuacct:/docker/${id}`, 1, '/sys/fs/cgroup/cpu,cpuacct/docker'],
  ['v2, cgroupfs', `0::/docker/${id}/init.scope`, 2, '/sys/fs/cgroup/docker'],
  ['v2, systemd', `0::/lab.slice/docker-${id}.scope/init.scope`, 2, '/sys/fs/cgroup/lab.slice'],
] as const)("the parent of the container's group limits all containers: %s", (_, text, version, folder) => {
  expect(labCgroup('cpu', text, id)).toEqual({ version, folder });
});

test('each v1 controller has its own folder', () => {
  const text = `7:blkio:/docker/${id}\n1:cpu:/elsewhere/${id}`;
  expect(labCgroup('blkio', text, id)).toEqual({ version: 1, folder: '/sys/fs/cgroup/blkio/docker' });
});

test.each([
  ["next to the machine's services", `0::/system.slice/docker-${id}.scope`, 'they are in /system.slice'],
  ['at the root', `1:cpu:/${id}`, 'they are in /'],
  ['of another container', '0::/docker/ffff', 'does not name the container'],
  ['unknown', '', 'no control group for cpu'],
])('no limit on a group %s', (_, text, why) => {
  expect(labCgroup('cpu', text, id)).toEqual({ unavailable: expect.stringContaining(why) as string });
});
