import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import { scriptedHost, type Script } from '../faults/testing/scripted-host.ts';
import { createLocalHost } from '../hosts/local.ts';
import { vipClaim } from './vip-claim.ts';
import { attemptOnce, observe, openProbe } from './testing/attempt.ts';
import { pipedEngine } from './testing/piped-engine.ts';
import { sharedTemporaryFolder } from '../../test/temporary-folder.ts';

const vip = '198.18.2.100';
const links = JSON.stringify([
  { ifname: 'lo', addr_info: [{ family: 'inet', local: '127.0.0.1', prefixlen: 8 }] },
  {},
  {
    ifname: 'eth0',
    addr_info: [
      { family: 'inet', local: '198.18.2.11', prefixlen: 24 },
      { family: 'inet', local: vip, prefixlen: 24, scope: 'global', secondary: true },
      { family: 'inet6', local: '2001:db8::100', prefixlen: 64 },
      { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' },
    ],
  },
]);

const seenBy = async (host: Host, fields: object = {}) =>
  (await attemptOnce(vipClaim, { address: vip, ...fields }, { host })).seen;
const seenWith = async (script: Script, fields: object = {}) => seenBy(scriptedHost(script), fields);

describe('vip-claim probe', () => {
  it('reports whether the host has the address', async () => {
    const host = scriptedHost(() => ({ stdout: links }));
    expect(await seenBy(host)).toEqual({ status: 'ok', value: 'yes' });
    expect(host.commands).toEqual(['ip -j address show']);
    expect(await seenBy(host, { address: '2001:db8::100' })).toMatchObject({ value: 'yes' });
    expect(await seenBy(host, { address: '198.18.2.10' })).toMatchObject({ value: 'no' });
  });

  it.each([
    ['2001:DB8::100', 'yes'],
    ['2001:db8:0:0:0:0:0:100', 'yes'],
    ['2001:0db8::0100', 'yes'],
    ['2001:db8::0.0.1.0', 'yes'],
    [`::ffff:${vip}`, 'yes'],
    ['2001:db8::1:100', 'no'],
    ['fe80::1%eth0', 'yes'],
    ['fe80::1%lo', 'no'],
    ['fe80::1', 'yes'],
  ])('compares addresses, not their notations: %s', async (address, value) => {
    expect(await seenWith(() => ({ stdout: links }), { address })).toEqual({ status: 'ok', value });
  });

  it('is unknown if an address cannot be parsed', async () => {
    const odd = links.replace('198.18.2.11', '198.18.2.011');
    expect(await seenWith(() => ({ stdout: odd }))).toMatchObject({ value: 'yes' });
    expect(await seenWith(() => ({ stdout: odd }), { address: '198.18.2.11' })).toEqual({
      status: 'unknown',
      message: 'cannot list the addresses: "198.18.2.011" is not an IP address',
    });
  });

  it('ignores an address that failed duplicate address detection', async () => {
    const address = '2001:db8::100';
    const twice = links.replace(`"${address}"`, `"${address}","dadfailed":true,"tentative":true`);
    expect(await seenWith(() => ({ stdout: twice }), { address })).toEqual({ status: 'ok', value: 'no' });
  });

  it('checks only `interface`, which need not exist', async () => {
    const script: Script = () => ({ stdout: links });
    expect(await seenWith(script, { interface: 'eth0' })).toMatchObject({ value: 'yes' });
    expect(await seenWith(script, { interface: 'lo' })).toMatchObject({ value: 'no' });
    expect(await seenWith(script, { interface: 'eth9' })).toMatchObject({ status: 'ok', value: 'no' });
  });

  it('is unknown if the command fails', async () => {
    const away: Script = () => {
      throw new DrillError('host-unreachable', 'alpha: not running');
    };
    expect(await seenWith(away)).toEqual({ status: 'unknown', message: 'alpha: not running' });
    expect(await seenWith(() => ({ exitCode: 127, stderr: 'ip: not found' }))).toMatchObject({
      status: 'unknown',
    });
    expect(await seenWith(() => ({ stdout: 'no json' }))).toMatchObject({ status: 'unknown' });
    expect(await seenWith(() => ({ stdout: '{}' }))).toMatchObject({ status: 'unknown' });
  });

  it('refuses to open without a host or a valid address', async () => {
    await expect(openProbe(vipClaim, { address: vip })).rejects.toMatchObject({ code: 'invalid-input' });
    const host = scriptedHost(() => ({}));
    await expect(openProbe(vipClaim, { address: '${address}' }, { host })).rejects.toThrow(
      'address: "${address}" is not an IP address',
    );
  });
});

describe('vip-claim probe in a container', () => {
  const folder = sharedTemporaryFolder();
  const alpha = createLocalHost('alpha');
  const local: Host = {
    ...alpha,
    exec: (argv, options) =>
      alpha.exec(['env', `PATH=${folder}:${process.env['PATH'] ?? ''}`, ...argv], options),
  };

  /** The real script, with `docker`, `nsenter`, and `stat` that print a test's text. */
  function containers(answers: { docker: string; nsenter: string; stat?: string }): void {
    for (const [name, script] of Object.entries({ stat: 'exit 1', ...answers })) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(folder, name), 0o755);
    }
  }

  const seen = () => seenBy(local, { container: 'nginx' });
  /** Output of `docker container inspect --format … NAME`, by the container's name. */
  const docker = (states: Record<string, string>): string => {
    const cases = Object.entries(states).map(([name, state]) => `${name}) echo "${state}" ;;`);
    return `case $5 in ${cases.join(' ')} *) echo "Error: No such container: $5" >&2; exit 1 ;; esac`;
  };
  const nsenter = (namespace: string): string =>
    `case "$*" in "${namespace} ip -j address show") echo '${links}' ;; *) echo "nsenter: cannot open $*" >&2; exit 1 ;; esac`;

  it('lists the addresses in the namespace of the container’s process', async () => {
    containers({ docker: docker({ nginx: '77 bridge /nowhere' }), nsenter: nsenter('--target 77 --net') });
    expect(await seen()).toEqual({ status: 'ok', value: 'yes' });
  });

  it('lists the addresses in the container’s namespace while it is not running', async () => {
    containers({
      docker: docker({ nginx: '0 container:4711 ', 4711: '/var/run/docker/netns/f00' }),
      nsenter: nsenter('--net=/var/run/docker/netns/f00'),
      stat: '[ "$*" = "-f -c %t /var/run/docker/netns/f00" ] && echo 6e736673',
    });
    expect(await seen()).toEqual({ status: 'ok', value: 'yes' });
  });

  it('reports no for a container that does not exist or is stopped', async () => {
    containers({ docker: docker({}), nsenter: 'exit 1' });
    expect(await seen()).toEqual({ status: 'ok', value: 'no' });
    containers({ docker: docker({ nginx: '0 default ' }), nsenter: 'exit 1' });
    expect(await seen()).toEqual({ status: 'ok', value: 'no' });
    containers({ docker: docker({ nginx: '0 container:4711 ' }), nsenter: 'exit 1' });
    expect(await seen()).toEqual({ status: 'ok', value: 'no' });
    // An ordinary file is left of its namespace.
    containers({
      docker: docker({ nginx: '0 bridge /var/run/docker/netns/f00' }),
      nsenter: 'exit 1',
      stat: 'echo 1021994',
    });
    expect(await seen()).toEqual({ status: 'ok', value: 'no' });
  });

  it('is unknown if the engine does not answer or the namespace cannot be entered', async () => {
    containers({ docker: 'echo "Cannot connect to the Docker daemon" >&2; exit 1', nsenter: 'exit 1' });
    expect(await seen()).toMatchObject({
      status: 'unknown',
      message: expect.stringContaining('Cannot connect') as string,
    });
    containers({ docker: docker({ nginx: '77 bridge /nowhere' }), nsenter: nsenter('nothing fits') });
    expect(await seen()).toMatchObject({ status: 'unknown' });
    // The namespace file exists, but its type cannot be read.
    const stopped = docker({ nginx: '0 bridge /var/run/docker/netns/f00' });
    const stat = 'echo "stat: cannot read file system information: Permission denied" >&2; exit 1';
    containers({ docker: stopped, nsenter: nsenter('nothing fits'), stat });
    expect(await seen()).toMatchObject({
      status: 'unknown',
      message: expect.stringContaining('Permission denied') as string,
    });
    containers({
      docker: stopped,
      nsenter: 'exit 1',
      stat: 'echo "stat: cannot read: No such file or directory" >&2; exit 1',
    });
    expect(await seen()).toEqual({ status: 'ok', value: 'no' });
  });
});

