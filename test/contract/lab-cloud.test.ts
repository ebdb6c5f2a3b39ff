import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe } from 'vitest';
import { createCloud } from '../../compose-lab/cloud/cloud.ts';
import { hexId } from '../../compose-lab/cloud/config.ts';
import { MemoryHypervisor } from '../../compose-lab/cloud/hypervisor.ts';
import type { CloudUnderTest } from './cloud-under-test.ts';
import { describeContract } from './contract.ts';

let listener: Server | undefined;

async function startCloud(): Promise<CloudUnderTest> {
  const server = createServer();
  listener = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = {
    region: 'RegionOne',
    user: 'drill',
    password: 'of-the-drill',
    project: 'drill',
    credential: { name: 'contract', secret: 'of-the-contract' },
    tokenLifeMs: 3_600_000,
    syncPowerStateMs: -1000,
    shutdownTimeoutMs: 60_000,
    servers: [
      { name: 'vm-1', machine: 'one' },
      { name: 'vm-10', machine: 'ten' },
    ],
  };
  const cloud = createCloud({
    config,
    publicUrl,
    hypervisor: new MemoryHypervisor(['one', 'ten'], 300),
    store: { load: () => undefined, save: () => undefined },
    nowMs: Date.now,
    log: () => undefined,
  });
  server.on('request', (request, response) => void cloud.handle(request, response));
  return {
    ...config,
    identityUrl: `${publicUrl}/identity/v3`,
    credential: { ...config.credential, id: hexId('credential', 'contract') },
    servers: ['vm-1', 'vm-10'],
  };
}

async function stopCloud(): Promise<void> {
  listener?.closeAllConnections();
  await new Promise((resolve) => listener?.close(resolve));
}

describe('the lab’s cloud', () => {
  describeContract(startCloud, stopCloud);
});
