import { expect, test } from 'vitest';
import { readFacts } from './host-facts.ts';

test('Podman is not an engine, and the facts contain the reason', () => {
  expect(readFacts('uid 0\nengine 26.1.5\n')).toMatchObject({ engine: '26.1.5', engineError: undefined });
  expect(readFacts('uid 0\npodman yes\nengine 4.3.1\n')).toMatchObject({
    engine: undefined,
    engineError: '`docker` is Podman on this host; firedrill supports only Docker',
  });
});