describe('vip-claim probe in a container of an engine with a kept connection', () => {
  /** The PID that the engine reports for the container. 0: it is not running. Undefined: the engine does not answer. */
  async function engineWith(pid: number | undefined, script: Script) {
    const paths: string[] = [];
    const { host, pipes, commands, close } = await pipedEngine((request, response) => {
      paths.push(request.url ?? '');
      if (pid === undefined) return;
      response.end(JSON.stringify({ State: { Status: 'running', Pid: pid } }));
    }, script);
    onTestFinished(close);
    const timeoutMs = 300;
    const session = await openProbe(vipClaim, { address: vip, container: 'nginx' }, { host, timeoutMs });
    onTestFinished(async () => session.close());
    return { attempt: () => observe(session, timeoutMs), paths, pipes, commands };
  }
  const enters = 'nsenter --target 77 --net ip -j address show';

  it('reads the PID over one connection, and runs one command for a sample', async () => {
    const { attempt, paths, pipes, commands } = await engineWith(77, () => ({ stdout: links }));
    for (let n = 0; n < 3; n++) expect(await attempt()).toEqual({ status: 'ok', value: 'yes' });
    expect(paths).toEqual(Array.from({ length: 3 }, () => '/containers/nginx/json'));
    expect(pipes).toEqual(['docker system dial-stdio']);
    expect(commands).toEqual([enters, enters, enters]);
  });

  it('runs the script for a container that is not running', async () => {
    const { attempt, commands } = await engineWith(0, () => ({ exitCode: 114 }));
    expect(await attempt()).toEqual({ status: 'ok', value: 'no' });
    expect(commands).toEqual([expect.stringMatching(/^sh -c /)]);
  });

  it('runs the script if the process has ended since', async () => {
    const { attempt, commands } = await engineWith(77, ([program]) =>
      program === 'nsenter' ? { exitCode: 1, stderr: 'No such process' } : { stdout: links },
    );
    expect(await attempt()).toEqual({ status: 'ok', value: 'yes' });
    expect(commands).toEqual([enters, expect.stringMatching(/^sh -c /)]);
  });

  it('is unknown if the engine does not answer', async () => {
    const { attempt, commands } = await engineWith(undefined, () => ({ stdout: links }));
    expect(await attempt()).toMatchObject({ status: 'unknown' });
    expect(commands).toEqual([]);
  });
});
