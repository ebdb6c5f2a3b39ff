// The lab's cloud: a stand-in for Keystone and Nova of an OpenStack cloud, so that a drill switches the lab's VMs off and on
// as in a real cloud. It answers like Keystone v3 and Nova 2.1-2.100 (test/contract compares it with the real services) for
// existing servers: log in, show, list, stop, start, reboot, lock, and read instance actions. Its machines are the lab's
// containers, controlled through the Docker engine's socket.
//
//   node main.ts
//
// From the environment:
//   FIREDRILL_CLOUD_CONFIG    JSON file: region, user, project, credential, servers (see config.ts)
//   FIREDRILL_CLOUD_SECRETS   file of NAME=VALUE lines with the secrets for the configuration
//   FIREDRILL_CLOUD_STATE     file with the servers' states, for a restart
//   FIREDRILL_CLOUD_URL       URL for clients; the service listens on its port
//   FIREDRILL_DOCKER_SOCKET   default /var/run/docker.sock
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createCloud } from './cloud.ts';
import { parseCloudConfig } from './config.ts';
import { DockerHypervisor } from './docker-hypervisor.ts';
import { stateFile } from './state-file.ts';

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
}

const log = (line: string): void => {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
};

process.loadEnvFile(variable('FIREDRILL_CLOUD_SECRETS'));
const publicUrl = variable('FIREDRILL_CLOUD_URL').replace(/\/+$/, '');
const cloud = createCloud({
  config: parseCloudConfig(readFileSync(variable('FIREDRILL_CLOUD_CONFIG'), 'utf8'), process.env),
  publicUrl,
  hypervisor: new DockerHypervisor(process.env['FIREDRILL_DOCKER_SOCKET'] ?? '/var/run/docker.sock'),
  store: stateFile(variable('FIREDRILL_CLOUD_STATE')),
  nowMs: Date.now,
  log,
});

const server = createServer((request, response) => void cloud.handle(request, response));
server.listen(Number(new URL(publicUrl).port || 80), () => log(`listening for ${publicUrl}`));
// The next start resumes interrupted actions.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
await cloud.instances.run(new AbortController().signal);
