// The lab's cloud: a stand-in for an OpenStack cloud's Keystone and Nova, so that a drill switches the lab's VMs off and
// on the way it does with those of a real cloud. It answers as Keystone v3 and Nova 2.1-2.100 do (test/contract holds
// it against the real ones) for what one does with servers that exist: log in, look, stop, start, reboot, lock, and read
// the instance actions. Its machines are the lab's containers, powered through the Docker engine's socket.
//
//   node main.ts
//
// From the environment:
//   FIREDRILL_CLOUD_CONFIG    JSON file: region, user, project, credential, servers (see config.ts)
//   FIREDRILL_CLOUD_SECRETS   file of NAME=VALUE lines with the secrets that the configuration names
//   FIREDRILL_CLOUD_STATE     file that keeps the servers' states over a restart
//   FIREDRILL_CLOUD_URL       as clients reach it; its port is listened on
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
// What is under way is taken up at the next start.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
await cloud.instances.run(new AbortController().signal);
