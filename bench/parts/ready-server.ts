import { createServer } from 'node:net';

// A server that answers every request at once with the same few bytes. It has its own process and session, with normal priority.
// Started by overload.ts; ends with its standard input.

const reply = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n';

const server = createServer((socket) => {
  // Ignored: the client sees the error.
  socket.on('error', () => {});
  socket.once('data', () => socket.end(reply));
});
server.on('error', () => process.exit(1));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
