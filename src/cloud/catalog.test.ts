import { expect, test } from 'vitest';
import { createServer } from './catalog.ts';

const host = { name: 'node-1', transport: { kind: 'local' } } as const;

test('a host without a cloud has no server', () => {
  expect(createServer(host)).toBeUndefined();
});

test('unusable settings fail only when the server is used', async () => {
  const server = createServer({
    ...host,
    server: { cloud: 'lab', cloudsFile: '/nonexistent/clouds.yaml', id: 'web-1' },
  });
  expect(server?.where).toContain('server web-1 of cloud lab, whose settings cannot be used: cannot read');
  const { signal } = new AbortController();
  await expect(server?.state(signal)).rejects.toMatchObject({ code: 'invalid-input' });
  await expect(server?.stop(signal)).rejects.toMatchObject({ code: 'invalid-input' });
});
