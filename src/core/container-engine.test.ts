import { expect, test } from 'vitest';
import { isPodman } from './container-engine.ts';

test.each([
  ['Docker version 26.1.5+dfsg1, build a72d7cd\nClient:\n Version: 26.1.5\n\nServer:\n Engine:\n', false],
  ['Docker version 20.10.24, build 297e128\n', false],
  ['', false],
  ['podman version 4.3.1\nClient:       Podman Engine\nVersion:      4.3.1\n', true],
  // An older Podman, and Docker's client with Podman's socket.
  ['podman version 3.0.1\nVersion:      3.0.1\nAPI Version:  3.0.0\n', true],
  ['Docker version 26.1.5\nServer: linux/amd64/debian-12\n Podman Engine:\n  Version: 4.3.1\n', true],
])('%j is Podman: %s', (versions, podman) => {
  expect(isPodman(versions)).toBe(podman);
});
