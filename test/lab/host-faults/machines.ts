import { readFile } from 'node:fs/promises';
import type { Host } from '../../../src/core/host.ts';
import { createDockerHost } from '../../../src/hosts/docker.ts';
import { must } from '../../firedrill.ts';

// Machines for tests of faults: VM containers like those of the labs (compose.yaml), accessed over the transport under test.
const folder = 'test/lab/host-faults';
const compose = ['docker', 'compose', '-f', `${folder}/compose.yaml`] as const;

/** The machines by name; `engine` has a Docker engine. */
export const machines = {
  a: machine('a'),
  b: machine('b'),
  engine: machine('engine'),
} as const;

function machine(name: string): Host {
  return createDockerHost(name, { kind: 'docker', container: `firedrill-host-faults-${name}` });
}

/** Starts all machines and prepares them. */
export async function machinesUp(signal: AbortSignal): Promise<void> {
  await must(['docker', 'build', '-q', '-t', 'firedrill-test/node:1', 'compose-lab/images/node']);
  await must([...compose, 'up', '-d']);
  await Promise.all([
    prepare(machines.a, 'prepare.sh', signal),
    prepare(machines.b, 'prepare.sh', signal),
    prepare(machines.engine, 'prepare-engine.sh', signal),
  ]);
}

/** Removes all machines and their volumes. */
export async function machinesDown(): Promise<void> {
  await must([...compose, 'down', '--volumes', '--timeout', '2']);
}

async function prepare(host: Host, name: string, signal: AbortSignal): Promise<void> {
  const script = await readFile(`${folder}/${name}`, 'utf8');
  const made = await host.exec(['bash', '-s'], { timeoutMs: 600_000, signal, input: script });
  if (made.exitCode !== 0)
    throw new Error(`prepare ${host.name} with ${name}: exit code ${made.exitCode}: ${made.stderr}`);
}

/** Networks, packet rules, and timers of a machine, as text. A healed fault must leave them unchanged. */
export async function traces(host: Host, signal: AbortSignal): Promise<string> {
  const attempts = [
    ['iptables', '-w', '-t', 'mangle', '-S'],
    ['iptables', '-w', '-t', 'nat', '-S'],
    ['ip', '-o', 'route', 'show', 'table', 'all'],
    ['ip', '-br', 'address'],
    ['tc', 'qdisc'],
    ['systemctl', 'list-units', '--all', '--plain', '--no-legend', 'firedrill-*'],
  ];
  const parts = await Promise.all(
    attempts.map(async (argv) => (await host.exec(argv, { timeoutMs: 120_000, signal })).stdout),
  );
  return parts.join('--\n');
}
