import { once } from 'node:events';
import { createServer } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { tcp } from './tcp.ts';
import { attemptOnce, openProbe } from './testing/attempt.ts';
import { listen, unusedAddress } from '../net/testing/servers.ts';

describe('tcp probe', () => {
  it('is ok when the connection is established, and closes it', async () => {
    const server = createServer();
    const closed = new Promise((resolve) => {
      server.once('connection', (socket) => socket.resume().once('close', resolve));
    });
    const { address, close } = await listen(server);
    const { seen } = await attemptOnce(tcp, { address });
    expect(seen).toEqual({ status: 'ok', phases: { connectMs: expect.any(Number) as number } });
    await closed;
    await close();
  });

  it('fails as refused on a closed port', async () => {
    const { seen } = await attemptOnce(tcp, { address: await unusedAddress() });
    expect(seen).toMatchObject({ status: 'fail', cause: 'refused' });
  });

  it('fails as timeout, not before the timeout, when SYNs get no answer', async () => {
    // A listener that accepts no connections: when its short queue is full, the kernel drops further SYNs.
    const source = `
      const { parentPort } = require('node:worker_threads');
      const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
        parentPort.postMessage(server.address().port);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 240_000);
      });`;
    const worker = new Worker(source, { eval: true });
    const [port] = (await once(worker, 'message', { signal: AbortSignal.timeout(240_000) })) as [number];
    let last = await attemptOnce(tcp, { address: `127.0.0.1:${port}` }, { timeoutMs: 200 });
    for (let i = 0; i < 20 && last.seen.status === 'ok'; i++) {
      last = await attemptOnce(tcp, { address: `127.0.0.1:${port}` }, { timeoutMs: 200 });
    }
    await worker.terminate();
    expect(last.seen).toMatchObject({ status: 'fail', cause: 'timeout' });
    expect(last.tookMs).toBeGreaterThan(199);
  });

  it('is unknown if the sample was aborted before it started', async () => {
    const session = await openProbe(tcp, { address: '127.0.0.1:1' });
    expect(await session.observe(AbortSignal.abort(new Error('the run stops')))).toMatchObject({
      status: 'unknown',
    });
  });

  it.each(['localhost', 'h:0', 'h:70000', '[x]:1', 'a:b:1', ''])('refuses the address %j', (address) => {
    expect(tcp.params.safeParse({ address }).success).toBe(false);
  });

  it('accepts IPv6 addresses in brackets', async () => {
    expect(tcp.params.safeParse({ address: '[::1]:5432' }).success).toBe(true);
  });
});
