import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ProbeSession } from '../core/probe.ts';
import { tcpSession } from './tcp-session.ts';
import { observe, openProbe } from './testing/attempt.ts';
import { listen, unusedAddress } from '../net/testing/servers.ts';

/** A server that handles each line with a test's function, and the connections that it has had. */
async function serve(
  onLine: (socket: Socket, line: string) => void,
  onConnection: (socket: Socket) => void = () => {},
): Promise<{ address: string; sockets: Socket[]; close: () => Promise<void> }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      for (const line of text.split('\n').slice(0, -1)) onLine(socket, line);
    });
    onConnection(socket);
  });
  const { address, close } = await listen(server);
  onTestFinished(close);
  return { address, sockets, close };
}

const acknowledge = (socket: Socket, line: string): void => void socket.write(`ack ${line}\r\n`);

async function open(address: string, over: object = {}): Promise<ProbeSession> {
  const session = await openProbe(tcpSession, {
    address,
    send: 'keep-alive 001',
    expect: '^ack keep-alive 001$',
    ...over,
  });
  onTestFinished(async () => session.close());
  return session;
}

const attempt = (session: ProbeSession, timeoutMs = 1000) => observe(session, timeoutMs);

describe('tcp-session probe', () => {
  it('uses one connection, and reports when it opened it', async () => {
    const { address, sockets } = await serve(acknowledge);
    const session = await open(address);
    expect(await attempt(session)).toEqual({
      status: 'ok',
      value: '1',
      phases: { connectMs: expect.any(Number) as number, firstByteMs: expect.any(Number) as number },
    });
    expect(await attempt(session)).toEqual({
      status: 'ok',
      value: '1',
      phases: { firstByteMs: expect.any(Number) as number },
    });
    expect(sockets).toHaveLength(1);
    await session.close();
    await expect.poll(() => sockets[0]?.destroyed).toBe(true);
  });

  it('fails once if the session was cut between samples, and opens another for the next sample', async () => {
    const { address, sockets } = await serve(acknowledge);
    const session = await open(address);
    await attempt(session);
    sockets[0]?.destroy();
    // The client notices the cut before other work on this event loop, or when it sends.
    await expect.poll(() => sockets[0]?.closed).toBe(true);
    expect(await attempt(session)).toMatchObject({ status: 'fail', cause: 'reset' });
    expect(await attempt(session)).toMatchObject({ status: 'ok', value: '2' });
    expect(sockets).toHaveLength(2);
  });

  it('fails as reset when the session is cut instead of an answer', async () => {
    const { address } = await serve((socket) => socket.resetAndDestroy());
    expect(await attempt(await open(address))).toMatchObject({ status: 'fail', cause: 'reset' });
  });

  it('fails at its timeout without an answer, and does not read a late answer as the next one', async () => {
    let isUnreachable = true;
    const { address, sockets } = await serve((socket, line) => {
      if (!isUnreachable) acknowledge(socket, line);
    });
    const session = await open(address);
    expect(await attempt(session, 100)).toMatchObject({ status: 'fail', cause: 'timeout' });
    sockets[0]?.write('ack something else\n');
    isUnreachable = false;
    expect(await attempt(session)).toMatchObject({ status: 'ok', value: '2' });
  });

  it('fails as refused on a closed port, and keeps trying', async () => {
    const session = await open(await unusedAddress());
    for (let i = 0; i < 2; i++) {
      expect(await attempt(session)).toMatchObject({ status: 'fail', cause: 'refused' });
    }
  });

  it('fails for an unexpected answer', async () => {
    const { address } = await serve((socket) => void socket.write('ERR not registered\n'));
    expect(await attempt(await open(address))).toMatchObject({
      status: 'fail',
      cause: 'bad-body',
      message: 'the answer does not match ^ack keep-alive 001$: ERR not registered',
    });
  });

  it('joins an answer that arrives in pieces, and fails for one without a line end', async () => {
    const pieces = await serve((socket, line) => {
      socket.write('ack ');
      setImmediate(() => socket.write(`${line}\nmore`));
    });
    expect(await attempt(await open(pieces.address))).toMatchObject({ status: 'ok' });
    const endless = await serve((socket) => void socket.write('x'.repeat(100_000)));
    expect(await attempt(await open(endless.address))).toMatchObject({ status: 'fail', cause: 'bad-body' });
  });

  it('does not read leftover text as the next answer', async () => {
    let notice = 'notice: maintenance at noon\n';
    const { address } = await serve((socket, line) => {
      socket.write(`ack ${line}\n${notice}`);
      notice = '';
    });
    const session = await open(address);
    expect(await attempt(session)).toMatchObject({ status: 'ok' });
    expect(await attempt(session)).toMatchObject({ status: 'ok', value: '1' });
  });

  describe('with a server that sends a greeting', () => {
    const greets = (socket: Socket): void => void socket.write('ack greeting\n');

    it('does not read the greeting as an answer', async () => {
      const { address } = await serve(() => {}, greets);
      const session = await open(address, { expect: '^ack' });
      for (let i = 0; i < 2; i++)
        expect(await attempt(session, 400)).toMatchObject({ status: 'fail', cause: 'timeout' });
    });

    it('reads the answer after the greeting, also on later connections', async () => {
      let isPathFailure = false;
      const answers = (socket: Socket, line: string): void => {
        if (!isPathFailure) acknowledge(socket, line);
      };
      // Later connections get a late greeting. The probe must not send before it, or read it as the answer.
      const late = (socket: Socket): void => {
        if (sockets.length === 1) greets(socket);
        else setTimeout(() => greets(socket), 300);
      };
      const { address, sockets } = await serve(answers, late);
      const session = await open(address, { expect: '^ack' });
      expect(await attempt(session)).toMatchObject({ status: 'ok', value: '1' });
      expect(await attempt(session)).toMatchObject({ status: 'ok', value: '1' });
      sockets[0]?.destroy();
      await expect.poll(() => sockets[0]?.closed).toBe(true);
      expect(await attempt(session)).toMatchObject({ status: 'fail', cause: 'reset' });
      isPathFailure = true;
      expect(await attempt(session)).toMatchObject({ status: 'fail', cause: 'timeout' });
      isPathFailure = false;
      expect(await attempt(session)).toMatchObject({ status: 'ok', value: '3' });
    });

    it('waits for the greeting in `greeting`, with any number of lines', async () => {
      const { address } = await serve(acknowledge, (socket) => {
        socket.write('220-ack\n');
        setTimeout(() => socket.write('220 ready\n'), 350);
      });
      const session = await open(address, { greeting: '^220 ' });
      expect(await attempt(session, 2000)).toMatchObject({ status: 'ok', value: '1' });
    });

    it('fails if the greeting in `greeting` does not arrive', async () => {
      const { address } = await serve(acknowledge, (socket) => void socket.write('554 no service\n'));
      const session = await open(address, { greeting: '^220 ' });
      expect(await attempt(session, 300)).toEqual({
        status: 'fail',
        cause: 'bad-body',
        message: 'the greeting does not match ^220 : 554 no service',
        phases: { connectMs: expect.any(Number) as number },
      });
    });
  });

  it('keeps overlapping samples separate', async () => {
    const lines: string[] = [];
    const { address } = await serve((socket, line) => {
      lines.push(line);
      setTimeout(() => acknowledge(socket, line), 20);
    });
    const session = await open(address);
    const seen = await Promise.all([attempt(session), attempt(session), attempt(session)]);
    expect(seen.map((s) => s.status === 'ok' && s.value)).toEqual(['1', '1', '1']);
    expect(lines).toHaveLength(3);
  });

  it('is unknown if the run stops', async () => {
    const { address } = await serve(() => {});
    const session = await open(address);
    const stopping = new AbortController();
    const attempting = session.observe(stopping.signal);
    stopping.abort(new Error('the run stops'));
    expect(await attempting).toMatchObject({ status: 'unknown' });
  });

  it('requires one line', () => {
    const fields = { address: '127.0.0.1:1', expect: 'ack' };
    expect(tcpSession.params.safeParse({ ...fields, send: 'one\ntwo' }).success).toBe(false);
    expect(tcpSession.params.safeParse({ ...fields, send: '' }).success).toBe(true);
  });
});
