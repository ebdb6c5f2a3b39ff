import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { statePaths } from '../../../src/lab/lab-state.ts';
import { must } from '../../firedrill.ts';
import { loadLab, type Lab } from '../../../src/lab/manifest.ts';

const root = join(import.meta.dirname, '../../..');

/** Fields of `transport: ssh` for a host of the lab. */
export type SshVariant = Readonly<Record<string, string | number | boolean>>;

/** The lab of a stack, from its files. */
export function labOf(stack: string): Promise<Lab> {
  return loadLab(join(root, 'compose-lab'), stack);
}

/**
 * Creates a user with passwordless sudo on each VM of a stack. Returns the transport fields for that user, by host.
 */
export async function sudoVariants(stack: string): Promise<Record<string, SshVariant>> {
  const lab = await labOf(stack);
  const { sshKey, knownHosts } = statePaths(lab);
  const script = `id driller >/dev/null 2>&1 || useradd --create-home --shell /bin/bash driller
install -d -m 0700 -o driller /home/driller/.ssh
install -m 0600 -o driller /root/.ssh/authorized_keys /home/driller/.ssh/authorized_keys
echo 'driller ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/driller`;
  const ways: Record<string, SshVariant> = {};
  for (const { name, container, address } of lab.manifest.vms) {
    await must(['docker', 'exec', container, 'bash', '-ec', script]);
    const key = { identityFile: sshKey, knownHosts, config: 'none' };
    ways[name] = { host: address, user: 'driller', sudo: true, ...key };
  }
  return ways;
}

/**
 * Writes a copy of the stack's target file with SSH instead of docker for each of its VMs; other hosts keep their transport.
 * `ways` overrides the transport fields of some hosts. Returns the path.
 */
export async function sshTarget(
  stack: string,
  ways: Readonly<Record<string, SshVariant>> = {},
): Promise<string> {
  const lab = await labOf(stack);
  const { sshKey, knownHosts } = statePaths(lab);
  const document = parseDocument(await readFile(join(root, 'compose-lab', stack, 'target.yaml'), 'utf8'));
  const { hosts } = document.toJS() as { hosts: Record<string, Record<string, unknown>> };
  for (const [name, { container, ...rest }] of Object.entries(hosts)) {
    const vm = lab.manifest.vms.find((one) => one.container === container);
    if (vm === undefined) continue;
    const plain: SshVariant = {
      host: vm.address,
      user: 'root',
      identityFile: sshKey,
      knownHosts,
      config: 'none',
    };
    document.setIn(['hosts', name], { ...rest, transport: 'ssh', ...(ways[name] ?? plain) });
  }
  // At the same depth as the original, because it has relative file names.
  const folder = join(root, '.firedrill', 'ssh');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${stack}.yaml`);
  await writeFile(path, document.toString());
  return path;
}
