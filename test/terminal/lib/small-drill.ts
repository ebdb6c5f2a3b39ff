import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real drill without a lab: a loopback server answers until the fault creates a file. */
export interface SmallDrill {
  readonly scenario: string;
  /** Folder of the runs and of firedrill's state. */
  readonly folder: string;
  /** Whether the fault is in effect. */
  isDown(): boolean;
  remove(): void;
}

/** Output of its service with terminal control sequences. */
const hostile = String.raw`\033[2J\033[1;1H\033]0;pwned\007`;

/** Starts the server, and writes target and scenario: of two hosts, the first owns the address and loses it. */
export async function createSmallDrill(): Promise<SmallDrill> {
  const folder = mkdtempSync(join(tmpdir(), 'firedrill-terminal-'));
  const down = join(folder, 'down');
  const owner = join(folder, 'owner');
  writeFileSync(owner, 'alpha');
  const server = createServer((request, response) => {
    if (existsSync(down)) request.socket.destroy();
    else response.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const write = (name: string, content: unknown): string => {
    writeFileSync(join(folder, name), JSON.stringify(content));
    return join(folder, name);
  };
  write('target.yaml', {
    name: 'loopback',
    environment: 'test',
    hosts: {
      alpha: { transport: 'local', address: '127.0.0.1' },
      beta: { transport: 'local', address: '127.0.0.1' },
    },
    probes: [
      { id: 'web', kind: 'http', url: `http://127.0.0.1:${port}/`, interval: '200ms', timeout: '900ms' },
      {
        id: 'has-address',
        kind: 'exec',
        on: ['alpha', 'beta'],
        argv: ['sh', '-c', `test "$1" = "$(cat ${owner})" && echo yes || echo no`, 'sh', '${host}'],
        interval: '1s',
        timeout: '900ms',
      },
      {
        id: 'hostile',
        // No check uses this probe; it only produces hostile output.
        always: true,
        kind: 'exec',
        on: ['alpha'],
        argv: ['printf', hostile],
        interval: '1s',
        timeout: '900ms',
      },
    ],
    roles: { active: { probe: 'has-address', is: 'yes' }, standby: { probe: 'has-address', is: 'no' } },
    ownership: { address: { held: { probe: 'has-address', is: 'yes' } } },
    steady: {
      require: [{ probe: 'web' }, { probe: 'has-address', is: 'yes', count: 1 }],
      for: '1s',
      within: '10s',
    },
  });
  const scenario = write('scenario.yaml', {
    name: 'pull-the-plug',
    title: 'The plug is pulled',
    target: 'target.yaml',
    faults: [
      {
        id: 'plug',
        kind: 'command',
        on: { host: 'alpha' },
        run: ['sh', '-c', `echo beta > ${owner}; touch ${down}`],
        undo: ['rm', '-f', down],
        effect: ['test', '-e', down],
        undone: ['test', '!', '-e', down],
        for: '4s',
      },
    ],
    recovery: { probe: 'web', within: '20s', stableFor: '2s' },
    redundancy: { for: '500ms', within: '10s' },
    checks: [{ kind: 'rto', max: '60s' }],
  });
  return {
    scenario,
    folder,
    isDown: () => existsSync(down),
    remove: () => {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
