import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { defineTests } from 'firedrill';

/** A server that answers each request with this text, and a request for the key `greeting`. */
async function answering(answer: string | undefined, key?: string) {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => {
      if (answer !== undefined) socket.write(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    params: { address: `127.0.0.1:${port}`, ...(key === undefined ? {} : { key }) },
    tearDown: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

export default defineTests({
  probes: [
    {
      kind: 'memcached.get',
      situations: [
        { name: 'memcached answers', expect: 'ok', setUp: () => answering('VERSION 1.6.38\r\n') },
        {
          name: 'the key exists',
          expect: 'ok',
          setUp: () => answering('VALUE greeting 0 5\r\nhello\r\nEND\r\n', 'greeting'),
        },
        { name: 'the key does not exist', expect: 'fail', setUp: () => answering('END\r\n', 'greeting') },
        { name: 'another server answers', expect: 'fail', setUp: () => answering('HTTP/1.1 400\r\n') },
        { name: 'memcached is out of memory', expect: 'fail', setUp: () => answering('SERVER_ERROR x\r\n') },
        { name: 'memcached hangs', expect: 'silent', setUp: () => answering(undefined) },
        { name: 'nothing listens', expect: 'fail', setUp: () => ({ params: { address: '127.0.0.1:1' } }) },
      ],
    },
  ],
});
