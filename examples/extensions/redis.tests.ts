import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { defineTests, proxyTo } from 'firedrill';

/** The commands of Redis that the writer uses, with hashes in memory. */
function redis() {
  const hashes = new Map<string, Map<string, number>>();
  return (command: string): string => {
    const [verb, key = '', field = ''] = command.split(' ');
    const hash = hashes.get(key) ?? new Map<string, number>();
    if (verb === 'PING') return '+PONG\r\n';
    if (verb === 'DEL') return `:${hashes.delete(key) ? 1 : 0}\r\n`;
    if (verb === 'HGETALL') {
      const entries = [...hash].flat().map(String);
      return `*${entries.length}\r\n${entries.map((entry) => `$${entry.length}\r\n${entry}\r\n`).join('')}`;
    }
    hash.set(field, (hash.get(field) ?? 0) + 1);
    hashes.set(key, hash);
    return `:${hash.get(field)}\r\n`;
  };
}

export default defineTests({
  writers: [
    {
      kind: 'redis.rows',
      async setUp() {
        const answer = redis();
        const open = new Set<Socket>();
        const server = createServer((socket) => {
          open.add(socket);
          socket.on('error', () => {});
          socket.on('data', (bytes) => {
            for (const line of bytes.toString().split('\r\n')) if (line !== '') socket.write(answer(line));
          });
        });
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        // The suite breaks the connections of the writer there.
        const proxy = await proxyTo((server.address() as AddressInfo).port);
        return {
          params: { address: proxy.address },
          connection: proxy,
          tearDown: () => {
            proxy.close();
            for (const socket of open) socket.destroy();
            server.close();
          },
        };
      },
    },
  ],
});
