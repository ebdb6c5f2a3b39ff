import { describe, expect, test } from 'vitest';
import type { PlannedHost } from '../core/plan.ts';
import { faultKinds } from '../faults/catalog.ts';
import { probeKinds } from '../probes/catalog.ts';
import type { HostFacts } from './host-facts.ts';
import { checkHost, type HostRequirement } from './check-host.ts';
import { fitHint } from './transport-hints.ts';

/** A host that has nothing: no tool, no right, no engine, no systemd. */
const bare: HostFacts = {
  uid: 1000,
  kernel: '6.1.0',
  systemd: false,
  rawSockets: false,
  netem: undefined,
  engine: undefined,
  engineError: undefined,
  tools: new Set(),
};

/** Whatever any kind of fault or probe may need. */
const wants: readonly HostRequirement[] = [...faultKinds, ...probeKinds].flatMap((kind) => {
  const needs = kind.uses?.(undefined);
  return needs === undefined ? [] : [{ ...needs, by: kind.kind, sure: true }];
});

const hintsOn = (host: PlannedHost): ReadonlyMap<string, string> =>
  new Map(
    checkHost(host.name, bare, wants)
      .map((finding) => fitHint(finding, host))
      .flatMap(({ name, hint }) => (hint === undefined ? [] : [[name.replace(`${host.name}: `, ''), hint]])),
  );

const database: PlannedHost = { name: 'db', transport: { kind: 'docker', container: 'shop-db-1' } };

describe('the hint for what a container lacks', () => {
  const hints = hintsOn(database);

  test('is there for each thing', () => {
    expect([...hints.keys()]).toEqual(
      expect.arrayContaining(['root', 'systemd', 'docker', 'docker engine', 'CAP_NET_RAW']),
    );
  });

  test.each([...hints])(
    '%s: no package is installed in the container, and nobody logs in to it: %s',
    (_thing, hint) => {
      expect(hint).not.toMatch(/docker\.io|Install the package|Install it|sudo|Log in|NOPASSWD|group docker/);
    },
  );

  test.each(['docker', 'docker engine'])('%s: names the host and the field to use', (thing) => {
    expect(hints.get(thing)).toBe(
      'Do not install Docker in shop-db-1. Set `on` to a host with `transport: local` (the machine of its engine) and name the container there: `container: shop-db-1` in a fault, `name: shop-db-1` in a probe.',
    );
  });

  test.each(['systemd', 'systemctl', 'systemd-run'])('%s: names the faults that need no systemd', (thing) => {
    expect(hints.get(thing)).toContain(
      'use container.stop, container.kill, container.pause, or process.kill',
    );
  });

  test.each([
    ['tcpdump', 'tcpdump'],
    ['arping', 'iputils-arping'],
  ])('%s: a tool belongs into the image', (tool, name) => {
    expect(hints.get(tool)).toBe(
      `Add the package ${name} to the image of container shop-db-1, or set the probe's \`from\` to a host that has it.`,
    );
  });
});

describe('the hint for what this machine lacks', () => {
  const hints = hintsOn({ name: 'shop-db-1', transport: { kind: 'local' } });

  test.each([
    ['root', 'Run firedrill as root, for example with `sudo`.'],
    [
      'docker engine',
      'Start the Docker engine, or run firedrill as root or as a user in the group `docker`.',
    ],
    ['docker', 'Install Docker on this machine, or set `on` to the machine that runs the containers.'],
    ['tcpdump', 'Install the package tcpdump on this machine.'],
  ])('%s', (thing, hint) => {
    expect(hints.get(thing)).toBe(hint);
  });
});

test('hints for a machine over SSH stay as they are', () => {
  const host: PlannedHost = { name: 'node-1', transport: { kind: 'ssh', host: 'node-1' } };
  const findings = checkHost(host.name, bare, wants);
  expect(findings.map((finding) => fitHint(finding, host))).toEqual(findings);
});
