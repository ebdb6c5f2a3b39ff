import { expect, test } from 'vitest';
import { createServer } from './catalog.ts';

const host = { name: 'node-1', transport: { kind: 'local' } } as const;

test('a host that no cloud runs has no server', () => {
  expect(createServer(host)).toBeUndefined();
});

test('settings that cannot be used matter only to those who use the server', async () => {
  const server = createServer({
    ...host,
    server: { cloud: 'lab', cloudsFile: '/nonexistent/clouds.yaml', id: 'web-1' },
  });
  expect(server?.where).toContain('server web-1 of cloud lab, whose settings cannot be used: cannot read');
  const { signal } = new AbortController();
  await expect(server?.state(signal)).rejects.toMatchObject({ code: 'invalid-input' });
  await expect(server?.stop(signal)).rejects.toMatchObject({ code: 'invalid-input' });
});
