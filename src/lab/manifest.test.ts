import { describe, expect, it, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import { loadLab, parseManifest, settingsEnvironment, vmOf } from './manifest.ts';

const good = `version: 1
stack: pair
composeFile: compose.yaml
network: { subnet: 198.18.9.0/24, gateway: 198.18.9.1 }
needs: { memoryMiB: 512, diskMiB: 1024 }
base: { tag: 'debian:trixie-slim', suite: trixie }
vmImages:
  - { tag: 'vm:1', context: ../images/vm }
vms:
  - { name: a, container: pair-a, address: 198.18.9.2 }
settings:
  pace: { environment: PAIR_PACE, values: [slow, quick], default: slow }
`;

function failure(text: string): string {
  try {
    parseManifest(text, 'lab.yaml');
  } catch (error) {
    if (error instanceof DrillError && error.code === 'invalid-input') return error.message;
    throw error;
  }
  throw new Error('the manifest was accepted');
}

describe('parseManifest', () => {
  it('fills the defaults in', () => {
    const manifest = parseManifest(good, 'lab.yaml');
    expect(manifest.vms[0]).toEqual({
      name: 'a',
      container: 'pair-a',
      address: '198.18.9.2',
      innerImages: false,
    });
    expect(manifest.vmImages[0]).toMatchObject({ dockerfile: 'Dockerfile', inputs: ['.'] });
    expect(manifest.innerImages).toBeUndefined();
    expect(manifest.certificates).toEqual([]);
  });

  it('reports the position of invalid YAML', () => {
    expect(failure('version: 1\nvms: [\n')).toMatch(/^lab\.yaml:\d+:\d+: /);
  });

  it('reports line and column of a wrong value', () => {
    expect(failure(good.replace('memoryMiB: 512', 'memoryMiB: plenty'))).toMatch(
      /^lab\.yaml:5:21: memoryMiB: /,
    );
  });

  it('refuses an unknown key, with its position', () => {
    expect(failure(good.replace('suite: trixie', 'suite: trixie, mirror: x'))).toMatch(
      /^lab\.yaml:6:51: unknown field "mirror"/,
    );
  });

  it('refuses an invalid address', () => {
    expect(failure(good.replace('address: 198.18.9.2', 'address: 198.18.9'))).toMatch(
      /^lab\.yaml:10:\d+: address: /,
    );
  });

  it('refuses a setting whose default is not one of its values', () => {
    expect(failure(good.replace('default: slow', 'default: medium'))).toContain(
      'default: the default is not one of the values',
    );
  });

  it('lists every error, not only the first', () => {
    const message = failure(good.replace('version: 1', 'version: 2').replace('stack: pair', 'stack: "a b"'));
    expect(message.split('\n')).toHaveLength(2);
  });
});

describe('settingsEnvironment', () => {
  const manifest = parseManifest(good, 'lab.yaml');

  it('uses defaults for other settings', () => {
    expect(settingsEnvironment(manifest, {})).toEqual({ PAIR_PACE: 'slow' });
    expect(settingsEnvironment(manifest, { pace: 'quick' })).toEqual({ PAIR_PACE: 'quick' });
  });

  it('refuses unknown settings and values', () => {
    expect(() => settingsEnvironment(manifest, { pace: 'warp' })).toThrow(
      'pace is warp; allowed: slow, quick',
    );
    expect(() => settingsEnvironment(manifest, { speed: 'slow' })).toThrow('no setting speed; it has: pace');
  });
});

describe('loadLab', () => {
  it('reports the missing stack, and the folder of the stacks', async () => {
    await expect(loadLab('/nowhere', 'pair')).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('no lab for the stack pair') as string,
      hint: expect.stringContaining('/nowhere') as string,
    });
  });
});

test.each(['../pair', '/etc', '..', '', 'a/b', 'a\0b', '.hidden'])(
  'refuses the stack name %j',
  async (stack) => {
    await expect(loadLab('/nowhere', stack)).rejects.toThrow('expected the name of a folder');
  },
);

describe('vmOf', () => {
  it('lists the known VMs in the error', () => {
    const lab = { manifest: parseManifest(good, 'lab.yaml'), stackDir: '/s', stateDir: '/t' };
    expect(vmOf(lab, 'a').container).toBe('pair-a');
    expect(() => vmOf(lab, 'b')).toThrow('the lab pair has no VM b; it has a');
  });
});
