import { describe, expect, test } from 'vitest';
import {
  containersFormat,
  type KnownContainer,
  parseContainers,
  resolveContainers,
} from './container-names.ts';

const known: readonly KnownContainer[] = [
  { name: 'shop-web-1', state: 'running', project: 'shop', service: 'web' },
  { name: 'shop-web-2', state: 'exited', project: 'shop', service: 'web' },
];

describe('the containers of `docker ps`', () => {
  test('belong to their service, except those of `docker compose run`', () => {
    const text =
      'shop-web-1\trunning\tshop\tweb\tFalse\nshop-web-run-3f2\texited\tshop\tweb\tTrue\ndb\trunning\t\t\t\n';
    expect(parseContainers(text)).toEqual([
      { name: 'shop-web-1', state: 'running', project: 'shop', service: 'web' },
      { name: 'shop-web-run-3f2', state: 'exited', project: 'shop' },
      { name: 'db', state: 'running' },
    ]);
    expect(containersFormat.split('\t').at(-1)).toBe('{{.Label "com.docker.compose.oneoff"}}');
  });
});

describe('the containers that words name', () => {
  test('are a container, or all containers of a service', () => {
    expect(resolveContainers(['shop-web-2'], known)).toEqual({ names: ['shop-web-2'] });
    expect(resolveContainers(['web'], known)).toEqual({ names: ['shop-web-1', 'shop-web-2'] });
  });

  test('are unknown to an engine without containers', () => {
    expect(resolveContainers(['web'], [])).toEqual({
      problem: 'no container or Compose service is named "web"; the Docker engine has no containers',
    });
  });

  test.each(["d'b", 'üml', '${host}', '-rf', 'a:b', '/web', '.web'])(
    'have the form of a name, also if the engine gave no answer: %s',
    (word) => {
      expect(resolveContainers(['web', word], undefined)).toEqual({
        problem: `"${word}" is not a container name: expected letters, digits, dots, dashes, and underscores, with a letter or digit first`,
      });
    },
  );

  test('are taken as they are if the engine gave no answer', () => {
    expect(resolveContainers(['web', 'A_b.c-1'], undefined)).toEqual({ names: ['web', 'A_b.c-1'] });
  });
});
