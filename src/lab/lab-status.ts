import type { LabContext } from './lab-context.ts';
import type { Lab, LabVm } from './manifest.ts';

/** One container inside a VM. */
export interface InnerContainer {
  readonly name: string;
  /** State from the inner engine, e.g. `running`, `restarting`. */
  readonly state: string;
  /** e.g. `Up 2 minutes (healthy)`. */
  readonly status: string;
}

/** The present state of one VM. */
export interface VmStatus {
  readonly name: string;
  readonly container: string;
  readonly address: string;
  /** `missing` before the first `lab up`; otherwise the engine's state: running, exited, … */
  readonly power: string;
  /** State from systemd: running, degraded, starting, …; undefined while the VM is off. */
  readonly system: string | undefined;
  readonly containers: readonly InnerContainer[];
}

/** Reads the state of each VM, and changes nothing. A VM without an answer in time is reported, not thrown. */
export function labStatus(context: LabContext, lab: Lab): Promise<VmStatus[]> {
  return Promise.all(lab.manifest.vms.map((vm) => vmStatus(context, vm)));
}

async function vmStatus(context: LabContext, vm: LabVm): Promise<VmStatus> {
  const ask = async (argv: readonly string[]): Promise<string> => {
    const result = await context.run(argv, { timeoutMs: 15_000, signal: context.signal });
    return result.stdout.trim() || (result.timedOut ? 'no answer' : '');
  };
  const base = { name: vm.name, container: vm.container, address: vm.address };
  const power =
    (await ask(['docker', 'inspect', '--format', '{{.State.Status}}', vm.container])) || 'missing';
  if (power !== 'running') return { ...base, power, system: undefined, containers: [] };
  const [system, listing] = await Promise.all([
    ask(['docker', 'exec', vm.container, 'systemctl', 'is-system-running']),
    vm.innerImages
      ? ask([
          'docker',
          'exec',
          vm.container,
          'docker',
          'ps',
          '--all',
          '--format',
          '{{.Names}}\t{{.State}}\t{{.Status}}',
        ])
      : '',
  ]);
  return { ...base, power, system, containers: parseContainers(listing) };
}

function parseContainers(listing: string): InnerContainer[] {
  return listing
    .split('\n')
    .flatMap((line): InnerContainer[] => {
      const [name, state, status] = line.split('\t');
      return name === undefined || state === undefined ? [] : [{ name, state, status: status ?? '' }];
    })
    .sort((a, b) => a.name.localeCompare(b.name));
}
